package dev.thriftbreaker.breaker;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A bounded number of probes pass, the rest are refused.
 *
 * <p>A probe that does not end within {@code slowCallDuration} has failed then and there: its
 * permit is taken back, and what it says later counts for nothing. So hung probes neither keep the
 * breaker shut nor pile up beyond the bound. While they hang, one more place is added after each
 * second {@code earlyProbeInterval}, a few in all, so that they do not hide a dependency that is
 * back. Where calls hang from before, there is one place at first, and none while their threads are
 * all but the last one of the server.
 *
 * <p>A place can be reserved for a call that will begin. It is held for as long as a probe at most,
 * and lapses without having failed. A call that comes without one and finds no place takes over one
 * that is reserved, so what bounds the probes is the calls under way.
 *
 * <p>Concurrency: see {@link Leases}.
 */
final class HalfOpenState extends State {

  static final int MAX_PROBES = 250;

  /** So that 0.07 of 100 probes is 7, whatever the product of the two is in binary. */
  private static final double ROUNDING = 1e-9;

  private final Leases leases;
  private final int probes;
  private final int firstProbes;
  private final AtomicInteger successes = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicInteger slowProbes = new AtomicInteger();
  private final int failuresToReopen;

  HalfOpenState(CircuitBreaker breaker, long generation, long now, int consecutiveOpens) {
    super(breaker, generation, now, consecutiveOpens);
    BreakerConfig config = breaker.config();
    probes = config.probes();
    leases = new Leases(probes + EarlyProbes.MOST, now);
    // where calls hang already it is likely that these will, and each may cost a thread
    firstProbes = breaker.inFlight().count() > 0 ? 1 : probes;
    failuresToReopen =
        Math.max(
            1, (int) Math.ceil(config.probeFailureRateThreshold() * config.probes() - ROUNDING));
  }

  @Override
  BreakerState kind() {
    return BreakerState.HALF_OPEN;
  }

  @Override
  boolean probes() {
    return true;
  }

  /** Places that may be taken now. */
  private int usable(long now) {
    if (breaker.bulkhead().isLastThread()) {
      return 0;
    }
    if (EarlyProbes.tooManyHang(breaker, probes)) {
      return 1; // their threads are still held, and nothing says that they will ever be free
    }
    int due = EarlyProbes.due(breaker.config(), now - sinceNanos);
    return Math.min(leases.places(), firstProbes + due);
  }

  @Override
  long tryAcquire(long now) {
    int usable = usable(now);
    long permit = take(usable, now, false);
    boolean refused = permit == CircuitBreaker.REFUSED && breaker.state() == this;
    return refused ? takeOver(usable, now) : permit;
  }

  private long takeOver(int usable, long now) {
    for (int place = 0; place < usable; place++) {
      int lease = leases.takeOver(place, now, leaseNanos());
      if (lease != Leases.NONE) {
        return permit() | lease;
      }
    }
    return CircuitBreaker.REFUSED;
  }

  @Override
  long reserve(long now) {
    return take(usable(now), now, true);
  }

  private long take(int usable, long now, boolean reserved) {
    for (int place = 0; place < usable; place++) {
      takeBack(place, now);
      if (leases.isFree(place)) {
        if (breaker.state() != this) {
          State state = breaker.state(); // that lapsed probe was one too many
          return reserved ? state.reserve(now) : state.tryAcquire(now);
        }
        int lease = leases.take(place, now, leaseNanos(), reserved);
        if (lease != Leases.NONE) {
          return permit() | lease;
        }
      }
    }
    return CircuitBreaker.REFUSED;
  }

  private long leaseNanos() {
    return breaker.config().slowAfter().toNanos();
  }

  @Override
  boolean begin(long reservation, long now) {
    return usable(now) > 0 && leases.begin(reservation, now, leaseNanos());
  }

  @Override
  void giveBack(long reservation, long now) {
    leases.giveBack(reservation);
  }

  @Override
  boolean refuses(long now) {
    int usable = usable(now);
    for (int place = 0; place < usable; place++) {
      if (leases.isFree(place)) {
        return false;
      }
    }
    return true;
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    if (!leases.end(permit)) {
      return false;
    }
    if (outcome == Outcome.IGNORED) {
      return true;
    }
    if (slow) {
      slowProbes.incrementAndGet();
    }
    if (outcome == Outcome.FAILURE || slow) {
      fail(howItFailed(error, slow), error, now);
    } else if (successes.incrementAndGet() >= breaker.config().probeSuccesses()) {
      breaker.recover(this, Cause.LOCAL, successes.get() + " probes succeeded", "", now);
    }
    return true;
  }

  static String howItFailed(Throwable error, boolean slow) {
    return error != null ? error.getClass().getName() : slow ? "slow" : "failed result";
  }

  @Override
  void tick(long now) {
    for (int place = 0; place < leases.places(); place++) {
      takeBack(place, now);
    }
  }

  private void takeBack(int place, long now) {
    if (leases.takeBack(place, now)) {
      slowProbes.incrementAndGet();
      fail("no answer within " + breaker.config().slowAfter().toMillis() + " ms", null, now);
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
            0,
            failed,
            error == null ? Map.of() : Map.of(error.getClass().getName(), 1L),
            List.of(),
            breaker.configVersion());
    breaker.open(this, Cause.LOCAL, evidence, now);
  }

  /** Until the first lease lapses, if no probe ends before. */
  @Override
  long retryAfterNanos(long now) {
    int usable = usable(now);
    return usable == 0
        ? breaker.slowNanos() // who can tell
        : leases.untilFreeNanos(usable, now);
  }

  @Override
  WindowCounts counts(long now) {
    long failed = failures.get();
    return new WindowCounts(failed + successes.get(), failed, slowProbes.get());
  }
}
