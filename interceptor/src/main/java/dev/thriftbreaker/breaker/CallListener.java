package dev.thriftbreaker.breaker;

/**
 * Is told of every call at a breaker, on the thread that makes the call: it must be quick and
 * thread-safe. What it throws is logged once and otherwise without effect. With no listener
 * registered, calls pay nothing.
 */
public interface CallListener {

  /**
   * A call ended.
   *
   * @param breaker the breaker's name
   * @param outcome how it was judged
   * @param slow whether it took {@code slowCallDuration} or longer
   * @param durationNanos how long it took
   * @param error what it threw, or null
   */
  default void onCompleted(
      String breaker, Outcome outcome, boolean slow, long durationNanos, Throwable error) {}

  /**
   * A call was refused.
   *
   * @param refusal by which breaker and why
   */
  default void onRefused(Refusal refusal) {}
}
