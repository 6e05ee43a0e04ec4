package dev.thriftbreaker.demo;

/** The user asked for something that the demo does not understand. Ends it with status 2. */
public final class BadFlag extends RuntimeException {
  private static final long serialVersionUID = 1;

  public BadFlag(String message) {
    super(message);
  }
}
