package dev.thriftbreaker.thrift;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.commons.pool2.BasePooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericObjectPool;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TBase;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pool of generated clients of one dependency, that any number of threads may call, and that
 * keeps the dependency's {@link dev.thriftbreaker.breaker.BreakerConfig.Builder#callTimeout
 * callTimeout}.
 *
 * <pre>{@code
 * Inventory.Iface inventory =
 *     interceptor.guard(
 *         "inventory",
 *         Inventory.Iface.class,
 *         ClientPool.builder(Inventory.Client::new, () -> new TSocket("inventory.local", 9090))
 *             .transportFactory(new TFramedTransport.Factory()));
 * }</pre>
 *
 * <p>A call borrows a client, connects it if it is new, calls, and gives it back. The client goes
 * back after an answer, be it an exception that the IDL declares or a TApplicationException of the
 * server's; after anything else, such as a TTransportException, a TProtocolException or an answer
 * out of sequence, its connection is closed.
 *
 * <p><b>Deadline.</b> The callTimeout covers all of the call: the wait for a client, connecting, a
 * TLS handshake, writing and reading, also from a server that sends a byte now and then. When it
 * passes, the connection is closed from outside, within a few milliseconds on a machine that is not
 * overloaded; the caller gets a TTransportException of type TIMED_OUT. Two things it cannot end:
 * the look-up of a host's name, and the work of a transport that connects in its constructor, as
 * those of TSSLTransportFactory do: use a {@link TlsSocket}. The server may have carried out a call
 * that timed out.
 *
 * <p><b>Stale connections.</b> A server that restarts leaves closed connections in the pool, and a
 * call on one would fail although the server is well. So a connection is tested before its next use
 * if its last call began more than a second ago, or before any connection of the pool has broken.
 * The test costs that call a millisecond. A call is never made a second time, because the server
 * may have carried it out: the first call on a connection that was closed less than a second ago
 * can fail.
 *
 * <p>Thread-safe.
 */
public final class ClientPool {

  private static final Logger log = LoggerFactory.getLogger(ClientPool.class);
  private static final long TEST_AFTER_IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long NEVER = Long.MIN_VALUE;

  private final String name;
  private final DeadlineKeeper keeper;
  private final LongSupplier callTimeoutNanos;
  private final int maxConnections;
  private final Duration borrowTimeout;
  private final GenericObjectPool<PooledClient> pool;
  private final LongAdder opened = new LongAdder();
  private final LongAdder discarded = new LongAdder();
  private final LongAdder timeouts = new LongAdder();
  private final LongAdder unserved = new LongAdder();

  /** When a connection of the pool was last seen broken. */
  private volatile long brokenNanos = NEVER;

  ClientPool(
      String name, Builder<?> settings, LongSupplier callTimeoutNanos, DeadlineKeeper keeper) {
    this.name = name;
    this.keeper = keeper;
    this.callTimeoutNanos = callTimeoutNanos;
    maxConnections = settings.maxConnections;
    borrowTimeout = settings.borrowTimeout;
    GenericObjectPoolConfig<PooledClient> config = new GenericObjectPoolConfig<>();
    config.setJmxEnabled(false);
    config.setTestOnReturn(true);
    config.setMaxTotal(maxConnections);
    config.setMaxIdle(maxConnections);
    config.setMinEvictableIdleDuration(settings.maxIdleTime);
    config.setTimeBetweenEvictionRuns(settings.maxIdleTime.dividedBy(2));
    config.setNumTestsPerEvictionRun(-1); // all that are idle
    pool = new GenericObjectPool<>(new Factory(settings.parts(), keeper), config);
  }

  /**
   * Starts to describe a pool.
   *
   * @param <T> the generated client
   * @param client makes a client, {@code Inventory.Client::new}
   * @param transport makes the transport of a new connection, such as {@code () -> new
   *     TSocket(host, port)}; the pool opens it. A timeout of the socket's own still holds, for
   *     each read
   * @return a builder
   */
  public static <T> Builder<T> builder(
      Function<? super TProtocol, T> client, Callable<? extends TTransport> transport) {
    return new Builder<>(client, transport);
  }

  /** A client that borrows one of the pool's for each call. */
  <T> T client(Class<T> iface) {
    Builder.require(iface != null && iface.isInterface(), "iface", iface, "an interface");
    return iface.cast(
        Proxy.newProxyInstance(iface.getClassLoader(), new Class<?>[] {iface}, new Handler()));
  }

  /** The connections that serve a call now. */
  int active() {
    return pool.getNumActive();
  }

  /** The connections that wait for a call. */
  int idle() {
    return pool.getNumIdle();
  }

  /** The connections opened since the start. */
  long opened() {
    return opened.sum();
  }

  /** The connections closed because they were broken, stale or too slow. */
  long discarded() {
    return discarded.sum();
  }

  /** The calls that did not end within the callTimeout. */
  long timeouts() {
    return timeouts.sum();
  }

  /** The calls that got no connection. */
  long unserved() {
    return unserved.sum();
  }

  /** Closes the idle connections now, those in use when their calls have ended. */
  void close() {
    pool.close();
  }

  private final class Handler implements InvocationHandler {

    @Override
    public Object invoke(Object proxy, Method method, Object[] args) throws Throwable {
      if (method.getDeclaringClass() != Object.class) {
        return call(method, args);
      }
      return switch (method.getName()) {
        case "equals" -> proxy == args[0];
        case "hashCode" -> System.identityHashCode(proxy);
        default -> "pool of clients of " + name;
      };
    }
  }

  private Object call(Method method, Object[] args) throws Throwable {
    long timeoutNanos = callTimeoutNanos.getAsLong();
    long startNanos = keeper.now();
    long deadline = timeoutNanos == 0 ? Deadline.NEVER : startNanos + timeoutNanos;
    PooledClient client = borrow(method, timeoutNanos);
    Object result = null;
    Throwable thrown = null;
    keeper.arm(client, deadline);
    try {
      ready(client, startNanos);
      client.began(startNanos, method);
      result = invoke(method, client.client(), args);
    } catch (Throwable failure) {
      thrown = failure;
    }
    if (!client.end(deadline)) {
      timeouts.increment();
      discard(client);
      throw new TTransportException(
          TTransportException.TIMED_OUT,
          name
              + "."
              + method.getName()
              + ": no answer within "
              + TimeUnit.NANOSECONDS.toMillis(timeoutNanos)
              + " ms (callTimeout)");
    }
    if (thrown == null || isAnswer(thrown)) {
      giveBack(client);
    } else {
      if (thrown instanceof TTransportException broken
          && broken.getType() != TTransportException.TIMED_OUT) {
        brokenNanos = keeper.now();
      }
      discard(client);
    }
    if (thrown != null) {
      throw thrown;
    }
    return result;
  }

  private PooledClient borrow(Method method, long timeoutNanos) throws NoConnectionException {
    Duration wait = borrowTimeout;
    if (timeoutNanos != 0 && wait.toNanos() > timeoutNanos) {
      wait = Duration.ofNanos(timeoutNanos);
    }
    try {
      return pool.borrowObject(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unserved(method, "interrupted while it waited for a connection", e);
    } catch (NoSuchElementException e) {
      throw unserved(
          method,
          "all " + maxConnections + " connections in use (waited " + wait.toMillis() + " ms)",
          null);
    } catch (Exception e) {
      throw unserved(method, "the pool is closed", e);
    }
  }

  private NoConnectionException unserved(Method method, String why, Throwable cause) {
    unserved.increment();
    return new NoConnectionException(name + "." + method.getName() + ": " + why, cause);
  }

  private void ready(PooledClient client, long now) throws TException {
    if (client.isOpen() && isSuspect(client, now)) {
      discarded.increment();
      client.discard();
    }
    if (!client.isOpen()) {
      client.open();
      opened.increment();
    }
  }

  private boolean isSuspect(PooledClient client, long now) {
    boolean test =
        now - client.usedNanos() > TEST_AFTER_IDLE_NANOS || client.usedNanos() <= brokenNanos;
    return client.maybeUnanswered() && client.hasUnexpectedBytes() || test && client.isStale();
  }

  private static Object invoke(Method method, Object client, Object[] args) throws Throwable {
    if (!Modifier.isPublic(method.getDeclaringClass().getModifiers())) {
      method.setAccessible(true);
    }
    try {
      return method.invoke(client, args);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /** Whether the exception was read whole from a connection that is still in step. */
  private static boolean isAnswer(Throwable thrown) {
    if (thrown instanceof TApplicationException answer) {
      return switch (answer.getType()) {
        case TApplicationException.BAD_SEQUENCE_ID,
            TApplicationException.WRONG_METHOD_NAME,
            TApplicationException.INVALID_MESSAGE_TYPE,
            TApplicationException.PROTOCOL_ERROR ->
            false;
        default -> true;
      };
    }
    return thrown instanceof TException && thrown instanceof TBase;
  }

  private void discard(PooledClient client) {
    if (client.isOpen()) {
      discarded.increment();
    }
    client.discard();
    giveBack(client);
  }

  private void giveBack(PooledClient client) {
    try {
      pool.returnObject(client); // one that is not open leaves the pool
    } catch (RuntimeException e) {
      log.warn("A connection of {} did not go back into its pool", name, e);
    }
  }

  /** Connects nothing: what waits and can fail is done under the deadline of the call. */
  private static final class Factory extends BasePooledObjectFactory<PooledClient> {

    private final PooledClient.Parts parts;
    private final DeadlineKeeper keeper;

    Factory(PooledClient.Parts parts, DeadlineKeeper keeper) {
      this.parts = parts;
      this.keeper = keeper;
    }

    @Override
    public PooledClient create() {
      PooledClient client = new PooledClient(parts, keeper);
      keeper.add(client);
      return client;
    }

    @Override
    public PooledObject<PooledClient> wrap(PooledClient client) {
      return new DefaultPooledObject<>(client);
    }

    @Override
    public boolean validateObject(PooledObject<PooledClient> pooled) {
      return pooled.getObject().isOpen();
    }

    @Override
    public void destroyObject(PooledObject<PooledClient> pooled) {
      keeper.remove(pooled.getObject());
      pooled.getObject().close();
    }
  }

  /**
   * Describes a pool. Not thread-safe.
   *
   * @param <T> the generated client
   */
  public static final class Builder<T> {

    private static final Duration LONGEST = Duration.ofDays(1);

    private final Function<? super TProtocol, T> client;
    private final Callable<? extends TTransport> transport;
    private TTransportFactory layer = new TTransportFactory();
    private TProtocolFactory protocols = new TBinaryProtocol.Factory();
    private int maxConnections = 64;
    private Duration borrowTimeout = Duration.ZERO;
    private Duration maxIdleTime = Duration.ofMinutes(1);

    private Builder(
        Function<? super TProtocol, T> client, Callable<? extends TTransport> transport) {
      this.client = Objects.requireNonNull(client, "client");
      this.transport = Objects.requireNonNull(transport, "transport");
    }

    /**
     * What lies over each connection's transport, such as {@code new TFramedTransport.Factory()}.
     *
     * @param factory the factory; by default nothing
     * @return this
     */
    public Builder<T> transportFactory(TTransportFactory factory) {
      layer = Objects.requireNonNull(factory, "transportFactory");
      return this;
    }

    /**
     * The protocol to speak.
     *
     * @param factory the factory; TBinaryProtocol's by default
     * @return this
     */
    public Builder<T> protocolFactory(TProtocolFactory factory) {
      protocols = Objects.requireNonNull(factory, "protocolFactory");
      return this;
    }

    /**
     * The most connections at once. Give it as many as threads may call the dependency at once: a
     * call that gets none fails with a {@link NoConnectionException}.
     *
     * @param connections 1 to 100,000; 64 by default
     * @return this
     * @throws IllegalArgumentException if it is another
     */
    public Builder<T> maxConnections(int connections) {
      require(
          connections >= 1 && connections <= 100_000,
          "maxConnections",
          connections,
          "a whole number from 1 to 100000");
      maxConnections = connections;
      return this;
    }

    /**
     * How long a call waits for a connection while all are in use; never longer than the
     * dependency's callTimeout.
     *
     * @param duration 0 to 1 day; 0 by default: it fails at once
     * @return this
     * @throws IllegalArgumentException if it is another
     */
    public Builder<T> borrowTimeout(Duration duration) {
      require(
          duration != null && !duration.isNegative() && duration.compareTo(LONGEST) <= 0,
          "borrowTimeout",
          duration,
          "a duration from 0 ms to 1 day");
      borrowTimeout = duration;
      return this;
    }

    /**
     * How long a connection waits in the pool for its next call before it is closed.
     *
     * @param duration 10 ms to 1 day; 1 minute by default; it may be exceeded by half
     * @return this
     * @throws IllegalArgumentException if it is another
     */
    public Builder<T> maxIdleTime(Duration duration) {
      require(
          duration != null
              && duration.compareTo(Duration.ofMillis(10)) >= 0
              && duration.compareTo(LONGEST) <= 0,
          "maxIdleTime",
          duration,
          "a duration from 10 ms to 1 day");
      maxIdleTime = duration;
      return this;
    }

    private PooledClient.Parts parts() {
      return new PooledClient.Parts(transport, layer, protocols, client);
    }

    private static void require(boolean fulfilled, String name, Object value, String expected) {
      if (!fulfilled) {
        throw new IllegalArgumentException(name + ": " + value + " (expected: " + expected + ")");
      }
    }
  }
}
