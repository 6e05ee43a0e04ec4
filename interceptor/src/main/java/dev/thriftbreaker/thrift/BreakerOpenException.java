package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import org.apache.thrift.TApplicationException;

/**
 * A guard refused a call because its dependency's breaker lets none pass. Generated processors
 * answer it to their own caller as it is: type {@link #SHED}, and a message of the form {@code SHED
 * dependency=inventory state=OPEN retryAfterMs=4200}, which also those clients can read that lose
 * an unknown type.
 *
 * <p>It carries no stack trace: it is thrown when time is short, and says all there is to say. Each
 * refusal has one of its own, a small one: whoever adds a suppressed exception to a shared one
 * would change it for all, and it could not be added to itself, as it would be where a resource is
 * closed by a call that is refused too.
 */
public final class BreakerOpenException extends TApplicationException {

  /**
   * The type, which libthrift itself leaves unused: LOADSHEDDING, after the value in fbthrift,
   * whose idea it is.
   */
  public static final int SHED = 11;

  private static final long serialVersionUID = 2L;

  /** What it tells, which other refusals of the same moment share. */
  private final Refusal refusal;

  /**
   * Tells a refusal.
   *
   * @param refusal by which breaker, and why
   */
  public BreakerOpenException(Refusal refusal) {
    super(SHED);
    this.refusal = refusal;
  }

  static String message(Refusal refusal) {
    return "SHED dependency="
        + refusal.breaker()
        + " state="
        + refusal.reason()
        + " retryAfterMs="
        + refusal.retryAfterMillis();
  }

  /**
   * What callers are told. Put together when it is asked for: most refusals are caught by somebody
   * who does not read it.
   *
   * @return {@code SHED dependency=... state=... retryAfterMs=...}
   */
  @Override
  public String getMessage() {
    return message(refusal);
  }

  /**
   * The dependency that is not called for now.
   *
   * @return its name
   */
  public String dependency() {
    return refusal.breaker();
  }

  /**
   * Why.
   *
   * @return OPEN, HALF_OPEN, RAMPING, FULL, FORCED_OPEN, or HOLD_OFF while a guard waits as long as
   *     the dependency told it to; a later version may have more
   */
  public String reason() {
    return refusal.reason();
  }

  /**
   * How long to wait before trying again.
   *
   * @return milliseconds, 0 if now
   */
  public long retryAfterMillis() {
    return refusal.retryAfterMillis();
  }

  /**
   * Does nothing: there is no stack trace.
   *
   * @return this
   */
  @Override
  public Throwable fillInStackTrace() {
    return this;
  }
}
