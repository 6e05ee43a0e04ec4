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
 * @param lastTrip why it last went from CLOSED or RAMPING to OPEN, or null if it never did
 * @param share the share of calls that pass as far as the state is concerned: 1 when closed, 0 when
 *     only probes pass, in between while ramping
 * @param window what the window holds now
 * @param acquired calls that got a permit
 * @param successes calls judged SUCCESS
 * @param failures calls judged FAILURE
 * @param ignored calls judged IGNORED
 * @param slow calls that took {@code slowCallDuration} or longer
 * @param late outcomes that came after the state in which their call began
 * @param inFlight calls that have a permit and have not ended
 * @param maxConcurrentCalls how many may be in flight at once now; 0 for no limit
 * @param hung calls counted as slow while they were in flight
 * @param refused calls refused, at the door of the server or at a guard
 * @param refusedFull calls refused because as many were in flight as may be, at the door or at a
 *     guard
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
    double share,
    WindowCounts window,
    long acquired,
    long successes,
    long failures,
    long ignored,
    long slow,
    long late,
    long inFlight,
    int maxConcurrentCalls,
    long hung,
    long refused,
    long refusedFull,
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
   * Whether state and mode together refuse calls, all but a few probes or some.
   *
   * @return true in FORCED_OPEN and, in AUTO, in every state but CLOSED
   */
  public boolean refusesSome() {
    return override == null ? share < 1 : override.mode() == Mode.FORCED_OPEN;
  }
}
