package dev.thriftbreaker.faults;

import dev.thriftbreaker.faults.gen.Dependency;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import org.apache.thrift.TException;

/** resilience4j: a circuit breaker, around it a bulkhead, inside it a time limiter. */
final class Resilience4j {

  private Resilience4j() {}

  /** As it comes, but for the open time. */
  static Guarding defaults(Site site) {
    return breaker(site, CircuitBreakerConfig.custom());
  }

  static Guarding tuned(Site site) {
    return breaker(site, tuning());
  }

  static Guarding tuned(Site site, int cap) {
    return bulkhead(cap, tuned(site));
  }

  static Guarding timeLimited(Site site, int cap) {
    ExecutorService executor = Executors.newCachedThreadPool();
    TimeLimiter limiter = TimeLimiter.of(Variant.SLOW);
    Guarding guarded = tuned(site, cap);
    return (dependency, client) ->
        guarded.guard(dependency, number -> limited(limiter, executor, () -> client.get(number)));
  }

  static Guarding bulkheadOnly(int cap) {
    return bulkhead(cap, (dependency, client) -> client);
  }

  /** Ours where it has the same setting, else what its users take against hung probes. */
  static CircuitBreakerConfig.Builder tuning() {
    return CircuitBreakerConfig.custom()
        .slidingWindowType(SlidingWindowType.TIME_BASED)
        .slidingWindowSize(10)
        .minimumNumberOfCalls(20)
        .failureRateThreshold(50)
        .slowCallDurationThreshold(Variant.SLOW)
        .slowCallRateThreshold(80)
        .permittedNumberOfCallsInHalfOpenState(5)
        .maxWaitDurationInHalfOpenState(Variant.OPEN);
  }

  private static Guarding breaker(Site site, CircuitBreakerConfig.Builder settings) {
    CircuitBreakerConfig config = settings.waitDurationInOpenState(Variant.OPEN).build();
    return (dependency, client) -> {
      CircuitBreaker breaker = CircuitBreaker.of(dependency, config);
      breaker
          .getEventPublisher()
          .onStateTransition(
              event -> {
                if (event.getStateTransition().getToState() == CircuitBreaker.State.OPEN) {
                  site.trips().add(dependency);
                }
              });
      return number -> call(() -> breaker.executeCallable(() -> client.get(number)));
    };
  }

  private static Guarding bulkhead(int cap, Guarding inner) {
    BulkheadConfig config = BulkheadConfig.custom().maxConcurrentCalls(cap).build();
    return (dependency, client) -> {
      Bulkhead bulkhead = Bulkhead.of(dependency, config);
      Dependency.Iface guarded = inner.guard(dependency, client);
      return number -> call(() -> bulkhead.executeCallable(() -> guarded.get(number)));
    };
  }

  private static long limited(TimeLimiter limiter, ExecutorService executor, Callable<Long> body)
      throws TException {
    return call(
        () -> {
          try {
            return limiter.executeFutureSupplier(() -> executor.submit(body));
          } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
          }
        });
  }

  private static long call(Callable<Long> body) throws TException {
    try {
      return body.call();
    } catch (CallNotPermittedException | BulkheadFullException e) {
      throw new ShedException();
    } catch (TimeoutException e) {
      throw new TException(e);
    } catch (TException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
