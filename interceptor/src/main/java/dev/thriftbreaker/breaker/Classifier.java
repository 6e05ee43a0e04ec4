package dev.thriftbreaker.breaker;

/** Judges the exception with which a call to a dependency ended. */
@FunctionalInterface
public interface Classifier {

  /**
   * Judges one error. Called on the thread that made the call, so it must be quick and thread-safe.
   * A classifier that throws is logged once and passed over.
   *
   * @param error what the call threw, never null
   * @return the outcome, or null to leave the decision to the rules that follow
   */
  Outcome classify(Throwable error);
}
