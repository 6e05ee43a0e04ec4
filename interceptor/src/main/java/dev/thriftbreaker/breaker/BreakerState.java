package dev.thriftbreaker.breaker;

/** What the evidence says of a dependency. An operator's {@link Mode} may overrule it. */
public enum BreakerState {
  /** Calls pass and are judged. */
  CLOSED(0),
  /** A bounded number of probes pass, the rest are refused. */
  HALF_OPEN(1),
  /** Calls are refused until a deadline. */
  OPEN(2),
  /** After recovery, a growing share of calls passes and is judged. */
  RAMPING(3);

  private final int code;

  BreakerState(int code) {
    this.code = code;
  }

  /**
   * The state as a number, for systems that only plot numbers: 0 CLOSED, 1 HALF_OPEN, 2 OPEN, 3
   * RAMPING.
   *
   * @return the number, stable across versions
   */
  public int code() {
    return code;
  }
}
