package dev.thriftbreaker.fleet;

/** The store did not do what it was asked to do. Messages hold no credentials. */
public final class StoreException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /** What kind of failure, by what to do about it. */
  public enum Kind {
    /** No answer: it may or may not have been done. Retry. */
    UNREACHABLE,
    /** Not now: it was not done. Retry. */
    BUSY,
    /** It takes no writes; reads may go on. */
    READ_ONLY,
    /** A person must grant something. Retry slowly. */
    DENIED,
    /** This one request cannot be done; others can. */
    BROKEN
  }

  /** What kind of failure. */
  private final Kind kind;

  /**
   * Makes one.
   *
   * @param kind what kind of failure
   * @param message what happened
   * @param cause the client's own exception, or null
   */
  public StoreException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /**
   * What kind of failure.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }
}
