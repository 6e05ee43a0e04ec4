package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import java.time.Duration;

/** Breakers for tests. */
final class Breakers {

  private Breakers() {}

  /** At the defaults, but that no call passes while it is open and all do once it is closed. */
  static CircuitBreaker closed(String name) {
    return closed(
        name,
        BreakerConfig.builder()
            .earlyProbeInterval(Duration.ZERO)
            .rampInterval(Duration.ZERO)
            .build());
  }

  static CircuitBreaker closed(String name, BreakerConfig config) {
    return new CircuitBreaker(name, config, System::nanoTime, () -> 0.5, () -> {});
  }

  static void open(CircuitBreaker breaker) {
    long sequence = breaker.snapshot().sequence();
    breaker.apply(sequence, BreakerState.OPEN, Duration.ofSeconds(60), 1, "test", "test");
  }

  static void close(CircuitBreaker breaker) {
    breaker.reset("test", "test");
  }
}
