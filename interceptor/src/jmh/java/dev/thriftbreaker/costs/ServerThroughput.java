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
 * metrics, a reader of all MBeans each second, and state kept in Redis. The two take turns in short
 * rounds; the score is the median of the rounds' ratios. A second bare server takes turns as well:
 * how far its ratio is from 1 is how much these figures are worth on the machine.
 */
final class ServerThroughput implements Measurement {

  static final int CONNECTIONS = 4;
  private static final int WARM_UP_ROUNDS = 30;
  private static final long ROUND_NANOS = 50_000_000;

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
        TProcessor bare = Echoing.processor();
        try (Contender one = new Contender(kind, bare, callers);
            Contender same = new Contender(kind, bare, callers);
            Contender wrapped = new Contender(kind, interceptor.wrap(bare), callers)) {
          scores.addAll(measure(kind, quick ? 60 : 200, one, wrapped, same));
        }
      }
      return scores;
    } finally {
      callers.shutdownNow();
      reader.shutdownNow();
    }
  }

  private static List<Score> measure(
      Loopback.Kind kind, int rounds, Contender bare, Contender wrapped, Contender same)
      throws Exception {
    Ratios ofWrapped = new Ratios();
    Ratios ofSame = new Ratios();
    for (int i = -WARM_UP_ROUNDS; i < rounds; i++) {
      Round before = bare.round();
      Round one = (i % 2 == 0 ? wrapped : same).round();
      Round after = bare.round();
      Round other = (i % 2 == 0 ? same : wrapped).round();
      Round last = bare.round();
      if (i >= 0) {
        (i % 2 == 0 ? ofWrapped : ofSame).add(one, before, after);
        (i % 2 == 0 ? ofSame : ofWrapped).add(other, after, last);
      }
    }
    String server = "throughput." + (kind == Loopback.Kind.HSHA ? "hsha" : "threadPool");
    List<Score> scores = new ArrayList<>(ofWrapped.scores(server + "Wrapped"));
    scores.addAll(ofSame.scores(server + "Bare"));
    return scores;
  }

  /** What one server did over what the bare one did just before and after. */
  private static final class Ratios {
    private final List<Double> throughput = new ArrayList<>();
    private final List<Double> p99 = new ArrayList<>();
    private final List<Double> cpu = new ArrayList<>();

    void add(Round round, Round before, Round after) {
      throughput.add(2 * round.perSecond / (before.perSecond + after.perSecond));
      p99.add(2 * round.p99Nanos / (before.p99Nanos + after.p99Nanos));
      cpu.add(2 * round.cpuNanos / (before.cpuNanos + after.cpuNanos));
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

  private static final class Contender implements AutoCloseable {
    private final Loopback server;
    private final ExecutorService callers;
    private final List<Loopback.Connection> connections = new ArrayList<>();

    Contender(Loopback.Kind kind, TProcessor processor, ExecutorService callers) throws Exception {
      server = new Loopback(kind, CONNECTIONS, processor);
      this.callers = callers;
      for (int i = 0; i < CONNECTIONS; i++) {
        connections.add(server.connect(Message.SMALL));
      }
    }

    Round round() throws Exception {
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
