package dev.thriftbreaker.breaker;

/** How long an open breaker stays open: arithmetic only. */
final class BackOff {

  private BackOff() {}

  /**
   * Exponential back-off with jitter.
   *
   * @param consecutiveOpens 1 for the first time
   * @param random 0 to 1
   * @return nanoseconds, at most the longest open time
   */
  static long openNanos(BreakerConfig config, int consecutiveOpens, double random) {
    double longest = config.maxOpenDuration().toNanos();
    double doubled =
        config.openDuration().toNanos() * Math.pow(2, Math.max(0, consecutiveOpens - 1));
    double spread = 1 + config.openJitter() * (2 * random - 1);
    return (long) Math.min(longest, Math.min(longest, doubled) * spread);
  }
}
