package dev.thriftbreaker.breaker;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A bounded number of probes pass, the rest are refused.
 *
 * <p>Concurrency: every permit is a place in {@code leases}. A place holds 0 when free, else the
 * lease's number and deadline in one long, so taking, giving back, expiring and completing are each
 * one compare-and-set, of which exactly one thread wins. An outcome counts only if its lease still
 * holds the place.
 */
final class HalfOpenState extends State {

  static final int MAX_PROBES = 255;

  private static final int NUMBER_BITS = 16;
  private static final int NUMBER_MASK = (1 << NUMBER_BITS) - 1;

  private final AtomicLongArray leases;
  private final AtomicInteger numbers = new AtomicInteger();
  private final AtomicInteger successes = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicInteger slowProbes = new AtomicInteger();
  private final int failuresToReopen;

  HalfOpenState(CircuitBreaker breaker, long generation, long now, int consecutiveOpens) {
    super(breaker, generation, now, consecutiveOpens);
    BreakerConfig config = breaker.config();
    leases = new AtomicLongArray(config.probes());
    failuresToReopen =
        Math.max(1, (int) Math.ceil(config.probeFailureRateThreshold() * config.probes()));
  }

  @Override
  BreakerState kind() {
    return BreakerState.HALF_OPEN;
  }

  @Override
  long tryAcquire(long now) {
    for (int place = 0; place < leases.length(); place++) {
      long held = leases.get(place);
      if (!holds(held, now)) {
        int number = numbers.getAndIncrement() & NUMBER_MASK;
        if (leases.compareAndSet(place, held, lease(number, now))) {
          return permit() | (long) place << NUMBER_BITS | number;
        }
      }
    }
    return CircuitBreaker.REFUSED;
  }

  @Override
  boolean refuses(long now) {
    for (int place = 0; place < leases.length(); place++) {
      if (!holds(leases.get(place), now)) {
        return false;
      }
    }
    return true;
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    int place = (int) (permit >>> NUMBER_BITS) & MAX_PROBES;
    long held = leases.get(place);
    boolean current =
        held != 0 && (held & NUMBER_MASK) == (permit & NUMBER_MASK) && holds(held, now);
    if (!current || !leases.compareAndSet(place, held, 0)) {
      return false;
    }
    if (outcome == Outcome.IGNORED) {
      return true;
    }
    if (slow) {
      slowProbes.incrementAndGet();
    }
    if (outcome == Outcome.FAILURE || slow) {
      if (failures.incrementAndGet() >= failuresToReopen) {
        reopen(slow, now, error);
      }
    } else if (successes.incrementAndGet() >= breaker.config().probeSuccesses()) {
      breaker.close(this, Cause.LOCAL, successes.get() + " probes succeeded", "", now);
    }
    return true;
  }

  private void reopen(boolean slow, long now, Throwable error) {
    int failed = failures.get();
    String how = error != null ? error.getClass().getName() : slow ? "slow" : "failed result";
    Evidence evidence =
        new Evidence(
            "probe failed: " + how,
            failed + successes.get(),
            failed,
            slowProbes.get(),
            failed,
            error == null ? Map.of() : Map.of(error.getClass().getName(), (long) failed),
            breaker.configVersion());
    breaker.open(this, Cause.LOCAL, evidence, now);
  }

  private long lease(int number, long now) {
    long deadlineMillis = (now - sinceNanos + breaker.config().probeLease().toNanos()) / 1_000_000;
    return (Math.max(0, deadlineMillis) + 1) << NUMBER_BITS | number;
  }

  private boolean holds(long held, long now) {
    return held != 0 && (now - sinceNanos) / 1_000_000 < (held >>> NUMBER_BITS) - 1;
  }

  @Override
  void tick(long now) {
    // leases lapse when the next call asks for a place
  }

  /** Until the first lease lapses, if no probe ends before. */
  @Override
  long retryAfterNanos(long now) {
    long first = Long.MAX_VALUE;
    for (int place = 0; place < leases.length(); place++) {
      long held = leases.get(place);
      if (!holds(held, now)) {
        return 0;
      }
      first = Math.min(first, (held >>> NUMBER_BITS) - 1);
    }
    return Math.max(0, first * 1_000_000 - (now - sinceNanos));
  }

  @Override
  WindowCounts counts(long now) {
    long failed = failures.get();
    return new WindowCounts(failed + successes.get(), failed, slowProbes.get());
  }
}
