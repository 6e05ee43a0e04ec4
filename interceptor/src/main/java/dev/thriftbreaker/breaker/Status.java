package dev.thriftbreaker.breaker;

/**
 * All that one transition decides, in one piece: a breaker swaps it by a single compare-and-set.
 *
 * <p>Each status also links back to the one before, and so the order of the swaps is the order in
 * which listeners hear of them, without a queue. The link is cut once they have heard.
 */
final class Status {

  final long sequence;
  final State state;
  final ModeOverride override;
  final Cause cause;
  final Evidence evidence;
  final Evidence lastTrip;
  final long opened;
  final long openNanosBefore;

  /** What listeners hear, or null if the change is none of their business. */
  final Transition transition;

  /** Touched by the dispatching thread only, once this status is published. */
  Status previous;

  /** The first status of a breaker. */
  Status(State state, Evidence evidence) {
    this(0, state, null, Cause.LOCAL, evidence, null, 0, 0, null, null);
  }

  Status(
      long sequence,
      State state,
      ModeOverride override,
      Cause cause,
      Evidence evidence,
      Evidence lastTrip,
      long opened,
      long openNanosBefore,
      Transition transition,
      Status previous) {
    this.sequence = sequence;
    this.state = state;
    this.override = override;
    this.cause = cause;
    this.evidence = evidence;
    this.lastTrip = lastTrip;
    this.opened = opened;
    this.openNanosBefore = openNanosBefore;
    this.transition = transition;
    this.previous = previous;
  }

  Mode mode() {
    return override == null ? Mode.AUTO : override.mode();
  }

  /** How long the breaker was open in all, up to now. */
  long openNanos(long now) {
    return openNanosBefore + (state instanceof OpenState ? Math.max(0, now - state.sinceNanos) : 0);
  }
}
