package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What guards do in the course of one asynchronous request, on whatever threads act for it, from
 * which its method learns when it ends.
 *
 * <p><b>Concurrency.</b> Shared is the latest step, which leads to all before it and is replaced by
 * compare-and-set. The first {@link #end} takes the steps; what comes later is not noted. Calls
 * made side by side are in the order in which they were noted.
 */
final class Trail {

  /** A request of more steps teaches nothing. */
  private static final int LONGEST = 64;

  private enum Kind {
    USE,
    REFUSAL,
    FAILURE
  }

  private record Step(Kind kind, CircuitBreaker breaker, Step before, int number) {

    boolean is(Kind other, CircuitBreaker otherBreaker) {
      return kind == other && breaker == otherBreaker;
    }
  }

  private static final Step OVER = new Step(null, null, null, 0);

  private final Requirements requirements;
  private final boolean watched;
  private final long startNanos;
  private final AtomicReference<Step> latest = new AtomicReference<>();

  Trail(Requirements requirements, boolean watched, long startNanos) {
    this.requirements = requirements;
    this.watched = watched;
    this.startNanos = startNanos;
  }

  Requirements requirements() {
    return requirements;
  }

  boolean isWatched() {
    return watched;
  }

  long startNanos() {
    return startNanos;
  }

  /** A guard was asked for a call. */
  void use(CircuitBreaker breaker) {
    for (Step step = latest.get(); step != null; step = step.before) {
      if (step.is(Kind.USE, breaker)) {
        return;
      }
    }
    add(Kind.USE, breaker);
  }

  /** A guard refused a call. */
  void refuse(CircuitBreaker breaker) {
    add(Kind.REFUSAL, breaker);
  }

  /** A guard saw a call fail. */
  void fail(CircuitBreaker breaker) {
    add(Kind.FAILURE, breaker);
  }

  private void add(Kind kind, CircuitBreaker breaker) {
    Step before;
    Step next;
    do {
      before = latest.get();
      if (before == OVER || before != null && before.is(kind, breaker)) {
        return;
      }
      int number = before == null ? 1 : before.number + 1;
      next = number > LONGEST ? OVER : new Step(kind, breaker, before, number);
    } while (!latest.compareAndSet(before, next));
  }

  /** The request ended. */
  void end(boolean succeeded) {
    Step last = latest.getAndSet(OVER);
    if (last == OVER || last == null && !watched) {
      return;
    }
    Step[] steps = new Step[last == null ? 0 : last.number];
    for (Step step = last; step != null; step = step.before) {
      steps[step.number - 1] = step;
    }
    Uses uses = new Uses(null);
    uses.begin(this);
    for (Step step : steps) {
      switch (step.kind) {
        case USE -> uses.use(step.breaker);
        case REFUSAL -> uses.refuse(step.breaker);
        case FAILURE -> uses.fail(step.breaker);
      }
    }
    uses.end(succeeded);
  }
}
