package dev.thriftbreaker.breaker;

import java.util.Locale;

/** When a closed breaker opens: arithmetic only. */
final class TripRule {

  /** So many failures say as much as a window of them. */
  static final int BURST = 50;

  /** A burst is judged by a rate that chance does not reach, whatever the threshold. */
  private static final double LEAST_BURST_RATE = 0.5;

  private TripRule() {}

  /**
   * Judges the latest {@link #BURST} failures, of a dependency so busy that the window still holds
   * mostly what was before.
   *
   * @param goodsSince calls that went well since the first of them
   * @param sinceNanos how long ago the first of them was
   * @return why the breaker must open, or null if it must not
   */
  static String judgeBurst(BreakerConfig config, long goodsSince, long sinceNanos) {
    double rate = BURST / (double) (BURST + Math.max(0, goodsSince));
    if (config.windowType() == BreakerConfig.WindowType.COUNT
        || sinceNanos > config.windowDuration().toNanos()
        || rate < Math.max(config.failureRateThreshold(), LEAST_BURST_RATE)) {
      return null;
    }
    return String.format(
        Locale.ROOT,
        "failure rate %.2f of the last %d calls",
        rate,
        BURST + Math.max(0, goodsSince));
  }

  /**
   * Judges failures that each came after {@code slowCallDuration}, in a row. Those that found no
   * place because of them are witnesses too if no call had ended for as long before.
   *
   * @param refusedFull calls refused by the limit since a call was last seen to end
   * @param sinceProgressNanos how long ago that was
   * @return why the breaker must open, or null if it must not
   */
  static String judgeSlowFailures(
      BreakerConfig config, int inARow, long refusedFull, long sinceProgressNanos) {
    long full = sinceProgressNanos >= config.slowAfter().toNanos() ? refusedFull : 0;
    boolean enough =
        config.consecutiveFailures() > 0
            && inARow > 0
            && inARow + full >= config.consecutiveFailures();
    if (!enough) {
      return null;
    }
    return String.format(
        Locale.ROOT,
        "%d failure%s in a row after %d ms or more%s",
        inARow,
        inARow == 1 ? "" : "s",
        config.slowAfter().toMillis(),
        full == 0 ? "" : ", and " + full + " calls found no place");
  }

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
          config.slowAfter().toMillis());
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
    if (sinceProgressNanos < config.slowAfter().toNanos() || hung + refusedFull < enough) {
      return null;
    }
    return String.format(
        Locale.ROOT,
        "%d call%s for %d ms or more%s, no call has ended since",
        hung,
        hung == 1 ? " hangs" : "s hang",
        config.slowAfter().toMillis(),
        refusedFull == 0 ? "" : " and " + refusedFull + " found no place");
  }
}
