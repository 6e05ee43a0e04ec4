package dev.thriftbreaker.breaker;

/**
 * One change of a breaker's state or mode.
 *
 * @param breaker the breaker's name
 * @param sequence rises by one with each change of this breaker; starts at 1
 * @param from the state before
 * @param to the state after; the same as before where only the mode changed
 * @param fromMode the mode before
 * @param toMode the mode after
 * @param cause what brought it about
 * @param evidence why
 * @param by who or what decided: an operator, another instance, or empty for this instance itself
 * @param override the operator's override in force after it, or null
 * @param atNanos when, on the breaker's own clock ({@link CircuitBreaker#now()})
 * @param openNanos for a change to OPEN, how long it stays open; else 0
 * @param consecutiveOpens how often in a row the breaker opened without having closed
 */
public record Transition(
    String breaker,
    long sequence,
    BreakerState from,
    BreakerState to,
    Mode fromMode,
    Mode toMode,
    Cause cause,
    Evidence evidence,
    String by,
    ModeOverride override,
    long atNanos,
    long openNanos,
    int consecutiveOpens) {

  /**
   * Whether the state changed; otherwise only the mode did.
   *
   * @return true for a change of state
   */
  public boolean stateChanged() {
    return from != to;
  }

  /**
   * The change in one line, such as {@code CLOSED -> OPEN: failure rate 0.62 of 48 calls}.
   *
   * @return the line
   */
  public String describe() {
    String change = stateChanged() ? from + " -> " + to : fromMode + " -> " + toMode;
    return change + ": " + evidence.reason() + (by.isEmpty() ? "" : " (by " + by + ")");
  }
}
