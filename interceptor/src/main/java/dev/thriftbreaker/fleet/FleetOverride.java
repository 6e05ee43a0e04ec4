package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.Mode;

/**
 * An operator's decision for the whole fleet about one breaker, as the store has it.
 *
 * @param version rises with each decision; at least 1
 * @param mode the mode; AUTO if the decision was taken back
 * @param remainingMillis until it expires, from the moment it was read; 0 if it has expired
 * @param by who decided
 * @param why in words
 * @param requests the latest requests that were stored, newest first, with spaces between
 */
public record FleetOverride(
    long version, Mode mode, long remainingMillis, String by, String why, String requests) {

  /**
   * The same some time later.
   *
   * @param millis how much later
   * @return the same with less time remaining
   */
  public FleetOverride after(long millis) {
    return new FleetOverride(
        version, mode, Math.max(0, remainingMillis - millis), by, why, requests);
  }

  /** Whether that request stored it. */
  boolean isOf(String request) {
    return requests.equals(request) || requests.startsWith(request + " ");
  }

  /** Whether it decides anything. */
  boolean inForce() {
    return mode != Mode.AUTO && remainingMillis > 0;
  }
}
