package dev.thriftbreaker.costs;

import com.alibaba.csp.sentinel.Entry;
import com.alibaba.csp.sentinel.SphU;
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
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.function.CheckedSupplier;
import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.Cell;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a guarded call costs that succeeds. The call itself does nothing. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@ThreadCounts({1, 2})
public class SuccessBenchmark {

  private static final String NAME = "inventory";
  private static final Long RESULT = 1L;
  private static final Callable<Long> CALL = () -> RESULT;
  private static final CheckedSupplier<Long> SUPPLIER = CALL::call;

  /** A breaker as users have it, with its housekeeping. */
  @State(Scope.Benchmark)
  public static class Ours {
    private ThriftInterceptor interceptor;
    private CircuitBreaker breaker;

    @Setup
    public void build() {
      interceptor = ThriftInterceptor.builder("costs").dependency(NAME).build();
      breaker = interceptor.breaker(NAME);
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
    private CircuitBreaker breaker;

    @Setup
    public void build() {
      interceptor = ThriftInterceptor.builder("costs").dependency(NAME).coarseClock(true).build();
      breaker = interceptor.breaker(NAME);
    }

    @TearDown
    public void close() {
      interceptor.close();
    }
  }

  /** One number that all threads change. */
  @State(Scope.Benchmark)
  public static class Shared {
    private final AtomicLong number = new AtomicLong();
  }

  /** resilience4j with each of its windows: the last 100 calls or seconds, locked or lock-free. */
  @State(Scope.Benchmark)
  public static class Resilience4j {
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker count =
        io.github.resilience4j.circuitbreaker.CircuitBreaker.ofDefaults(NAME);
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker countLockFree =
        lockFree(SlidingWindowType.COUNT_BASED);
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker time =
        io.github.resilience4j.circuitbreaker.CircuitBreaker.of(
            NAME,
            CircuitBreakerConfig.custom().slidingWindowType(SlidingWindowType.TIME_BASED).build());
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker timeLockFree =
        lockFree(SlidingWindowType.TIME_BASED);

    private static io.github.resilience4j.circuitbreaker.CircuitBreaker lockFree(
        SlidingWindowType type) {
      return io.github.resilience4j.circuitbreaker.CircuitBreaker.of(
          NAME,
          CircuitBreakerConfig.custom()
              .slidingWindow(100, 100, type, SlidingWindowSynchronizationStrategy.LOCK_FREE)
              .build());
    }
  }

  /** Failsafe on the failure rate of 10 s. */
  @State(Scope.Benchmark)
  public static class FailsafePeer {
    private final dev.failsafe.CircuitBreaker<Long> breaker =
        dev.failsafe.CircuitBreaker.<Long>builder()
            .withFailureRateThreshold(50, 20, Duration.ofSeconds(10))
            .build();
    private final FailsafeExecutor<Long> executor = Failsafe.with(breaker);
  }

  /** Sentinel on the ratio of exceptions. */
  @State(Scope.Benchmark)
  public static class Sentinel {
    @Setup
    public void load() {
      DegradeRuleManager.loadRules(
          List.of(
              new DegradeRule(NAME)
                  .setGrade(RuleConstant.DEGRADE_GRADE_EXCEPTION_RATIO)
                  .setCount(0.5)
                  .setMinRequestAmount(20)
                  .setStatIntervalMs(10_000)
                  .setTimeWindow(5)));
    }
  }

  /** A limit on calls in flight that follows their latency; it has no breaker. */
  @State(Scope.Benchmark)
  public static class Gradient2 {
    private final Limiter<Void> limiter =
        SimpleLimiter.newBuilder().limit(Gradient2Limit.newDefault()).build();
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
                    .withFallbackEnabled(false));
  }

  private static final class HystrixCall extends HystrixCommand<Long> {
    HystrixCall(Setter setter) {
      super(setter);
    }

    @Override
    protected Long run() {
      return RESULT;
    }
  }

  @Benchmark
  public void ours(Ours state) {
    call(state.breaker);
  }

  @Benchmark
  public void oursTicker(OursTicker state) {
    call(state.breaker);
  }

  static void call(CircuitBreaker breaker) {
    Cell mine = breaker.cell();
    long now = breaker.now();
    long permit = breaker.tryAcquire(mine, now, true);
    if (permit < 0) {
      throw new IllegalStateException(breaker + " refused");
    }
    breaker.complete(mine, permit, Outcome.SUCCESS, now, null);
  }

  @Benchmark
  public Long oursGuardCall(Ours state) throws Exception {
    return state.interceptor.call(NAME, CALL);
  }

  @Benchmark
  public void sharedCas(Shared state) {
    long seen;
    do {
      seen = state.number.get();
    } while (!state.number.compareAndSet(seen, seen + 1));
  }

  @Benchmark
  public Long resilience4jCount(Resilience4j state) throws Exception {
    return state.count.executeCallable(CALL);
  }

  @Benchmark
  public Long resilience4jCountLockFree(Resilience4j state) throws Exception {
    return state.countLockFree.executeCallable(CALL);
  }

  @Benchmark
  public Long resilience4jTime(Resilience4j state) throws Exception {
    return state.time.executeCallable(CALL);
  }

  @Benchmark
  public Long resilience4jTimeLockFree(Resilience4j state) throws Exception {
    return state.timeLockFree.executeCallable(CALL);
  }

  @Benchmark
  public Long failsafeExecutor(FailsafePeer state) {
    return state.executor.get(SUPPLIER);
  }

  @Benchmark
  public void failsafePermits(FailsafePeer state) {
    if (state.breaker.tryAcquirePermit()) {
      state.breaker.recordSuccess();
    }
  }

  @Benchmark
  @Warmup(iterations = 2, time = 1) // there is much to compile
  public Long sentinel(Sentinel state) throws BlockException {
    Entry entry = SphU.entry(NAME);
    try {
      return RESULT;
    } finally {
      entry.exit();
    }
  }

  @Benchmark
  public void gradient2(Gradient2 state) {
    state.limiter.acquire(null).orElseThrow().onSuccess();
  }

  @Benchmark
  @Warmup(iterations = 2, time = 1) // there is much to compile
  public Long hystrix(Hystrix state) {
    return new HystrixCall(state.setter).execute();
  }
}
