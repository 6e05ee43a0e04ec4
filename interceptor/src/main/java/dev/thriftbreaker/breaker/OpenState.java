package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Calls are refused until the deadline; the first call or tick after it makes way for probes.
 *
 * <p>Until then one call now and then passes all the same, an early probe, so that a dependency
 * that is back is not kept waiting for a deadline that was a guess. As many in a row as a half-open
 * breaker asks for end the open state; one that fails says nothing new. While they succeed the next
 * one may follow at once.
 *
 * <p>Concurrency: the moment from which the next early probe may pass is taken by compare-and-set,
 * so one call gets it. For the places see {@link Leases}.
 */
final class OpenState extends State {

  final long openNanos;
  private final Leases leases;
  private final AtomicLong nextProbeNanos;
  private final AtomicInteger successes = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();

  OpenState(
      CircuitBreaker breaker, long generation, long now, int consecutiveOpens, long openNanos) {
    super(breaker, generation, now, consecutiveOpens);
    this.openNanos = openNanos;
    this.leases = new Leases(EarlyProbes.MOST, now);
    this.nextProbeNanos = new AtomicLong(now + intervalNanos());
  }

  private long intervalNanos() {
    return EarlyProbes.intervalNanos(breaker.config(), openNanos);
  }

  @Override
  BreakerState kind() {
    return BreakerState.OPEN;
  }

  @Override
  boolean probes() {
    return true;
  }

  @Override
  long tryAcquire(long now) {
    if (retryAfterNanos(now) == 0) {
      tick(now);
      return breaker.state().tryAcquire(now);
    }
    return isProbeDue(now) ? tryProbe(now) : CircuitBreaker.REFUSED;
  }

  private boolean isProbeDue(long now) {
    return now - nextProbeNanos.get() >= 0 && intervalNanos() > 0;
  }

  private long tryProbe(long now) {
    long due = nextProbeNanos.get();
    int place = freePlace(now);
    if (place < 0 || now - due < 0 || !nextProbeNanos.compareAndSet(due, now + intervalNanos())) {
      return CircuitBreaker.REFUSED;
    }
    int lease = leases.take(place, now, breaker.config().slowCallDuration().toNanos());
    return lease == Leases.NONE ? CircuitBreaker.REFUSED : permit() | lease;
  }

  /**
   * A place for an early probe, or -1. One whose probe hangs is free again when its time is over.
   */
  private int freePlace(long now) {
    if (EarlyProbes.tooManyHang(breaker.bulkhead(), 0)) {
      return -1;
    }
    int most = EarlyProbes.most(breaker);
    for (int place = 0; place < most; place++) {
      if (leases.takeBack(place, now)) {
        fail();
      }
      if (leases.isFree(place)) {
        return place;
      }
    }
    return -1;
  }

  private void fail() {
    failures.incrementAndGet();
    successes.set(0);
  }

  @Override
  boolean refuses(long now) {
    return retryAfterNanos(now) > 0 && !(isProbeDue(now) && freePlace(now) >= 0);
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    if (!leases.end(permit)) {
      return false;
    }
    if (outcome == Outcome.FAILURE || slow && outcome == Outcome.SUCCESS) {
      fail();
    } else if (outcome == Outcome.SUCCESS) {
      nextProbeNanos.set(now); // nothing speaks against the next one
      if (successes.incrementAndGet() >= breaker.config().probeSuccesses()) {
        breaker.recover(this, Cause.LOCAL, successes.get() + " early probes succeeded", "", now);
      }
    }
    return true;
  }

  @Override
  void tick(long now) {
    if (retryAfterNanos(now) == 0) {
      breaker.halfOpen(
          this, Cause.TIMER, "open time of " + openNanos / 1_000_000 + " ms is over", "", now);
    }
  }

  @Override
  long retryAfterNanos(long now) {
    return Math.max(0, openNanos - (now - sinceNanos));
  }

  /** The early probes. */
  @Override
  WindowCounts counts(long now) {
    long failed = failures.get();
    return failed + successes.get() == 0
        ? WindowCounts.EMPTY
        : new WindowCounts(failed + successes.get(), failed, 0);
  }
}
