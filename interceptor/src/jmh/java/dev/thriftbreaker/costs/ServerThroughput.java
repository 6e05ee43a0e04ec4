package dev.thriftbreaker.costs;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.thrift.TProcessor;

/**
 * What a server over loopback does in a second, wrapped over bare, as busy as it can be: with
 * metrics, a reader of all MBeans each second, and state kept in Redis. A second bare processor is
 * treated as the wrapped one is: how far its ratio is from 1 is how much these figures are worth on
 * the machine.
 *
 * <p>A server is faster or slower than its like for as long as it lives, by where its threads came
 * to run. So one server has all the processors in turn, on the same threads and connections; and it
 * is started afresh some times, as the ratio might depend on that too.
 */
final class ServerThroughput implements Measurement {

  static final int CONNECTIONS = 4;
  private static final int BARE = 0;
  private static final int WRAPPED = 1;
  private static final int SAME = 2;

  /** Who is first, second and last. Each order is run there and back, so nobody gains by it. */
  private static final int[][] ORDERS = {
    {BARE, WRAPPED, SAME},
    {SAME, WRAPPED, BARE},
    {WRAPPED, SAME, BARE},
    {BARE, SAME, WRAPPED},
    {SAME, BARE, WRAPPED},
    {WRAPPED, BARE, SAME},
  };

  private static final int SERVERS = 8;
  private static final int WARM_UP_TURNS = 6;
  private static final int TURNS = 60;
  private static final int QUICK_TURNS = 18;
  private static final long ROUND_NANOS = 25_000_000;

  @Override
  public String name() {
    return "throughput";
  }

  @Override
  public List<Score> measure(boolean quick) throws Exception {
    ScheduledExecutorService reader = Executors.newSingleThreadScheduledExecutor();
    ExecutorService callers = Executors.newFixedThreadPool(CONNECTIONS);
    try (RedisProcess redis = RedisProcess.start();
        ThriftInterceptor interceptor =
            ThriftInterceptor.builder("bench")
                .redis(URI.create("redis://127.0.0.1:" + redis.port()))
                .metricRegistry(new MetricRegistry())
                .dependency("stock")
                .requires("text", "stock")
                .build()) {
      reader.scheduleAtFixedRate(ServerThroughput::readBeans, 0, 1, TimeUnit.SECONDS);
      List<Score> scores = new ArrayList<>();
      for (Loopback.Kind kind : Loopback.Kind.values()) {
        Ratios wrapped = new Ratios();
        Ratios same = new Ratios();
        for (int i = 0; i < SERVERS; i++) {
          try (Contenders contenders = new Contenders(kind, interceptor, callers)) {
            measure(contenders, quick ? QUICK_TURNS : TURNS, wrapped, same);
          }
        }
        String server = "throughput." + (kind == Loopback.Kind.HSHA ? "hsha" : "threadPool");
        scores.addAll(wrapped.scores(server + "Wrapped"));
        scores.addAll(same.scores(server + "Bare"));
      }
      return scores;
    } finally {
      callers.shutdownNow();
      reader.shutdownNow();
    }
  }

  private static void measure(Contenders contenders, int turns, Ratios wrapped, Ratios same)
      throws Exception {
    for (int turn = -WARM_UP_TURNS; turn < turns; turn++) {
      int[] order = ORDERS[Math.floorMod(turn, ORDERS.length)];
      Round[] there = new Round[order.length];
      Round[] back = new Round[order.length];
      for (int which : order) {
        there[which] = contenders.round(which);
      }
      for (int i = order.length - 1; i >= 0; i--) {
        back[order[i]] = contenders.round(order[i]);
      }
      if (turn >= 0) {
        wrapped.add(there[WRAPPED], back[WRAPPED], there[BARE], back[BARE]);
        same.add(there[SAME], back[SAME], there[BARE], back[BARE]);
      }
    }
  }

  /** What one processor did over what the bare one did in the same turn. */
  private static final class Ratios {
    private final List<Double> throughput = new ArrayList<>();
    private final List<Double> p99 = new ArrayList<>();
    private final List<Double> cpu = new ArrayList<>();

    void add(Round there, Round back, Round bareThere, Round bareBack) {
      throughput.add(
          (there.perSecond + back.perSecond) / (bareThere.perSecond + bareBack.perSecond));
      p99.add((there.p99Nanos + back.p99Nanos) / (bareThere.p99Nanos + bareBack.p99Nanos));
      cpu.add((there.cpuNanos + back.cpuNanos) / (bareThere.cpuNanos + bareBack.cpuNanos));
    }

    List<Score> scores(String contender) {
      return List.of(
          new Score(contender, CONNECTIONS, Paired.median(throughput), "x"),
          new Score(contender + "P99", CONNECTIONS, Paired.median(p99), "x"),
          new Score(contender + "Cpu", CONNECTIONS, Paired.median(cpu), "x"));
    }
  }

  private record Round(double perSecond, double p99Nanos, double cpuNanos) {}

  private static void readBeans() {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    try {
      for (ObjectName name : server.queryNames(new ObjectName("dev.thriftbreaker*:*"), null)) {
        for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
          server.getAttribute(name, attribute.getName());
        }
      }
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The processors that one server has in turn. Between two rounds it has nothing to do. */
  private static final class Contenders implements AutoCloseable {
    private final TProcessor[] processors = new TProcessor[ORDERS[0].length];
    private volatile TProcessor current;
    private final Loopback server;
    private final ExecutorService callers;
    private final List<Loopback.Connection> connections = new ArrayList<>();

    Contenders(Loopback.Kind kind, ThriftInterceptor interceptor, ExecutorService callers)
        throws Exception {
      processors[BARE] = Echoing.processor();
      processors[SAME] = Echoing.processor();
      processors[WRAPPED] = interceptor.wrap(Echoing.processor());
      current = processors[BARE];
      server = new Loopback(kind, CONNECTIONS, (in, out) -> current.process(in, out));
      this.callers = callers;
      for (int i = 0; i < CONNECTIONS; i++) {
        connections.add(server.connect(Message.SMALL));
      }
    }

    Round round(int which) throws Exception {
      current = processors[which];
      for (Loopback.Connection connection : connections) {
        connection.call(); // TThreadPoolServer waits for it within the processor before
      }
      long cpuBefore = server.cpuNanos();
      long start = System.nanoTime();
      List<Callable<long[]>> work = new ArrayList<>();
      connections.forEach(connection -> work.add(() -> callFor(connection, start)));
      List<Future<long[]>> done = callers.invokeAll(work);
      long nanos = System.nanoTime() - start;
      LongStream all = LongStream.empty();
      for (Future<long[]> one : done) {
        all = LongStream.concat(all, Arrays.stream(one.get()));
      }
      long[] sorted = all.sorted().toArray();
      double calls = sorted.length;
      return new Round(
          calls / nanos * 1e9,
          sorted[(int) (0.99 * calls)],
          (server.cpuNanos() - cpuBefore) / calls);
    }

    private static long[] callFor(Loopback.Connection connection, long start) throws IOException {
      long[] took = new long[1 << 16];
      int calls = 0;
      long now = System.nanoTime();
      do {
        connection.call();
        long then = now;
        now = System.nanoTime();
        took[calls++] = now - then;
      } while (now - start < ROUND_NANOS && calls < took.length);
      return Arrays.copyOf(took, calls);
    }

    @Override
    public void close() throws IOException {
      for (Loopback.Connection connection : connections) {
        connection.close();
      }
      server.close();
    }
  }
}
