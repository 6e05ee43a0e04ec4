package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;

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

  private static final VarHandle NEXT_PROBE;
  private static final VarHandle RESERVED;

  static {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try {
      NEXT_PROBE = lookup.findVarHandle(OpenState.class, "nextProbeNanos", long.class);
      RESERVED = lookup.findVarHandle(OpenState.class, "reserved", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final long openNanos;
  private final long endNanos;
  private volatile long nextProbeNanos;
  private volatile int reserved;
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger successes = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();

  OpenState(
      CircuitBreaker breaker, long generation, long now, int consecutiveOpens, long openNanos) {
    super(breaker, generation, now, consecutiveOpens);
    this.openNanos = openNanos;
    this.endNanos = now + openNanos;
    long interval = intervalNanos();
    this.nextProbeNanos = interval == 0 ? endNanos : now + interval;
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

  /** Whether every call is refused, with or without a place: most of the time. */
  boolean refusesAll(long now) {
    return now - nextProbeNanos < 0 && reserved == 0 && now - endNanos < 0;
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
      RESERVED.getAndAdd(this, 1);
    }
    return turn;
  }

  /** One turn is as good as another. */
  @Override
  boolean begin(long reservation, long now) {
    if (reserved == 0
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
    long next = nextProbeNanos;
    if (takeReserved() && Permits.lease(next) == Permits.lease(reservation)) {
      NEXT_PROBE.compareAndSet(this, next, now);
      breaker.lookAgain();
    }
  }

  private boolean takeReserved() {
    int before = reserved;
    while (before > 0 && !RESERVED.compareAndSet(this, before, before - 1)) {
      before = reserved;
    }
    return before > 0;
  }

  private boolean isProbeDue(long now) {
    return now - nextProbeNanos >= 0
        && !breaker.config().earlyProbeInterval().isZero()
        && !EarlyProbes.tooManyHang(breaker, 0)
        && !breaker.bulkhead().isLastThread();
  }

  private long tryProbe(long now) {
    long due = nextProbeNanos;
    boolean someHang = underWay.get() + 1 >= EarlyProbes.most(breaker);
    long next = now + (someHang ? EarlyProbes.PATIENCE : 1) * intervalNanos();
    if (now - due < 0 || !NEXT_PROBE.compareAndSet(this, due, next)) {
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
      nextProbeNanos = now; // nothing speaks against the next one
      breaker.lookAgain();
      if (successes.incrementAndGet() >= breaker.config().probeSuccesses()) {
        breaker.recover(this, Cause.LOCAL, successes.get() + " early probes succeeded", "", now);
      }
      return true;
    }
    if (outcome != Outcome.IGNORED) {
      failures.incrementAndGet();
      successes.set(0);
    }
    long next = nextProbeNanos;
    if (next - now > intervalNanos()) {
      NEXT_PROBE.compareAndSet(this, next, now + intervalNanos()); // there is one less that hangs
    }
    return true;
  }

  @Override
  void tick(long now) {
    if (retryAfterNanos(now) == 0) {
      breaker.halfOpen(
          this, Cause.TIMER, "open time of " + openNanos / 1_000_000 + " ms is over", "", now);
      return;
    }
    long longest = EarlyProbes.PATIENCE * intervalNanos();
    long next = nextProbeNanos;
    if (longest > 0 && next - now > longest) {
      NEXT_PROBE.compareAndSet(this, next, now + longest); // the interval was set to another
    }
  }

  @Override
  long retryAfterNanos(long now) {
    return Math.max(0, endNanos - now);
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
