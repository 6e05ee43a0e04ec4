package dev.thriftbreaker.breaker;

/** How a call to a dependency ended, as far as its breaker is concerned. */
public enum Outcome {
  /**
   * The dependency did its job, be it with a result or with an exception that its contract
   * declares.
   */
  SUCCESS,
  /** The dependency failed. */
  FAILURE,
  /** Says nothing about the dependency: counts for nothing and gives its permit back. */
  IGNORED
}
