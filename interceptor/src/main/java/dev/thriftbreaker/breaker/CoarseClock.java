package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * A clock that a thread moves once a millisecond, so that reading it costs no more than reading a
 * field. It is late by as much as its thread is: usually a little over a millisecond, more on a
 * machine without a processor to spare. Then calls seem shorter than they are, and deadlines are
 * kept later; it never goes back.
 *
 * <p>Thread-safe.
 */
final class CoarseClock implements LongSupplier, AutoCloseable {

  private static final long STEP_NANOS = 1_000_000;
  private static final VarHandle NOW;

  static {
    try {
      NOW = MethodHandles.lookup().findVarHandle(CoarseClock.class, "now", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Thread thread;
  private long now = System.nanoTime();
  private volatile boolean closed;

  CoarseClock(String server) {
    thread = new Thread(this::run, "thrift-breaker-clock-" + server);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    while (!closed) {
      NOW.setOpaque(this, System.nanoTime());
      LockSupport.parkNanos(this, STEP_NANOS);
    }
  }

  @Override
  public long getAsLong() {
    return (long) NOW.getOpaque(this);
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
