package dev.thriftbreaker.costs;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.BreakerOpenException;
import dev.thriftbreaker.thrift.Downstream;
import dev.thriftbreaker.thrift.FallbackOn;
import dev.thriftbreaker.thrift.Guard;
import dev.thriftbreaker.thrift.gen.Stock;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.TException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What a refusal by a guard costs, from the call to the handler that catches it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@ThreadCounts({1, 2})
public class GuardRefusalBenchmark {

  private static final Duration LONG = Duration.ofHours(1);

  private final CircuitBreaker breaker =
      new CircuitBreaker(
          "stock",
          BreakerConfig.builder()
              .openDuration(LONG)
              .maxOpenDuration(LONG)
              .earlyProbeInterval(Duration.ZERO)
              .build(),
          System::nanoTime,
          () -> 0.5,
          () -> {});
  private final Downstream downstream = new Downstream(breaker);
  private final Callable<Long> body = () -> 7L;
  private Stock.Iface guarded;
  private Callable<Long> peer;

  /** Opens the breakers. */
  @Setup
  public void open() {
    guarded =
        Guard.of(
            downstream, Stock.Iface.class, new Stock.Client(null, null), null, FallbackOn.REFUSAL);
    breaker.apply(breaker.snapshot().sequence(), BreakerState.OPEN, LONG, 1, "benchmark", "");
    var other = io.github.resilience4j.circuitbreaker.CircuitBreaker.ofDefaults("stock");
    other.transitionToForcedOpenState();
    peer = io.github.resilience4j.circuitbreaker.CircuitBreaker.decorateCallable(other, body);
  }

  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private long callIface() throws TException {
    return guarded.ping(1);
  }

  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private long callDependency() throws Exception {
    return Guard.call(downstream, body);
  }

  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private long callPeer() throws Exception {
    return peer.call();
  }

  /** A guarded interface; the exception leaves one frame that is not inlined. */
  @Benchmark
  public Object iface() throws Exception {
    try {
      return callIface();
    } catch (BreakerOpenException refused) {
      return refused;
    }
  }

  /** A guarded call of anything; the exception leaves one frame that is not inlined. */
  @Benchmark
  public Object call() throws Exception {
    try {
      return callDependency();
    } catch (BreakerOpenException refused) {
      return refused;
    }
  }

  @Benchmark
  public Object resilience4j() throws Exception {
    try {
      return callPeer();
    } catch (CallNotPermittedException refused) {
      return refused;
    }
  }
}
