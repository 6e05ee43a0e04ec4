package dev.thriftbreaker.fleet;

import dev.thriftbreaker.fleet.LinkStatus.State;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Whether the store answers. Two failures in a row, or 3 s without an answer, are DEGRADED.
 * Thread-safe: guarded by itself.
 */
final class LinkHealth {

  private static final int FAILURES_IN_A_ROW = 2;
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

  private final LongSupplier nanoClock;
  private final LongSupplier wallMillis;

  private long heardNanos;
  private long successWallMillis;
  private boolean answered;
  private int failuresInARow;
  private boolean writesFail;
  private boolean closed;
  private long errors;
  private String lastError = "";
  private long errorWallMillis;

  LinkHealth(LongSupplier nanoClock, LongSupplier wallMillis) {
    this.nanoClock = nanoClock;
    this.wallMillis = wallMillis;
    this.heardNanos = nanoClock.getAsLong();
  }

  /** The store did what was asked. */
  synchronized void succeeded() {
    failuresInARow = 0;
    answered = true;
    heard();
  }

  /** The store shows that it is there, which does not mean that it does what is asked. */
  synchronized void heard() {
    heardNanos = nanoClock.getAsLong();
    successWallMillis = wallMillis.getAsLong();
  }

  synchronized void failed(String error) {
    failuresInARow++;
    complain(error);
  }

  /** The store answers, but takes no writes. */
  synchronized void refusedWrite(String error) {
    writesFail = true;
    complain(error);
  }

  synchronized void wrote() {
    writesFail = false;
  }

  /** Whether it takes writes matters to nobody now, and will be seen with the next one. */
  synchronized void nothingToWrite() {
    writesFail = false;
  }

  /** Something went wrong that says nothing about the next exchange. */
  synchronized void complain(String error) {
    errors++;
    lastError = error;
    errorWallMillis = wallMillis.getAsLong();
  }

  synchronized void close() {
    closed = true;
  }

  synchronized State state() {
    if (closed) {
      return State.CLOSED;
    }
    if (failuresInARow >= FAILURES_IN_A_ROW
        || writesFail
        || nanoClock.getAsLong() - heardNanos > SILENCE_NANOS) {
      return State.DEGRADED;
    }
    return answered ? State.UP : State.CONNECTING;
  }

  synchronized long errors() {
    return errors;
  }

  synchronized String lastError() {
    return lastError;
  }

  synchronized long errorWallMillis() {
    return errorWallMillis;
  }

  synchronized long successWallMillis() {
    return successWallMillis;
  }
}
