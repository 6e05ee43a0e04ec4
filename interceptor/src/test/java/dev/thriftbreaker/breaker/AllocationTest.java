package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class AllocationTest {

  private static final int CALLS = 200_000;

  @Test
  void aCallThatSucceedsAllocatesNothing() {
    CircuitBreaker breaker =
        new CircuitBreaker("inventory", BreakerConfig.DEFAULTS, () -> 1, () -> 0.5, () -> {});
    calls(breaker);
    assertThat(allocatedBy(() -> calls(breaker))).isLessThan(CALLS / 100);
  }

  @Test
  void aRefusalAllocatesNothing() {
    CircuitBreaker breaker =
        new CircuitBreaker("inventory", BreakerConfig.DEFAULTS, () -> 1, () -> 0.5, () -> {});
    for (int i = 0; i < 5; i++) {
      breaker.complete(breaker.tryAcquire(1), Outcome.FAILURE, 1, null);
    }
    refusals(breaker);
    assertThat(allocatedBy(() -> refusals(breaker))).isLessThan(CALLS / 100);
  }

  private static void calls(CircuitBreaker breaker) {
    for (int i = 0; i < CALLS; i++) {
      breaker.complete(breaker.tryAcquire(1), Outcome.SUCCESS, 1, null);
    }
  }

  private static void refusals(CircuitBreaker breaker) {
    for (int i = 0; i < CALLS; i++) {
      if (breaker.tryAcquire(1) != CircuitBreaker.REFUSED) {
        throw new AssertionError("passed");
      }
    }
  }

  private static long allocatedBy(Runnable work) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    work.run();
    return threads.getCurrentThreadAllocatedBytes() - before;
  }
}
