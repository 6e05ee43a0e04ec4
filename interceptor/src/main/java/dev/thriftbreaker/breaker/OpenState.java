package dev.thriftbreaker.breaker;

/** Calls are refused until the deadline; the first call or tick after it makes way for probes. */
final class OpenState extends State {

  final long openNanos;

  OpenState(
      CircuitBreaker breaker, long generation, long now, int consecutiveOpens, long openNanos) {
    super(breaker, generation, now, consecutiveOpens);
    this.openNanos = openNanos;
  }

  @Override
  BreakerState kind() {
    return BreakerState.OPEN;
  }

  @Override
  long tryAcquire(long now) {
    if (retryAfterNanos(now) > 0) {
      return CircuitBreaker.REFUSED;
    }
    tick(now);
    return breaker.state().tryAcquire(now);
  }

  @Override
  boolean refuses(long now) {
    return retryAfterNanos(now) > 0;
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    return false;
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

  @Override
  WindowCounts counts(long now) {
    return WindowCounts.EMPTY;
  }
}
