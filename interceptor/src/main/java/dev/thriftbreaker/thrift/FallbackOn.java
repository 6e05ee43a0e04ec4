package dev.thriftbreaker.thrift;

/** When a fallback answers in place of a dependency. */
public enum FallbackOn {
  /** When the breaker refused the call. A call that was made ends as it ends. */
  REFUSAL,
  /**
   * Also when the call was made and threw an exception that the breaker's rules judge a failure.
   * The failure counts all the same. Errors, and exceptions that are judged otherwise, such as
   * declared ones, reach the caller.
   */
  FAILURE
}
