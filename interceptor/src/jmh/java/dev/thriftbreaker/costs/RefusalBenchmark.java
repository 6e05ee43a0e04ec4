package dev.thriftbreaker.costs;

import com.alibaba.csp.sentinel.Entry;
import com.alibaba.csp.sentinel.SphO;
import com.alibaba.csp.sentinel.SphU;
import com.alibaba.csp.sentinel.Tracer;
import com.alibaba.csp.sentinel.slots.block.BlockException;
import com.alibaba.csp.sentinel.slots.block.RuleConstant;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRule;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRuleManager;
import com.netflix.concurrency.limits.Limiter;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limiter.SimpleLimiter;
import com.netflix.hystrix.HystrixCommand;
import com.netflix.hystrix.HystrixCommandGroupKey;
import com.netflix.hystrix.HystrixCommandKey;
import com.netflix.hystrix.HystrixCommandProperties;
import com.netflix.hystrix.HystrixCommandProperties.ExecutionIsolationStrategy;
import com.netflix.hystrix.exception.HystrixRuntimeException;
import dev.failsafe.CircuitBreakerOpenException;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.function.CheckedSupplier;
import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.thrift.BreakerOpenException;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to refuse a call: the decision alone, and as an exception that the caller catches.
 * All breakers stay open for an hour.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@ThreadCounts({1, 2})
public class RefusalBenchmark {

  private static final String NAME = "inventory";
  private static final Duration OPEN = Duration.ofHours(1);
  private static final Callable<Long> CALL = () -> 1L;
  private static final CheckedSupplier<Long> SUPPLIER = CALL::call;

  /** A breaker as users have it, with its housekeeping. */
  @State(Scope.Benchmark)
  public static class Ours {
    private ThriftInterceptor interceptor;
    private CircuitBreaker open;
    private CircuitBreaker forcedOpen;
    private long now;

    @Setup
    public void build() {
      interceptor =
          ThriftInterceptor.builder("costs")
              .defaults(settings -> settings.openDuration(OPEN).maxOpenDuration(OPEN))
              .dependency(NAME)
              .dependency("forced")
              .build();
      open = interceptor.breaker(NAME);
      open.apply(open.snapshot().sequence(), BreakerState.OPEN, OPEN, 1, "benchmark", "");
      now = open.now();
      forcedOpen = interceptor.breaker("forced");
      forcedOpen.override(
          new ModeOverride(
              dev.thriftbreaker.breaker.Mode.FORCED_OPEN,
              forcedOpen.now() + OPEN.toNanos(),
              "benchmark",
              "",
              false));
    }

    @TearDown
    public void close() {
      interceptor.close();
    }
  }

  /** The same on a clock that ticks each millisecond. */
  @State(Scope.Benchmark)
  public static class OursTicker {
    private ThriftInterceptor interceptor;
    private CircuitBreaker open;

    @Setup
    public void build() {
      interceptor =
          ThriftInterceptor.builder("costs")
              .dependency(NAME, d -> d.openDuration(OPEN).maxOpenDuration(OPEN))
              .coarseClock(true)
              .build();
      open = interceptor.breaker(NAME);
      open.apply(open.snapshot().sequence(), BreakerState.OPEN, OPEN, 1, "benchmark", "");
    }

    @TearDown
    public void close() {
      interceptor.close();
    }
  }

  /** resilience4j as it comes, and with exceptions without a stack trace. */
  @State(Scope.Benchmark)
  public static class Resilience4j {
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker defaults = open(true);
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker noStack = open(false);

    private static io.github.resilience4j.circuitbreaker.CircuitBreaker open(boolean stackTrace) {
      io.github.resilience4j.circuitbreaker.CircuitBreaker breaker =
          io.github.resilience4j.circuitbreaker.CircuitBreaker.of(
              NAME,
              CircuitBreakerConfig.custom()
                  .waitDurationInOpenState(OPEN)
                  .writableStackTraceEnabled(stackTrace)
                  .build());
      breaker.transitionToOpenState();
      return breaker;
    }
  }

  /** Failsafe. */
  @State(Scope.Benchmark)
  public static class FailsafePeer {
    private final dev.failsafe.CircuitBreaker<Long> breaker =
        dev.failsafe.CircuitBreaker.<Long>builder().withDelay(OPEN).build();
    private final FailsafeExecutor<Long> executor = Failsafe.with(breaker);

    @Setup
    public void open() {
      breaker.open();
    }
  }

  /** Sentinel, tripped by one exception. */
  @State(Scope.Benchmark)
  public static class Sentinel {
    @Setup
    public void trip() throws BlockException {
      DegradeRuleManager.loadRules(
          List.of(
              new DegradeRule(NAME)
                  .setGrade(RuleConstant.DEGRADE_GRADE_EXCEPTION_RATIO)
                  .setCount(0.5)
                  .setMinRequestAmount(1)
                  .setStatIntervalMs(10_000)
                  .setTimeWindow((int) OPEN.toSeconds())));
      Entry entry = SphU.entry(NAME);
      Tracer.traceEntry(new IllegalStateException("trips"), entry);
      entry.exit();
    }
  }

  /** A limit on calls in flight that is reached. */
  @State(Scope.Benchmark)
  public static class Gradient2 {
    private final Limiter<Void> limiter =
        SimpleLimiter.newBuilder().limit(Gradient2Limit.newDefault()).build();

    @Setup
    public void fill() {
      while (limiter.acquire(null).isPresent()) {
        // takes one more
      }
    }
  }

  /** Hystrix on the caller's thread. */
  @State(Scope.Benchmark)
  public static class Hystrix {
    private final HystrixCommand.Setter setter =
        HystrixCommand.Setter.withGroupKey(HystrixCommandGroupKey.Factory.asKey("costs"))
            .andCommandKey(HystrixCommandKey.Factory.asKey(NAME))
            .andCommandPropertiesDefaults(
                HystrixCommandProperties.Setter()
                    .withExecutionIsolationStrategy(ExecutionIsolationStrategy.SEMAPHORE)
                    .withCircuitBreakerForceOpen(true)
                    .withFallbackEnabled(false));
  }

  private static final class HystrixCall extends HystrixCommand<Long> {
    HystrixCall(Setter setter) {
      super(setter);
    }

    @Override
    protected Long run() {
      return 1L;
    }
  }

  @Benchmark
  public long oursDecision(Ours state) {
    return refused(state.open.tryAcquire(state.open.now()));
  }

  @Benchmark
  public long oursDecisionTimeGiven(Ours state) {
    return refused(state.open.tryAcquire(state.now));
  }

  @Benchmark
  public long oursDecisionTicker(OursTicker state) {
    return refused(state.open.tryAcquire(state.open.now()));
  }

  @Benchmark
  public long oursForcedOpenTimeGiven(Ours state) {
    return refused(state.forcedOpen.tryAcquire(state.now));
  }

  @Benchmark
  public boolean oursRefusesTimeGiven(Ours state) {
    return state.open.refuses(state.now);
  }

  @Benchmark
  public Object oursException(Ours state) throws Exception {
    try {
      return passed(state.interceptor.call(NAME, CALL));
    } catch (BreakerOpenException e) {
      return e;
    }
  }

  @Benchmark
  public boolean resilience4jDecision(Resilience4j state) {
    return refused(state.defaults.tryAcquirePermission());
  }

  @Benchmark
  public Object resilience4jException(Resilience4j state) throws Exception {
    return exception(state.defaults);
  }

  @Benchmark
  public Object resilience4jExceptionNoStack(Resilience4j state) throws Exception {
    return exception(state.noStack);
  }

  private static Object exception(io.github.resilience4j.circuitbreaker.CircuitBreaker breaker)
      throws Exception {
    try {
      return passed(breaker.executeCallable(CALL));
    } catch (CallNotPermittedException e) {
      return e;
    }
  }

  @Benchmark
  public boolean failsafeDecision(FailsafePeer state) {
    return refused(state.breaker.tryAcquirePermit());
  }

  @Benchmark
  public Object failsafeException(FailsafePeer state) {
    try {
      return passed(state.executor.get(SUPPLIER));
    } catch (CircuitBreakerOpenException e) {
      return e;
    }
  }

  @Benchmark
  @Warmup(iterations = 2, time = 1) // there is much to compile
  public boolean sentinelDecision(Sentinel state) {
    return refused(SphO.entry(NAME));
  }

  @Benchmark
  @Warmup(iterations = 2, time = 1) // there is much to compile
  public Object sentinelException(Sentinel state) {
    try {
      return passed(SphU.entry(NAME));
    } catch (BlockException e) {
      return e;
    }
  }

  @Benchmark
  public boolean gradient2Decision(Gradient2 state) {
    return refused(state.limiter.acquire(null).isPresent());
  }

  @Benchmark
  @Warmup(iterations = 2, time = 1) // there is much to compile
  public Object hystrixException(Hystrix state) {
    try {
      return passed(new HystrixCall(state.setter).execute());
    } catch (HystrixRuntimeException e) {
      return e;
    }
  }

  private static long refused(long permit) {
    return permit < 0 ? permit : (Long) passed(permit);
  }

  private static boolean refused(boolean passed) {
    return passed ? (Boolean) passed(true) : false;
  }

  /** A breaker that is not open would make a fine figure. */
  private static Object passed(Object result) {
    throw new IllegalStateException("expected a refusal, got " + result);
  }
}
