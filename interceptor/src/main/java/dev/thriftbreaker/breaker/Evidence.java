package dev.thriftbreaker.breaker;

import java.util.Map;

/**
 * Why a breaker changed its state, kept for the operator.
 *
 * @param reason one line for people, such as {@code failure rate 0.62 of 48 calls}
 * @param calls calls in the window when it was judged
 * @param failures failed calls among them
 * @param slowCalls slow calls among them
 * @param consecutiveFailures failures in a row, up to that moment
 * @param topErrors the classes of the most frequent recent errors, each with its count, most
 *     frequent first
 * @param configVersion the version of the settings that were in force, see {@link
 *     CircuitBreaker#configVersion()}
 */
public record Evidence(
    String reason,
    long calls,
    long failures,
    long slowCalls,
    int consecutiveFailures,
    Map<String, Long> topErrors,
    int configVersion) {

  /** Evidence that is only a reason: a deadline, an operator's act, another instance's word. */
  static Evidence of(String reason, int configVersion) {
    return new Evidence(reason, 0, 0, 0, 0, Map.of(), configVersion);
  }
}
