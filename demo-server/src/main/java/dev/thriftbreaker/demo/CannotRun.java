package dev.thriftbreaker.demo;

/** What the user asked for cannot be done here and now. Ends the demo with status 1. */
public final class CannotRun extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CannotRun(String message) {
    super(message);
  }
}
