package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import java.time.Duration;

/** Breakers for tests. */
final class Breakers {

  private Breakers() {}

  static CircuitBreaker closed(String name) {
    return closed(name, BreakerConfig.DEFAULTS);
  }

  static CircuitBreaker closed(String name, BreakerConfig config) {
    return new CircuitBreaker(name, config, System::nanoTime, () -> 0.5, () -> {});
  }

  static void open(CircuitBreaker breaker) {
    breaker.apply(
        breaker.snapshot().sequence(),
        BreakerState.OPEN,
        Duration.ofSeconds(60),
        1,
        "test",
        "test");
  }

  static void close(CircuitBreaker breaker) {
    breaker.reset("test", "test");
  }
}
