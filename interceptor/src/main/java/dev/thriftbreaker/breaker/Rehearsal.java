package dev.thriftbreaker.breaker;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Opens and closes breakers that nobody uses, on a clock of their own, once in the life of a JVM.
 *
 * <p>Without it the first opening loads and links what it needs, texts above all. That takes 10 to
 * 20 milliseconds between the decision and the change, in which each call that has just timed out
 * makes room for one that will.
 */
final class Rehearsal {

  private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final AtomicBoolean DONE = new AtomicBoolean();

  private final AtomicLong clock = new AtomicLong(LONG_NANOS);
  private final CircuitBreaker breaker =
      new CircuitBreaker(
          "rehearsal", BreakerConfig.builder().build(), clock::get, () -> 0.5, () -> {});
  private final Set<BreakerState> seen = EnumSet.noneOf(BreakerState.class);

  private Rehearsal() {}

  /** Rehearses, unless that was done before. */
  static void once() {
    if (DONE.compareAndSet(false, true)) {
      hang();
      fail(LONG_NANOS);
      fail(1);
    }
  }

  /** Calls that hang, until it is closed again; returns the states there were. */
  static Set<BreakerState> hang() {
    Rehearsal rehearsal = new Rehearsal();
    for (int i = 0; i < 10; i++) {
      rehearsal.breaker.tryAcquire(rehearsal.clock.get());
    }
    rehearsal.pass(LONG_NANOS);
    return rehearsal.recover();
  }

  /** Calls that fail after so long, the same way. */
  static Set<BreakerState> fail(long eachNanos) {
    Rehearsal rehearsal = new Rehearsal();
    for (int i = 0; i < 2 * TripRule.BURST; i++) {
      rehearsal.call(eachNanos, Outcome.FAILURE);
    }
    return rehearsal.recover();
  }

  private Set<BreakerState> recover() {
    for (int i = 0; i < 20; i++) {
      call(1, Outcome.SUCCESS);
      pass(LONG_NANOS);
    }
    return seen;
  }

  private void call(long nanos, Outcome outcome) {
    long began = clock.get();
    long permit = breaker.tryAcquire(began);
    clock.addAndGet(nanos);
    if (permit >= 0) {
      Throwable error = outcome == Outcome.FAILURE ? new IllegalStateException() : null;
      breaker.complete(permit, outcome, began, error);
    } else {
      breaker.refusal(permit, began);
    }
    seen.add(breaker.state().kind());
  }

  private void pass(long nanos) {
    clock.addAndGet(nanos);
    breaker.tick();
    breaker.dispatch();
    seen.add(breaker.state().kind());
  }
}
