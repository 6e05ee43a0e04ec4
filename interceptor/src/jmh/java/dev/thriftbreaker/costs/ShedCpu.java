package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.gen.Echo;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.thrift.TProcessor;

/**
 * The processor time that a server's threads use for a request that is shed, over that for a
 * request to an empty handler: at the door, and by an exception of resilience4j's in the handler.
 * The contenders take turns in short rounds; the score is the median of the rounds' ratios.
 */
final class ShedCpu implements Measurement {

  private static final String EMPTY = "shedCpu.emptyHandler";
  private static final int CALLS = 2_000;

  @Override
  public String name() {
    return "shedCpu";
  }

  @Override
  public List<Score> measure(boolean quick) throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("bench")
            .dependency("stock", stock -> stock.earlyProbeInterval(Duration.ZERO))
            .requires("text", "stock")
            .build()) {
      CircuitBreaker stock = interceptor.breaker("stock");
      long sequence = stock.snapshot().sequence();
      stock.apply(sequence, BreakerState.OPEN, Duration.ofDays(1), 1, "benchmark", "benchmark");
      TProcessor bare = Echoing.processor();
      try (Contender empty = new Contender(bare, Message.PING);
          Contender ours = new Contender(interceptor.wrap(bare), Message.SMALL);
          Contender theirs = new Contender(new Echo.Processor<>(new Refusing()), Message.SMALL)) {
        return measure(quick ? 15 : 60, empty, Map.of("ours", ours, "resilience4j", theirs));
      }
    }
  }

  private static List<Score> measure(int rounds, Contender empty, Map<String, Contender> others)
      throws IOException {
    Map<String, List<Double>> ratios = new LinkedHashMap<>();
    List<Double> emptyNanos = new ArrayList<>();
    for (int i = -5; i < rounds; i++) {
      double before = empty.nanosPerCall();
      for (Map.Entry<String, Contender> other : others.entrySet()) {
        double nanos = other.getValue().nanosPerCall();
        double after = empty.nanosPerCall();
        if (i >= 0) {
          ratios
              .computeIfAbsent(other.getKey(), name -> new ArrayList<>())
              .add(2 * nanos / (before + after));
          emptyNanos.add(after);
        }
        before = after;
      }
    }
    List<Score> scores = new ArrayList<>();
    scores.add(new Score(EMPTY, 1, Paired.median(emptyNanos), "ns/op"));
    ratios.forEach(
        (name, all) -> scores.add(new Score("shedCpu." + name, 1, Paired.median(all), "x")));
    return scores;
  }

  /** Refuses every call by a breaker that is open. */
  private static final class Refusing extends Echo.Client {
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker breaker =
        io.github.resilience4j.circuitbreaker.CircuitBreaker.ofDefaults("stock");

    Refusing() {
      super(null);
      breaker.transitionToForcedOpenState();
    }

    @Override
    public String text(String value) {
      return breaker.executeSupplier(() -> value);
    }
  }

  private static final class Contender implements AutoCloseable {
    private final Loopback server;
    private final Loopback.Connection connection;

    Contender(TProcessor processor, Message message) throws Exception {
      server = new Loopback(Loopback.Kind.THREAD_POOL, 1, processor);
      connection = server.connect(message);
    }

    double nanosPerCall() throws IOException {
      long before = server.cpuNanos();
      for (int i = 0; i < CALLS; i++) {
        connection.call();
      }
      return (server.cpuNanos() - before) / (double) CALLS;
    }

    @Override
    public void close() throws IOException {
      connection.close();
      server.close();
    }
  }
}
