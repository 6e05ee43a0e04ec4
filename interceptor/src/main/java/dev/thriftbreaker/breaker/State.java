package dev.thriftbreaker.breaker;

/**
 * One period in one state. Replaced as a whole by {@link CircuitBreaker#transition}; a permit
 * carries the generation of the state that issued it, so what ends after the period ended cannot
 * touch the next one.
 */
abstract sealed class State permits JudgingState, HalfOpenState, OpenState {

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

  /**
   * A permit's generation and lease, or {@link CircuitBreaker#REFUSED}. Not refused because of
   * reservations: where there is nothing else, it takes one over.
   */
  abstract long tryAcquire(long now);

  /**
   * A place for a call that will begin later: a permit that is to be given to {@link #begin} or
   * {@link #giveBack} once, or a refusal.
   */
  abstract long reserve(long now);

  /**
   * Turns a reservation of this state's own into a permit. False if it has lapsed or was taken
   * over.
   */
  boolean begin(long reservation, long now) {
    return true;
  }

  /** Takes a reservation of this state's own back, as if it had not been made. */
  void giveBack(long reservation, long now) {}

  /** Places that are reserved, where calls need one of the bulkhead too. */
  int reserved() {
    return 0;
  }

  /** Whether {@link #reserve} would refuse; takes nothing. */
  abstract boolean refuses(long now);

  /** Whether the calls that pass are few and counted by the state, so that no bulkhead is asked. */
  abstract boolean probes();

  /** Takes the outcome of a permit of this state's own. False if the permit has lapsed. */
  abstract boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error);

  /** Takes the outcome of a call of this state's own that was counted as slow while it hung. */
  void completeHung(Outcome outcome, long now, Throwable error) {}

  /** What time alone brings about. */
  abstract void tick(long now);

  /** How long a refused caller should wait; 0 if calls may pass now. */
  abstract long retryAfterNanos(long now);

  abstract WindowCounts counts(long now);

  /** Somebody was refused, here or at the door. */
  void countRefusal() {}

  /** What {@link Status#quick} says of this state. */
  long quick() {
    return Status.NOT_QUICK;
  }

  final long permit() {
    return Permits.of(generation);
  }
}
