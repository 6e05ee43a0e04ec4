package dev.thriftbreaker.faults;

import dev.failsafe.Bulkhead;
import dev.failsafe.CircuitBreaker;
import dev.failsafe.CircuitBreakerOpenException;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.Timeout;
import dev.thriftbreaker.faults.gen.Dependency;
import java.time.Duration;
import org.apache.thrift.TException;

/**
 * Failsafe: a circuit breaker on the failure rate of 10 s, around it a bulkhead, inside a timeout.
 */
final class FailsafePeer {

  private FailsafePeer() {}

  static Guarding breaker(Site site) {
    return (dependency, client) -> guard(Failsafe.with(circuit(site, dependency)), client);
  }

  /**
   * The bulkhead is used by its permits: as a policy, version 3.3.2 loses one with each refusal
   * (failsafe issue 393) and soon refuses all.
   */
  static Guarding full(Site site, int cap) {
    return (dependency, client) -> {
      Timeout<Long> timeout = Timeout.<Long>builder(Variant.SLOW).withInterrupt().build();
      Dependency.Iface guarded = guard(Failsafe.with(circuit(site, dependency), timeout), client);
      Bulkhead<Long> bulkhead = Bulkhead.of(cap);
      return number -> {
        if (!bulkhead.tryAcquirePermit()) {
          throw new ShedException();
        }
        try {
          return guarded.get(number);
        } finally {
          bulkhead.releasePermit();
        }
      };
    };
  }

  private static CircuitBreaker<Long> circuit(Site site, String dependency) {
    return CircuitBreaker.<Long>builder()
        .withFailureRateThreshold(50, 20, Duration.ofSeconds(10))
        .withDelay(Variant.OPEN)
        .withSuccessThreshold(3)
        .onOpen(event -> site.trips().add(dependency))
        .build();
  }

  private static Dependency.Iface guard(FailsafeExecutor<Long> executor, Dependency.Iface client) {
    return number -> {
      try {
        return executor.get(() -> client.get(number));
      } catch (CircuitBreakerOpenException e) {
        throw new ShedException();
      } catch (FailsafeException e) {
        throw e.getCause() instanceof TException cause ? cause : new TException(e);
      }
    };
  }
}
