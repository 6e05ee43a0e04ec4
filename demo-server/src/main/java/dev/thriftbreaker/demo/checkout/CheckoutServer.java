package dev.thriftbreaker.demo.checkout;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.demo.Wire;
import dev.thriftbreaker.demo.control.BreakerView;
import dev.thriftbreaker.demo.control.Control;
import dev.thriftbreaker.demo.process.Cleanup;
import dev.thriftbreaker.demo.process.Ports;
import dev.thriftbreaker.demo.shop.Checkout;
import dev.thriftbreaker.demo.shop.Inventory;
import dev.thriftbreaker.demo.shop.Payments;
import dev.thriftbreaker.demo.shop.Recommendations;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.TProcessor;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TServerTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * The shop's server: what a team's own bootstrap looks like with the interceptor in it. First
 * {@link #bind}, then {@link #start}.
 */
public final class CheckoutServer implements AutoCloseable {

  /** What the shop depends on. */
  public static final List<String> DEPENDENCIES =
      List.of("inventory", "payments", "recommendations", "orders-db");

  private final ServerKind kind;
  private final Wire wire;
  private final TServerTransport bound;
  private int controlPort;
  private TServer control;
  private TServer server;
  private ThriftInterceptor interceptor;

  private CheckoutServer(ServerKind kind, Wire wire, TServerTransport bound) {
    this.kind = kind;
    this.wire = wire;
    this.bound = bound;
  }

  /** Takes the port, and refuses what cannot be served. */
  public static CheckoutServer bind(ServerKind kind, Wire wire, int port) {
    kind.check(wire);
    return new CheckoutServer(kind, wire, kind.bind(port));
  }

  public int port() {
    return ServerKind.port(bound);
  }

  /** The port of {@link Control}, known once started. */
  public int controlPort() {
    return controlPort;
  }

  /**
   * Serves, in threads of its own, until the process ends.
   *
   * @param redis where the breakers' state is kept, or null for memory
   * @param namespace apart from what else uses that Redis
   * @param downstreamPorts where the downstream services are, by name
   */
  public void start(URI redis, String namespace, Map<String, Integer> downstreamPorts)
      throws SQLException, TTransportException {
    ThriftInterceptor.Builder settings =
        ThriftInterceptor.builder("checkout")
            .namespace(namespace)
            .serverThreads(ServerKind.WORKERS)
            .dependency("inventory", CheckoutServer::quick)
            .dependency("payments", CheckoutServer::quick)
            .dependency("recommendations", CheckoutServer::quick)
            .dependency("orders-db", CheckoutServer::quick)
            .requires("placeOrder", "inventory", "payments")
            .requires("quote", "inventory");
    if (redis != null) {
      settings.redis(redis);
    }
    interceptor = settings.build();

    CheckoutHandler handler =
        new CheckoutHandler(
            interceptor.guard(
                "inventory",
                Inventory.Iface.class,
                pool(
                    Inventory.Iface.class,
                    new Inventory.Client.Factory(),
                    downstreamPorts.get("inventory"))),
            interceptor.guard(
                "payments",
                Payments.Iface.class,
                pool(
                    Payments.Iface.class,
                    new Payments.Client.Factory(),
                    downstreamPorts.get("payments"))),
            interceptor.guard(
                "recommendations",
                Recommendations.Iface.class,
                pool(
                    Recommendations.Iface.class,
                    new Recommendations.Client.Factory(),
                    downstreamPorts.get("recommendations"))),
            new OrdersTable(),
            interceptor);
    TProcessor processor = interceptor.wrap(new Checkout.Processor<>(handler));

    serveControl();
    server = kind.serve(bound, processor, wire);
    new Thread(server::serve, "checkout").start();
    Cleanup.atExit(this);
  }

  private static <I, C extends org.apache.thrift.TServiceClient> I pool(
      Class<I> type, org.apache.thrift.TServiceClientFactory<C> clients, int port) {
    return ClientPool.over(type, clients, port, ServerKind.WORKERS);
  }

  /** Times and counts that show everything within a minute; a real server keeps the defaults. */
  private static void quick(BreakerConfig.Builder settings) {
    settings
        .windowDuration(Duration.ofSeconds(2))
        .minimumCalls(20)
        .failureRateThreshold(0.5)
        .slowCallDuration(Duration.ofMillis(400))
        .slowCallRateThreshold(0.8)
        .openDuration(Duration.ofSeconds(3))
        .maxOpenDuration(Duration.ofSeconds(12))
        .probes(3)
        .probeSuccesses(3);
  }

  private void serveControl() throws TTransportException {
    TServerSocket socket = new TServerSocket(Ports.loopback(0));
    controlPort = socket.getServerSocket().getLocalPort();
    Control.Iface breakers =
        () ->
            DEPENDENCIES.stream().map(name -> view(interceptor.breaker(name).snapshot())).toList();
    control =
        new TThreadPoolServer(
            new TThreadPoolServer.Args(socket)
                .processor(new Control.Processor<>(breakers))
                .transportFactory(new TFramedTransport.Factory())
                .minWorkerThreads(1));
    Thread thread = new Thread(control::serve, "control");
    thread.setDaemon(true);
    thread.start();
  }

  /** Stops serving and gives everything back. */
  @Override
  public void close() {
    server.stop();
    control.stop();
    interceptor.close();
  }

  private static BreakerView view(BreakerSnapshot breaker) {
    return new BreakerView(
        breaker.name(),
        breaker.state().name(),
        breaker.mode().name(),
        TimeUnit.NANOSECONDS.toMillis(breaker.remainingNanos()),
        breaker.opened(),
        breaker.refused(),
        breaker.evidence().reason());
  }
}
