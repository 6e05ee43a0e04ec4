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
 * passes and not k at once. The second is counted by compare-and-set, so racing calls are no more
 * than the share allows. A reservation counts as a call that came and passed, but for calls that
 * come without one; one that is given back did neither.
 */
final class RampingState extends JudgingState {

  /** So that the eleventh call at a share of 0.1 passes, whatever the product is in binary. */
  private static final double ROUNDING = 1e-9;

  /** So many calls that end well, and none that does not, need not be waited for any longer. */
  private static final int PROOF = 10;

  private static final int RESERVED_SHIFT = 32;
  private static final long RESERVED = 1L << RESERVED_SHIFT;

  private static final class Step {
    final int number;
    final double share;
    final long startNanos;
    final AtomicLong came = new AtomicLong();

    /** How many passed and, in the upper half, for how many more a place is reserved. */
    final AtomicLong passed = new AtomicLong();

    final AtomicLong ended = new AtomicLong();
    final AtomicLong failed = new AtomicLong();

    Step(int number, double share, long startNanos) {
      this.number = number;
      this.share = share;
      this.startNanos = startNanos;
    }

    boolean gave(long reservation) {
      return Permits.lease(number) == Permits.lease(reservation);
    }

    /** Whether its calls have shown already that all is well. */
    boolean isProven() {
      return failed.get() == 0 && ended.get() >= PROOF;
    }

    /** Whether a further reservation would be more than the share. */
    boolean isFull() {
      return isFull(passed.get());
    }

    private boolean isFull(long counts) {
      long waiting = reserved(counts);
      return isMore(passed(counts) + waiting, came.get() + waiting);
    }

    private boolean isMore(long passing, long coming) {
      return passing > share * coming + ROUNDING;
    }

    boolean reserve() {
      long counts;
      do {
        counts = passed.get();
        if (isFull(counts)) {
          return false;
        }
      } while (!passed.compareAndSet(counts, counts + RESERVED));
      return true;
    }

    void unreserve() {
      passed.getAndAdd(-RESERVED);
    }

    void pass() {
      passed.getAndAdd(1 - RESERVED);
      came.getAndIncrement(); // last: in between, too few pass and not too many
    }

    boolean tryPass() {
      long counts;
      do {
        counts = passed.get();
        if (isMore(passed(counts), came.get())) {
          return false;
        }
      } while (!passed.compareAndSet(counts, counts + 1));
      came.getAndIncrement();
      return true;
    }

    int reserved() {
      return (int) reserved(passed.get());
    }

    private static long passed(long counts) {
      return counts & RESERVED - 1;
    }

    private static long reserved(long counts) {
      return counts >>> RESERVED_SHIFT;
    }
  }

  private final AtomicReference<Step> step;

  RampingState(CircuitBreaker breaker, long generation, long now, int consecutiveOpens) {
    super(breaker, generation, now, consecutiveOpens);
    step = new AtomicReference<>(new Step(0, breaker.config().rampStart(), now));
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
    return current.tryPass() ? permit() : CircuitBreaker.REFUSED;
  }

  @Override
  long reserve(long now) {
    Step current = step.get();
    return current.reserve() ? permit() | Permits.lease(current.number) : CircuitBreaker.REFUSED;
  }

  @Override
  boolean begin(long reservation, long now) {
    Step current = step.get();
    if (current.gave(reservation)) {
      current.pass();
    }
    return true;
  }

  @Override
  void giveBack(long reservation, long now) {
    Step current = step.get();
    if (current.gave(reservation)) {
      current.unreserve();
    }
  }

  @Override
  int reserved() {
    return step.get().reserved();
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
      step.compareAndSet(current, new Step(current.number + 1, next, now));
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
