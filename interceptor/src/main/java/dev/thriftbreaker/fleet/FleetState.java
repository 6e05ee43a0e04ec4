package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.BreakerState;

/**
 * The fleet's state of one breaker, as the store has it. Times are relative to the moment it was
 * read, so that clocks of two machines are never compared.
 *
 * @param epoch rises with each change; at least 1
 * @param state CLOSED, HALF_OPEN or OPEN
 * @param ageMillis how long ago it began
 * @param remainingMillis for OPEN, how long it goes on; else 0
 * @param consecutiveOpens how often in a row the breaker opened without having closed
 * @param by who decided: an instance or an operator
 * @param cause what brought it about, a name of {@link dev.thriftbreaker.breaker.Cause}
 * @param why in words
 * @param requests the latest requests that were stored, newest first, with spaces between
 */
public record FleetState(
    long epoch,
    BreakerState state,
    long ageMillis,
    long remainingMillis,
    int consecutiveOpens,
    String by,
    String cause,
    String why,
    String requests) {

  /**
   * The same some time later.
   *
   * @param millis how much later
   * @return the same with less time remaining
   */
  public FleetState after(long millis) {
    return new FleetState(
        epoch,
        state,
        ageMillis + millis,
        Math.max(0, remainingMillis - millis),
        consecutiveOpens,
        by,
        cause,
        why,
        requests);
  }

  /** Whether that request is among the latest ones. */
  boolean remembers(String request) {
    return (" " + requests + " ").contains(" " + request + " ");
  }

  /** The request that stored it. */
  String lastRequest() {
    int end = requests.indexOf(' ');
    return end < 0 ? requests : requests.substring(0, end);
  }
}
