package dev.thriftbreaker.breaker;

/** All calls pass and are judged. */
final class ClosedState extends JudgingState {

  ClosedState(CircuitBreaker breaker, long generation, long now) {
    super(breaker, generation, now, 0);
  }

  @Override
  BreakerState kind() {
    return BreakerState.CLOSED;
  }

  @Override
  long tryAcquire(long now) {
    return permit();
  }

  @Override
  long reserve(long now) {
    return CircuitBreaker.NO_PLACE_NEEDED;
  }

  @Override
  long quick() {
    return permit();
  }

  @Override
  boolean refuses(long now) {
    return false;
  }

  @Override
  long retryAfterNanos(long now) {
    return 0;
  }
}
