package dev.thriftbreaker;

import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.thrift.gen.Item;
import dev.thriftbreaker.thrift.gen.Order;
import dev.thriftbreaker.thrift.gen.Receipt;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import javax.management.ObjectName;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * A server in a process of its own, for tests that kill it: the Warehouse service, whose {@code
 * reserve} calls a Stock service at a port that refuses connections. Takes the URI of Redis and the
 * instance's name, says what happens on its output, obeys lines on its input and ends with it.
 */
final class ServerMain {

  private ServerMain() {}

  public static void main(String[] args) throws Exception {
    ThriftInterceptor interceptor =
        ThriftInterceptor.builder("warehouse")
            .redis(URI.create(args[0]))
            .namespace("e2e")
            .instance(args[1])
            .dependency(
                "stock",
                d ->
                    d.openDuration(Duration.ofSeconds(30))
                        .openJitter(0)
                        .earlyProbeInterval(Duration.ZERO))
            .requires("reserve", "stock")
            .listener(
                (Transition t) ->
                    say("TRANSITION", System.currentTimeMillis(), t.cause(), t.describe()))
            .build();
    int closedPort;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closedPort = socket.getLocalPort();
    }
    Stock.Iface stock =
        interceptor.guard("stock", Stock.Iface.class, new ConnectingStock(closedPort));
    TServerSocket socket =
        new TServerSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    TThreadPoolServer server =
        new TThreadPoolServer(
            new TThreadPoolServer.Args(socket)
                .transportFactory(new TFramedTransport.Factory())
                .protocolFactory(new TBinaryProtocol.Factory())
                .processor(interceptor.wrap(new Warehouse.Processor<>(new Handler(stock)))));
    Thread serving = new Thread(server::serve);
    serving.setDaemon(true);
    serving.start();
    say("PORT", socket.getServerSocket().getLocalPort());
    obey(interceptor);
    System.exit(0);
  }

  private static void obey(ThriftInterceptor interceptor) throws Exception {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "state" -> {
          BreakerSnapshot now = interceptor.breaker("stock").snapshot();
          long overrideNanos =
              now.override() == null
                  ? 0
                  : now.override().untilNanos() - interceptor.breaker("stock").now();
          say(
              "STATE",
              System.currentTimeMillis(),
              now.state(),
              now.remainingNanos() / 1_000_000,
              now.mode(),
              overrideNanos / 1_000_000);
        }
        case "reset" -> interceptor.breaker("stock").reset("test", "again");
        case "force" ->
            say(
                "FORCED",
                ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                        new ObjectName(
                            "dev.thriftbreaker:type=Breaker,server=warehouse,name=stock"),
                        "forceOpenFleet",
                        new Object[] {Long.valueOf(words[1]), "test of overrides"},
                        new String[] {long.class.getName(), String.class.getName()}));
        default -> say("UNKNOWN", line);
      }
    }
  }

  private static synchronized void say(Object... words) {
    StringBuilder line = new StringBuilder();
    for (Object word : words) {
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    System.out.println(line);
    System.out.flush();
  }

  private record ConnectingStock(int port) implements Stock.Iface {
    @Override
    public int reserve(String sku, int quantity) throws TException {
      try (TSocket transport = new TSocket("127.0.0.1", port)) {
        transport.open();
        return new Stock.Client(new TBinaryProtocol(transport)).reserve(sku, quantity);
      }
    }

    @Override
    public long ping(long number) {
      return number;
    }

    @Override
    public void touch() {}
  }

  private record Handler(Stock.Iface stock) implements Warehouse.Iface {
    @Override
    public int reserve(String sku, int quantity) throws TException {
      return stock.reserve(sku, quantity);
    }

    @Override
    public long count(List<Item> items) {
      return items.size();
    }

    @Override
    public Receipt place(Order order) {
      return new Receipt();
    }

    @Override
    public String crash(String message) {
      throw new IllegalStateException(message);
    }

    @Override
    public void touch(String sku) {}

    @Override
    public void note(String text) {}

    @Override
    public void noteFailing(String text) {}
  }
}
