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

  /**
   * Judges calls that hang. A limit on calls in flight keeps those few from ever being a large
   * share of a window, so they are judged by themselves: if none has ended for {@code
   * slowCallDuration}, and those that hang and those that found no place because of them are {@code
   * consecutiveFailures} (or, where that is 0, {@code minimumCalls}).
   *
   * @param hung calls in flight that are slow, at least 1
   * @param refusedFull calls refused by the limit since one last ended
   * @param sinceProgressNanos how long ago one last ended, or began when there was no other
   * @return why the breaker must open, or null if it must not
   */
  static String judgeHung(
      BreakerConfig config, int hung, long refusedFull, long sinceProgressNanos) {
    int enough =
        config.consecutiveFailures() > 0 ? config.consecutiveFailures() : config.minimumCalls();
    if (sinceProgressNanos < config.slowCallDuration().toNanos() || hung + refusedFull < enough) {
      return null;
    }
    return String.format(
        Locale.ROOT,
        "%d call%s for %d ms or more%s, no call has ended since",
        hung,
        hung == 1 ? " hangs" : "s hang",
        config.slowCallDuration().toMillis(),
        refusedFull == 0 ? "" : " and " + refusedFull + " found no place");
  }
}
