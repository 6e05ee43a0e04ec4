package dev.thriftbreaker.breaker;

/**
 * How often, and how many, calls try a dependency before its time: arithmetic only. An open breaker
 * lets one pass each {@code earlyProbeInterval}, or each fortieth part of its open time if that is
 * longer.
 */
final class EarlyProbes {

  /** The most that can be under way at once without being waited for. */
  static final int MOST = 4;

  /** How many intervals the next one waits while as many hang as may be under way at once. */
  static final int PATIENCE = 2;

  private static final int PARTS = 40;

  private EarlyProbes() {}

  /**
   * How many can be under way at once without being waited for: a sixteenth of what the dependency
   * may hold.
   */
  static int most(CircuitBreaker breaker) {
    return Math.max(1, Math.min(MOST, breaker.bulkhead().limit() / 16));
  }

  /** How long from one to the next; 0 for never. */
  static long intervalNanos(BreakerConfig config, long openNanos) {
    long interval = config.earlyProbeInterval().toNanos();
    return interval == 0 ? 0 : Math.max(interval, openNanos / PARTS);
  }

  /** How many more places a half-open breaker has after some time in which its probes hang. */
  static int due(BreakerConfig config, long passedNanos) {
    long interval = PATIENCE * intervalNanos(config, 0);
    return interval == 0 ? 0 : (int) Math.min(Leases.MAX_PLACES, passedNanos / interval);
  }

  /**
   * Whether so many calls hang that another probe might cost the server a thread for good: more
   * than the limit and a set of probes.
   */
  static boolean tooManyHang(CircuitBreaker breaker, int probes) {
    return breaker.inFlight().count() > (long) breaker.bulkhead().limit() + probes;
  }
}
