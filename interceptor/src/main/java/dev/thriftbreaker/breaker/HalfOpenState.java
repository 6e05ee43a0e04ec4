package dev.thriftbreaker.breaker;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A bounded number of probes pass, the rest are refused.
 *
 * <p>A probe that does not end within {@code slowCallDuration} has failed then and there: its
 * permit is taken back, and what it says later counts for nothing. So hung probes neither keep the
 * breaker shut nor pile up beyond the bound.
 *
 * <p>Concurrency: every permit is a place in {@code leases}. A place holds 0 when free, else the
 * lease's number and deadline in one long, so taking, lapsing and completing are each one
 * compare-and-set, of which exactly one thread wins. An outcome counts only if its lease still
 * holds the place.
 */
final class HalfOpenState extends State {

  static final int MAX_PROBES = 255;

  /** So that 0.07 of 100 probes is 7, whatever the product of the two is in binary. */
  private static final double ROUNDING = 1e-9;

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
        Math.max(
            1, (int) Math.ceil(config.probeFailureRateThreshold() * config.probes() - ROUNDING));
  }

  @Override
  BreakerState kind() {
    return BreakerState.HALF_OPEN;
  }

  @Override
  long tryAcquire(long now) {
    for (int place = 0; place < leases.length(); place++) {
      if (lapses(leases.get(place), now)) {
        takeBack(place, now);
      }
      if (leases.get(place) == 0) {
        if (breaker.state() != this) {
          return breaker.state().tryAcquire(now); // that lapsed probe was one too many
        }
        int number = numbers.getAndIncrement() & NUMBER_MASK;
        if (leases.compareAndSet(place, 0, lease(number, now))) {
          return permit() | (long) place << NUMBER_BITS | number;
        }
      }
    }
    return CircuitBreaker.REFUSED;
  }

  @Override
  boolean refuses(long now) {
    for (int place = 0; place < leases.length(); place++) {
      if (leases.get(place) == 0) {
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
    boolean current = held != 0 && (held & NUMBER_MASK) == (permit & NUMBER_MASK);
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
      String how = error != null ? error.getClass().getName() : slow ? "slow" : "failed result";
      fail(how, error, now);
    } else if (successes.incrementAndGet() >= breaker.config().probeSuccesses()) {
      breaker.close(this, Cause.LOCAL, successes.get() + " probes succeeded", "", now);
    }
    return true;
  }

  @Override
  void tick(long now) {
    for (int place = 0; place < leases.length(); place++) {
      if (lapses(leases.get(place), now)) {
        takeBack(place, now);
      }
    }
  }

  private void takeBack(int place, long now) {
    long held = leases.get(place);
    if (lapses(held, now) && leases.compareAndSet(place, held, 0)) {
      slowProbes.incrementAndGet();
      fail("no answer within " + breaker.config().slowCallDuration().toMillis() + " ms", null, now);
    }
  }

  private void fail(String how, Throwable error, long now) {
    int failed = failures.incrementAndGet();
    if (failed < failuresToReopen) {
      return;
    }
    Evidence evidence =
        new Evidence(
            "probe failed: " + how,
            failed + successes.get(),
            failed,
            slowProbes.get(),
            failed,
            error == null ? Map.of() : Map.of(error.getClass().getName(), 1L),
            breaker.configVersion());
    breaker.open(this, Cause.LOCAL, evidence, now);
  }

  private long lease(int number, long now) {
    long deadlineNanos = now - sinceNanos + breaker.config().slowCallDuration().toNanos();
    return Math.max(1, (deadlineNanos + 999_999) / 1_000_000) << NUMBER_BITS | number;
  }

  private boolean lapses(long held, long now) {
    return held != 0 && (now - sinceNanos) / 1_000_000 >= held >>> NUMBER_BITS;
  }

  /** Until the first lease lapses, if no probe ends before. */
  @Override
  long retryAfterNanos(long now) {
    long first = Long.MAX_VALUE;
    for (int place = 0; place < leases.length(); place++) {
      long held = leases.get(place);
      if (held == 0) {
        return 0;
      }
      first = Math.min(first, held >>> NUMBER_BITS);
    }
    return Math.max(0, first * 1_000_000 - (now - sinceNanos));
  }

  @Override
  WindowCounts counts(long now) {
    long failed = failures.get();
    return new WindowCounts(failed + successes.get(), failed, slowProbes.get());
  }
}
