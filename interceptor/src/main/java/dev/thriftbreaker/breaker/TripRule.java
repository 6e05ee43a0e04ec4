package dev.thriftbreaker.breaker;

import java.util.Locale;

/** When a closed breaker opens: arithmetic only. */
final class TripRule {

  private TripRule() {}

  /**
   * Judges a window.
   *
   * @return why the breaker must open, or null if it must not
   */
  static String judge(BreakerConfig config, WindowCounts window, int consecutiveFailures) {
    if (window.calls() < config.minimumCalls()) {
      return config.consecutiveFailures() > 0 && consecutiveFailures >= config.consecutiveFailures()
          ? consecutiveFailures + " consecutive failures"
          : null;
    }
    if (window.failureRate() >= config.failureRateThreshold()) {
      return String.format(
          Locale.ROOT, "failure rate %.2f of %d calls", window.failureRate(), window.calls());
    }
    if (window.slowCallRate() >= config.slowCallRateThreshold()) {
      return String.format(
          Locale.ROOT,
          "slow call rate %.2f of %d calls, slow being %d ms or more",
          window.slowCallRate(),
          window.calls(),
          config.slowCallDuration().toMillis());
    }
    return null;
  }
}
