package dev.thriftbreaker.costs;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** A clock that a thread moves each millisecond, so that reading it is reading a field. */
final class Ticker implements LongSupplier, AutoCloseable {

  private static final long TICK_NANOS = 1_000_000;

  private final Thread thread = new Thread(this::run, "ticker");
  private volatile long now = System.nanoTime();
  private volatile boolean closed;

  Ticker() {
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    while (!closed) {
      LockSupport.parkNanos(TICK_NANOS);
      now = System.nanoTime();
    }
  }

  @Override
  public long getAsLong() {
    return now;
  }

  @Override
  public void close() {
    closed = true;
  }
}
