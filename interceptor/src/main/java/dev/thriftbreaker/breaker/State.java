package dev.thriftbreaker.breaker;

/**
 * One period in one state. Replaced as a whole by {@link CircuitBreaker#transition}; a permit
 * carries the generation of the state that issued it, so what ends after the period ended cannot
 * touch the next one.
 */
abstract sealed class State permits ClosedState, HalfOpenState, OpenState {

  /** Bits of a permit below the generation: which probe, under which lease. */
  static final int GENERATION_SHIFT = 24;

  final CircuitBreaker breaker;
  final long generation;
  final long sinceNanos;
  final int consecutiveOpens;

  State(CircuitBreaker breaker, long generation, long sinceNanos, int consecutiveOpens) {
    this.breaker = breaker;
    this.generation = generation;
    this.sinceNanos = sinceNanos;
    this.consecutiveOpens = consecutiveOpens;
  }

  abstract BreakerState kind();

  /** A permit, or {@link CircuitBreaker#REFUSED}. */
  abstract long tryAcquire(long now);

  /** Whether {@link #tryAcquire} would refuse; takes nothing. */
  abstract boolean refuses(long now);

  /** Takes the outcome of a permit of this state's own. False if the permit has lapsed. */
  abstract boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error);

  /** What time alone brings about. */
  abstract void tick(long now);

  /** How long a refused caller should wait; 0 if calls may pass now. */
  abstract long retryAfterNanos(long now);

  abstract WindowCounts counts(long now);

  final long permit() {
    return generation << GENERATION_SHIFT;
  }
}
