package dev.thriftbreaker.fleet;

import java.util.concurrent.ThreadLocalRandom;

/** When to try again: exponential back-off with full jitter. Not thread-safe. */
final class Retry {

  private static final long FIRST_MILLIS = 100;
  private static final long LONGEST_MILLIS = 5_000;

  private int failures;

  void succeeded() {
    failures = 0;
  }

  /** How long to wait after one more failure. */
  long failedMillis() {
    long most = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(failures++, 10));
    return ThreadLocalRandom.current().nextLong(most) + 1;
  }

  /** How long to wait for a person. */
  long slowMillis() {
    return LONGEST_MILLIS + ThreadLocalRandom.current().nextLong(LONGEST_MILLIS);
  }
}
