package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A growing share of calls passes, so that a dependency that has just come back is not met by all
 * its callers at once. The share doubles after each healthy interval, or as soon as {@value #PROOF}
 * calls have ended in it and all of them well; it falls back to half after an interval that was not
 * healthy, and at 1 the breaker closes. What trips a closed breaker trips this one.
 *
 * <p>Concurrency: a step of the ramp is one object, replaced by the tick. Which calls pass is
 * decided from two counts, of the calls that came and of those that passed, so that every k-th
 * passes and not k at once; racing calls may be one more than the share allows, which the next ones
 * make good. {@link #refuses} and {@link #tryAcquire} ask the same question, so a request that
 * passes the door finds the guard open.
 */
final class RampingState extends JudgingState {

  /** So that the eleventh call at a share of 0.1 passes, whatever the product is in binary. */
  private static final double ROUNDING = 1e-9;

  /** So many calls that end well, and none that does not, need not be waited for any longer. */
  private static final int PROOF = 10;

  private static final class Step {
    final double share;
    final long startNanos;
    final AtomicLong came = new AtomicLong();
    final AtomicLong passed = new AtomicLong();
    final AtomicLong ended = new AtomicLong();
    final AtomicLong failed = new AtomicLong();

    Step(double share, long startNanos) {
      this.share = share;
      this.startNanos = startNanos;
    }

    /** Whether its calls have shown already that all is well. */
    boolean isProven() {
      return failed.get() == 0 && ended.get() >= PROOF;
    }

    boolean isFull() {
      return passed.get() > share * came.get() + ROUNDING;
    }
  }

  private final AtomicReference<Step> step;

  RampingState(CircuitBreaker breaker, long generation, long now, int consecutiveOpens) {
    super(breaker, generation, now, consecutiveOpens);
    step = new AtomicReference<>(new Step(breaker.config().rampStart(), now));
  }

  /** The share of calls that pass. */
  double share() {
    return step.get().share;
  }

  @Override
  BreakerState kind() {
    return BreakerState.RAMPING;
  }

  @Override
  long tryAcquire(long now) {
    Step current = step.get();
    if (current.isFull()) {
      return CircuitBreaker.REFUSED;
    }
    current.came.getAndIncrement();
    current.passed.getAndIncrement();
    return permit();
  }

  @Override
  boolean refuses(long now) {
    return step.get().isFull();
  }

  @Override
  void countRefusal() {
    step.get().came.getAndIncrement();
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    Step current = step.get();
    if (outcome != Outcome.IGNORED) {
      current.ended.getAndIncrement();
      if (slow || outcome == Outcome.FAILURE) {
        current.failed.getAndIncrement();
      }
    }
    return super.complete(permit, mine, outcome, slow, now, error);
  }

  @Override
  void recordHung(long now) {
    step.get().ended.getAndIncrement();
    step.get().failed.getAndIncrement();
    super.recordHung(now);
  }

  @Override
  void tick(long now) {
    super.tick(now);
    BreakerConfig config = breaker.config();
    Step current = step.get();
    if (now - current.startNanos < config.rampInterval().toNanos() && !current.isProven()) {
      return;
    }
    double next =
        nextShare(
            current.share,
            config.rampStart(),
            current.ended.get(),
            current.failed.get(),
            config.failureRateThreshold());
    if (next >= 1) {
      breaker.close(this, Cause.TIMER, "the ramp is over", "", now);
    } else {
      step.compareAndSet(current, new Step(next, now));
    }
  }

  /**
   * The share after an interval: twice as much if it was healthy, which is to say that its calls
   * failed at less than half the rate that opens a breaker; else half as much.
   */
  static double nextShare(
      double share, double start, long ended, long failed, double failureRateThreshold) {
    boolean healthy = failed == 0 || failed < 0.5 * failureRateThreshold * ended;
    return healthy ? 2 * share : Math.max(start, share / 2);
  }

  @Override
  long retryAfterNanos(long now) {
    return Math.max(0, breaker.config().rampInterval().toNanos() - (now - step.get().startNanos));
  }
}
