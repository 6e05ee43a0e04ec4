package dev.thriftbreaker.breaker;

import java.util.Objects;

/**
 * An operator's decision about one breaker. It always expires.
 *
 * @param mode any mode but AUTO
 * @param untilNanos when it ends, on the breaker's own clock ({@link CircuitBreaker#now()})
 * @param by who decided
 * @param reason why
 * @param fleet whether it holds for every instance of the fleet, or for this one only
 */
public record ModeOverride(Mode mode, long untilNanos, String by, String reason, boolean fleet) {

  /**
   * Checks that nothing is missing.
   *
   * @param mode as above
   * @param untilNanos as above
   * @param by as above
   * @param reason as above
   * @param fleet as above
   */
  public ModeOverride {
    Objects.requireNonNull(by, "by");
    Objects.requireNonNull(reason, "reason");
    if (mode == null || mode == Mode.AUTO) {
      throw new IllegalArgumentException(
          "mode: " + mode + " (expected: FORCED_OPEN, FORCED_CLOSED or SHADOW)");
    }
  }

  boolean expired(long now) {
    return now - untilNanos >= 0;
  }
}
