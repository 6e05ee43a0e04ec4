package dev.thriftbreaker.breaker;

/**
 * All that one transition decides, in one piece: a breaker swaps it by a single compare-and-set.
 */
final class Status {

  static final long NOT_QUICK = -1;

  final long sequence;
  final State state;
  final ModeOverride override;
  final Cause cause;
  final Evidence evidence;
  final Evidence lastTrip;
  final long opened;
  final long openNanosBefore;

  /** The latest transition that listeners hear of. */
  final News news;

  /**
   * The permit, but for its slot, of a call that needs nobody's consent and whose success is only
   * counted; {@link #NOT_QUICK} if there are no such calls.
   */
  final long quick;

  /**
   * The latest refusal. Any thread replaces it, and none need see another's: it is immutable, and
   * what it says is compared before it is told again.
   */
  private Refusal refusal;

  /**
   * What may be told again without a look at the clock, or null. Any thread sets it, the tick takes
   * it away; one that is overtaken stays until the next tick.
   */
  Refusal again;

  /** The first status of a breaker. */
  Status(State state, Evidence evidence) {
    this(0, state, null, Cause.LOCAL, evidence, null, 0, 0, new News(null, null));
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
      News news) {
    this.sequence = sequence;
    this.state = state;
    this.override = override;
    this.cause = cause;
    this.evidence = evidence;
    this.lastTrip = lastTrip;
    this.opened = opened;
    this.openNanosBefore = openNanosBefore;
    this.news = news;
    this.quick = override == null ? state.quick() : NOT_QUICK;
    this.refusal = new Refusal(state.breaker.name(), "", 0);
  }

  Mode mode() {
    return override == null ? Mode.AUTO : override.mode();
  }

  /** Tells a refusal; one object serves all that say the same. */
  Refusal refusal(String reason, long retryAfterNanos) {
    Refusal last = refusal;
    Refusal next = last.next(reason, retryAfterNanos);
    if (next != last) {
      refusal = next;
    }
    return next;
  }

  /** How long the breaker was open in all, up to now. */
  long openNanos(long now) {
    return openNanosBefore + (state instanceof OpenState ? Math.max(0, now - state.sinceNanos) : 0);
  }
}
