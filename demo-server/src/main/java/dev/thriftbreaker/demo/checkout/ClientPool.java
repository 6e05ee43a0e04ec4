package dev.thriftbreaker.demo.checkout;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.NoSuchElementException;
import org.apache.commons.pool2.BasePooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericObjectPool;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TServiceClient;
import org.apache.thrift.TServiceClientFactory;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * A service's interface over a pool of its clients: each call borrows a connection and gives it
 * back. A connection that failed is thrown away, and the idle ones with it, since what broke one
 * has mostly broken all. Thread-safe.
 */
final class ClientPool<C extends TServiceClient> extends BasePooledObjectFactory<C> {

  private static final int CONNECT_TIMEOUT_MILLIS = 500;
  private static final int SOCKET_TIMEOUT_MILLIS = 1000;
  private static final Duration MAX_WAIT = Duration.ofMillis(500);

  private final TServiceClientFactory<C> clients;
  private final int port;
  private final GenericObjectPool<C> pool;

  private ClientPool(TServiceClientFactory<C> clients, int port, int size) {
    this.clients = clients;
    this.port = port;
    GenericObjectPoolConfig<C> config = new GenericObjectPoolConfig<>();
    config.setMaxTotal(size);
    config.setMaxIdle(size);
    config.setMaxWait(MAX_WAIT);
    config.setTestOnBorrow(true);
    config.setJmxEnabled(false);
    this.pool = new GenericObjectPool<>(this, config);
  }

  static <I, C extends TServiceClient> I over(
      Class<I> type, TServiceClientFactory<C> clients, int port, int size) {
    ClientPool<C> pool = new ClientPool<>(clients, port, size);
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> pool.call(method, arguments)));
  }

  private Object call(Method method, Object[] arguments) throws Throwable {
    C client = borrow();
    boolean usable = true;
    try {
      return method.invoke(client, arguments);
    } catch (InvocationTargetException e) {
      usable = isUsableAfter(e.getCause());
      throw e.getCause();
    } finally {
      if (usable) {
        pool.returnObject(client);
      } else {
        pool.invalidateObject(client);
        pool.clear();
      }
    }
  }

  private C borrow() throws TException {
    try {
      return pool.borrowObject();
    } catch (TException e) {
      throw e;
    } catch (NoSuchElementException e) {
      throw new TTransportException(TTransportException.TIMED_OUT, "no free connection", e);
    } catch (Exception e) {
      throw new TTransportException(e);
    }
  }

  /** An answer, be it an error, leaves the connection where the next call can begin. */
  private static boolean isUsableAfter(Throwable thrown) {
    if (thrown instanceof TApplicationException answer) {
      return answer.getType() != TApplicationException.BAD_SEQUENCE_ID;
    }
    return thrown instanceof TException
        && !(thrown instanceof TTransportException)
        && !(thrown instanceof TProtocolException);
  }

  @Override
  public C create() throws TException {
    TSocket socket =
        new TSocket(
            new org.apache.thrift.TConfiguration(),
            "127.0.0.1",
            port,
            SOCKET_TIMEOUT_MILLIS,
            CONNECT_TIMEOUT_MILLIS);
    TFramedTransport transport = new TFramedTransport(socket);
    transport.open();
    return clients.getClient(new TBinaryProtocol(transport));
  }

  @Override
  public PooledObject<C> wrap(C client) {
    return new DefaultPooledObject<>(client);
  }

  @Override
  public boolean validateObject(PooledObject<C> pooled) {
    return pooled.getObject().getOutputProtocol().getTransport().isOpen();
  }

  @Override
  public void destroyObject(PooledObject<C> pooled) {
    pooled.getObject().getOutputProtocol().getTransport().close();
  }
}
