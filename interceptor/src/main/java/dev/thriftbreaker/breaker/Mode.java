package dev.thriftbreaker.breaker;

/** Who decides whether a call passes: the breaker's own state, or an operator for a while. */
public enum Mode {
  /** The state decides. */
  AUTO,
  /** Every call is refused. */
  FORCED_OPEN,
  /** Every call passes; the state goes on being judged underneath. */
  FORCED_CLOSED,
  /** Every call passes; the breaker counts what it would have refused. */
  SHADOW
}
