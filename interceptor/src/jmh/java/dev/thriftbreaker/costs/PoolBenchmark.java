package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.faults.gen.Dependency;
import dev.thriftbreaker.thrift.ClientPool;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.commons.pool2.BasePooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericObjectPool;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a call over our pool of clients costs, beside commons-pool2 alone and beside no pool.
 *
 * <p>The calls named {@code call...} go over loopback to a server; those named {@code empty...} are
 * answered by the client itself, so that nothing is left but guard and pool. Ours is always
 * guarded, and with a callTimeout: take {@code emptyGuarded} from {@code emptyOurs} to have the
 * pool.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
public class PoolBenchmark {

  private TServer server;
  private int port;
  private ThriftInterceptor interceptor;
  private Dependency.Iface ours;
  private Dependency.Iface oursEmpty;
  private Dependency.Iface guardedEmpty;
  private GenericObjectPool<Dependency.Client> commons;

  /** A client and a connection of each thread's own. */
  @State(Scope.Thread)
  public static class Own {

    private Dependency.Client bare;
    private Dependency.Iface guarded;
    private TTransport transport;

    /**
     * Connects.
     *
     * @param benchmark whose server to use
     * @throws TException if there is none
     */
    @Setup
    public void connect(PoolBenchmark benchmark) throws TException {
      transport = benchmark.transport();
      transport.open();
      bare = new Dependency.Client(new TBinaryProtocol(transport));
      guarded = benchmark.interceptor.guard("direct", Dependency.Iface.class, bare);
    }

    /** Closes. */
    @TearDown
    public void close() {
      transport.close();
    }
  }

  private static final class EmptyClient extends Dependency.Client {

    private EmptyClient(TProtocol protocol) {
      super(protocol);
    }

    @Override
    public long get(long number) {
      return number;
    }
  }

  private TTransport transport() throws TTransportException {
    return new TFramedTransport(new TSocket("127.0.0.1", port));
  }

  /**
   * Starts.
   *
   * @throws Exception if the server does not start
   */
  @Setup(Level.Trial)
  public void start() throws Exception {
    TServerSocket socket =
        new TServerSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    port = socket.getServerSocket().getLocalPort();
    server =
        new TThreadPoolServer(
            new TThreadPoolServer.Args(socket)
                .processor(new Dependency.Processor<Dependency.Iface>(number -> number))
                .transportFactory(new TFramedTransport.Factory()));
    Thread thread = new Thread(server::serve, "server");
    thread.setDaemon(true);
    thread.start();
    interceptor =
        ThriftInterceptor.builder("pool-benchmark")
            .defaults(settings -> settings.callTimeout(Duration.ofSeconds(2)))
            .dependency("pooled")
            .dependency("empty")
            .dependency("direct")
            .build();
    ours =
        interceptor.guard(
            "pooled",
            Dependency.Iface.class,
            ClientPool.builder(Dependency.Client::new, () -> new TSocket("127.0.0.1", port))
                .transportFactory(new TFramedTransport.Factory()));
    oursEmpty =
        interceptor.guard(
            "empty",
            Dependency.Iface.class,
            ClientPool.builder(EmptyClient::new, () -> new TMemoryBuffer(1)));
    guardedEmpty =
        interceptor.guard(
            "direct",
            Dependency.Iface.class,
            new EmptyClient(new TBinaryProtocol(new TMemoryBuffer(1))));
    GenericObjectPoolConfig<Dependency.Client> config = new GenericObjectPoolConfig<>();
    config.setJmxEnabled(false);
    config.setMaxTotal(64);
    config.setMaxIdle(64);
    commons = new GenericObjectPool<>(new ClientFactory(), config);
  }

  /** Stops. */
  @TearDown(Level.Trial)
  public void stop() {
    commons.close();
    interceptor.close();
    server.stop();
  }

  private final class ClientFactory extends BasePooledObjectFactory<Dependency.Client> {

    @Override
    public Dependency.Client create() throws TException {
      TTransport transport = transport();
      transport.open();
      return new Dependency.Client(new TBinaryProtocol(transport));
    }

    @Override
    public PooledObject<Dependency.Client> wrap(Dependency.Client client) {
      return new DefaultPooledObject<>(client);
    }

    @Override
    public void destroyObject(PooledObject<Dependency.Client> pooled) {
      pooled.getObject().getInputProtocol().getTransport().close();
    }
  }

  @Benchmark
  public long callBare(Own own) throws TException {
    return own.bare.get(7);
  }

  @Benchmark
  public long callGuarded(Own own) throws TException {
    return own.guarded.get(7);
  }

  @Benchmark
  public long callCommons() throws Exception {
    Dependency.Client client = commons.borrowObject();
    try {
      return client.get(7);
    } finally {
      commons.returnObject(client);
    }
  }

  @Benchmark
  public long callOurs() throws TException {
    return ours.get(7);
  }

  @Benchmark
  public long emptyGuarded() throws TException {
    return guardedEmpty.get(7);
  }

  @Benchmark
  public Object emptyCommons() throws Exception {
    Dependency.Client client = commons.borrowObject();
    commons.returnObject(client);
    return client;
  }

  @Benchmark
  public long emptyOurs() throws TException {
    return oursEmpty.get(7);
  }
}
