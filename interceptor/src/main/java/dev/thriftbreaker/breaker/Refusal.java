package dev.thriftbreaker.breaker;

/**
 * Why a breaker refused a call.
 *
 * @param breaker the dependency's name
 * @param reason OPEN, HALF_OPEN (no probe permit left), RAMPING (not one of the share that passes),
 *     FULL (as many calls are in flight as may be) or FORCED_OPEN
 * @param retryAfterNanos how long to wait before trying again; 0 if now
 */
public record Refusal(String breaker, String reason, long retryAfterNanos) {

  /**
   * How long to wait before trying again.
   *
   * @return milliseconds, rounded up
   */
  public long retryAfterMillis() {
    return (retryAfterNanos + 999_999) / 1_000_000;
  }
}
