package dev.thriftbreaker.costs;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Housekeeper;
import dev.thriftbreaker.breaker.Workers;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** How many guarded calls all threads together make on one breaker, processors being scarce. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Measurement(iterations = 1, time = 1) // so that each of many threads has its turns
@ThreadCounts({1, 2, 4, 16, 64})
public class ThreadsBenchmark {

  private static final Callable<Long> CALL = () -> 1L;

  /** A breaker with its housekeeper. */
  @State(Scope.Benchmark)
  public static class Ours {
    private Housekeeper housekeeper;
    private CircuitBreaker breaker;

    @Setup
    public void build() {
      housekeeper = new Housekeeper("costs", new Workers(null), false);
      breaker = housekeeper.breaker("inventory", BreakerConfig.DEFAULTS);
    }

    @TearDown
    public void close() {
      housekeeper.close();
    }
  }

  /** A breaker of resilience4j with its default window. */
  @State(Scope.Benchmark)
  public static class Resilience4j {
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker breaker =
        io.github.resilience4j.circuitbreaker.CircuitBreaker.ofDefaults("inventory");
  }

  @Benchmark
  public long clockTwice() {
    long start = System.nanoTime();
    return System.nanoTime() - start;
  }

  @Benchmark
  public void ours(Ours state) {
    SuccessBenchmark.call(state.breaker);
  }

  @Benchmark
  public Long resilience4j(Resilience4j state) throws Exception {
    return state.breaker.executeCallable(CALL);
  }
}
