package dev.thriftbreaker.breaker;

import java.io.Serializable;

/**
 * Why a breaker refused a call.
 *
 * @param breaker the dependency's name
 * @param reason OPEN, HALF_OPEN (no probe permit left), RAMPING (not one of the share that passes),
 *     FULL (as many calls are in flight as may be) or FORCED_OPEN
 * @param retryAfterNanos how long to wait before trying again, in whole milliseconds where it comes
 *     from a breaker; 0 if now
 * @serial exclude
 */
public record Refusal(String breaker, String reason, long retryAfterNanos) implements Serializable {

  private static final long MILLI = 1_000_000;

  /**
   * A refusal by the same breaker, which is this one if that says the same. So a breaker that
   * refuses many calls makes one object a millisecond for all of them.
   *
   * @param reason as above
   * @param retryAfterNanos as above, but any number; is rounded up
   * @return the refusal
   */
  public Refusal next(String reason, long retryAfterNanos) {
    long rounded = millis(retryAfterNanos) * MILLI;
    return this.retryAfterNanos == rounded && this.reason.equals(reason)
        ? this
        : new Refusal(breaker, reason, rounded);
  }

  /**
   * How long to wait before trying again.
   *
   * @return milliseconds, rounded up
   */
  public long retryAfterMillis() {
    return millis(retryAfterNanos);
  }

  private static long millis(long nanos) {
    return (nanos + MILLI - 1) / MILLI;
  }
}
