package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Calls are refused until the deadline; the first call or tick after it makes way for probes.
 *
 * <p>Until then one call now and then passes all the same, an early probe, so that a dependency
 * that is back is not kept waiting for a deadline that was a guess. As many in a row as a half-open
 * breaker asks for end the open state; one that fails says nothing new. While they succeed the next
 * one may follow at once; while some hang, the next one waits for longer.
 *
 * <p>Concurrency: the moment from which the next early probe may pass is taken by compare-and-set,
 * so one call gets it, or one reservation, and then the first call that asks for it or finds no
 * other.
 */
final class OpenState extends State {

  final long openNanos;
  private final AtomicLong nextProbeNanos;
  private final AtomicInteger reserved = new AtomicInteger();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger successes = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();

  OpenState(
      CircuitBreaker breaker, long generation, long now, int consecutiveOpens, long openNanos) {
    super(breaker, generation, now, consecutiveOpens);
    this.openNanos = openNanos;
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
    long permit = isProbeDue(now) ? tryProbe(now) : CircuitBreaker.REFUSED;
    if (permit != CircuitBreaker.REFUSED) {
      underWay.getAndIncrement();
      return permit;
    }
    return begin(permit(), now) ? permit() : CircuitBreaker.REFUSED;
  }

  /** The turn of the next early probe, which is under way only once its call begins. */
  @Override
  long reserve(long now) {
    if (retryAfterNanos(now) == 0) {
      tick(now);
      return breaker.state().reserve(now);
    }
    long turn = isProbeDue(now) ? tryProbe(now) : CircuitBreaker.REFUSED;
    if (turn != CircuitBreaker.REFUSED) {
      reserved.getAndIncrement();
    }
    return turn;
  }

  /** One turn is as good as another. */
  @Override
  boolean begin(long reservation, long now) {
    if (reserved.get() == 0
        || EarlyProbes.tooManyHang(breaker, 0)
        || breaker.bulkhead().isLastThread()
        || !takeReserved()) {
      return false;
    }
    underWay.getAndIncrement();
    return true;
  }

  /** Unless another had the turn after this one, the next call may have it. */
  @Override
  void giveBack(long reservation, long now) {
    long next = nextProbeNanos.get();
    if (takeReserved() && Permits.lease(next) == Permits.lease(reservation)) {
      nextProbeNanos.compareAndSet(next, now);
    }
  }

  private boolean takeReserved() {
    int before = reserved.get();
    while (before > 0 && !reserved.compareAndSet(before, before - 1)) {
      before = reserved.get();
    }
    return before > 0;
  }

  private boolean isProbeDue(long now) {
    return now - nextProbeNanos.get() >= 0
        && !breaker.config().earlyProbeInterval().isZero()
        && !EarlyProbes.tooManyHang(breaker, 0)
        && !breaker.bulkhead().isLastThread();
  }

  private long tryProbe(long now) {
    long due = nextProbeNanos.get();
    boolean someHang = underWay.get() + 1 >= EarlyProbes.most(breaker);
    long next = now + (someHang ? EarlyProbes.PATIENCE : 1) * intervalNanos();
    if (now - due < 0 || !nextProbeNanos.compareAndSet(due, next)) {
      return CircuitBreaker.REFUSED;
    }
    return permit() | Permits.lease(next);
  }

  @Override
  boolean refuses(long now) {
    return retryAfterNanos(now) > 0 && !isProbeDue(now);
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    underWay.getAndDecrement();
    if (outcome == Outcome.SUCCESS && !slow) {
      nextProbeNanos.set(now); // nothing speaks against the next one
      if (successes.incrementAndGet() >= breaker.config().probeSuccesses()) {
        breaker.recover(this, Cause.LOCAL, successes.get() + " early probes succeeded", "", now);
      }
      return true;
    }
    if (outcome != Outcome.IGNORED) {
      failures.incrementAndGet();
      successes.set(0);
    }
    long next = nextProbeNanos.get();
    if (next - now > intervalNanos()) {
      nextProbeNanos.compareAndSet(next, now + intervalNanos()); // there is one less that hangs
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
