package dev.thriftbreaker.costs;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Housekeeper;
import dev.thriftbreaker.breaker.Workers;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What a guarded call costs where there are many breakers, called in random order. What many
 * counters cost shows how much of it is the memory's: of 10,000 of anything, few are in the caches
 * of the processor.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ManyBreakersBenchmark {

  private static final Callable<Long> CALL = () -> 1L;

  /** Which one is next, for each thread by itself. */
  @State(Scope.Thread)
  public static class Order {
    private int random = System.identityHashCode(this) | 1;

    private int next(int bound) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      return (int) ((random & 0xffff_ffffL) * bound >>> 32);
    }
  }

  /** Breakers with one housekeeper. */
  @State(Scope.Benchmark)
  public static class Ours {
    @Param({"1", "100", "10000"})
    private int number;

    private Housekeeper housekeeper;
    private CircuitBreaker[] breakers;

    @Setup
    public void build() {
      housekeeper = new Housekeeper("costs", new Workers(null), false);
      housekeeper.start();
      breakers = new CircuitBreaker[number];
      for (int i = 0; i < number; i++) {
        breakers[i] = housekeeper.breaker("dependency-" + i, BreakerConfig.DEFAULTS);
      }
    }

    @TearDown
    public void close() {
      housekeeper.close();
    }
  }

  /** Breakers of resilience4j with its default window. */
  @State(Scope.Benchmark)
  public static class Resilience4j {
    @Param({"1", "100", "10000"})
    private int number;

    private io.github.resilience4j.circuitbreaker.CircuitBreaker[] breakers;

    @Setup
    public void build() {
      breakers = new io.github.resilience4j.circuitbreaker.CircuitBreaker[number];
      for (int i = 0; i < number; i++) {
        breakers[i] =
            io.github.resilience4j.circuitbreaker.CircuitBreaker.ofDefaults("dependency-" + i);
      }
    }
  }

  /** Counters that share no cache line. */
  @State(Scope.Benchmark)
  public static class Counters {
    private static final int PADDED = 16;

    @Param({"1", "100", "10000"})
    private int number;

    private AtomicLongArray counters;

    @Setup
    public void build() {
      counters = new AtomicLongArray(number * PADDED);
    }
  }

  @Benchmark
  public long paddedCounter(Counters state, Order order) {
    return state.counters.incrementAndGet(order.next(state.number) * Counters.PADDED);
  }

  @Benchmark
  public void ours(Ours state, Order order) {
    SuccessBenchmark.call(state.breakers[order.next(state.number)]);
  }

  @Benchmark
  public Long resilience4j(Resilience4j state, Order order) throws Exception {
    return state.breakers[order.next(state.number)].executeCallable(CALL);
  }
}
