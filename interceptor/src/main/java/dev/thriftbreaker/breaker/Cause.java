package dev.thriftbreaker.breaker;

/** What brought a transition about. */
public enum Cause {
  /** This instance's own calls. */
  LOCAL,
  /** Another instance of the fleet, or the state kept in Redis. */
  REMOTE,
  /** A person, through JMX or the API. */
  OPERATOR,
  /** A deadline that passed. */
  TIMER
}
