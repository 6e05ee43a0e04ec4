package dev.thriftbreaker.breaker;

/**
 * What a breaker is and has counted, read at one moment. State, mode and what belongs to them are
 * of one piece; the counters are read one after the other while calls go on.
 *
 * @param name the dependency
 * @param state what the evidence says
 * @param override the operator's override in force, or null for AUTO
 * @param sequence the number of the latest transition, 0 if there was none
 * @param sinceNanos when the state began, on the breaker's own clock
 * @param remainingNanos for an open breaker, how long until it probes; else 0
 * @param consecutiveOpens how often in a row it opened without having closed
 * @param cause what brought the state about
 * @param evidence why it is in this state
 * @param lastTrip why it last went from CLOSED to OPEN, or null if it never did
 * @param window what the window holds now
 * @param acquired calls that got a permit
 * @param successes calls judged SUCCESS
 * @param failures calls judged FAILURE
 * @param ignored calls judged IGNORED
 * @param slow calls that took {@code slowCallDuration} or longer
 * @param late outcomes that came after the state in which their call began
 * @param refused calls refused, at the door of the server or at a guard
 * @param wouldRefuse calls that passed only because of FORCED_CLOSED or SHADOW
 * @param opened how often the breaker opened
 * @param openNanosTotal how long it was open in all
 * @param configVersion the version of its settings, 1 as built
 */
public record BreakerSnapshot(
    String name,
    BreakerState state,
    ModeOverride override,
    long sequence,
    long sinceNanos,
    long remainingNanos,
    int consecutiveOpens,
    Cause cause,
    Evidence evidence,
    Evidence lastTrip,
    WindowCounts window,
    long acquired,
    long successes,
    long failures,
    long ignored,
    long slow,
    long late,
    long refused,
    long wouldRefuse,
    long opened,
    long openNanosTotal,
    int configVersion) {

  /**
   * Who decides.
   *
   * @return the mode
   */
  public Mode mode() {
    return override == null ? Mode.AUTO : override.mode();
  }

  /**
   * Calls that have a permit and have not ended.
   *
   * @return at least 0; approximate while calls go on
   */
  public long inFlight() {
    return Math.max(0, acquired - successes - failures - ignored);
  }
}
