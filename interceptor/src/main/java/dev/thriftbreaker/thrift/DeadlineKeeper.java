package dev.thriftbreaker.thrift;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that keeps the deadlines of all pooled connections of an interceptor.
 *
 * <p>It sleeps until the earliest deadline that it knows, which it publishes as {@code wakeAt}; a
 * call costs it nothing. A call stores its deadline, then reads {@code wakeAt}, and wakes the
 * keeper only if it would sleep past the deadline: the first call after a pause does, later ones
 * end later. The keeper publishes, then looks at all deadlines once more, so that one of the two
 * sees the other.
 *
 * <p>Sockets are closed by the keeper itself. What can block while it closes, such as a TLS socket
 * that says goodbye, is closed by at most two helper threads, which exist only while there is such
 * work.
 */
final class DeadlineKeeper implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(DeadlineKeeper.class);
  private static final int CLOSERS = 2;

  private final Set<Deadline> deadlines = ConcurrentHashMap.newKeySet();
  private final long origin = System.nanoTime();
  private final Thread thread;
  private final ThreadPoolExecutor closers;
  private volatile long wakeAt = Deadline.NEVER;
  private volatile boolean closed;

  DeadlineKeeper(String server) {
    closers =
        new ThreadPoolExecutor(
            CLOSERS,
            CLOSERS,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work -> daemon(work, "thrift-breaker-closer-" + server));
    closers.allowCoreThreadTimeOut(true);
    thread = daemon(this::keep, "thrift-breaker-deadlines-" + server);
    thread.start();
  }

  private static Thread daemon(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  /** The time in nanoseconds since the keeper began, more than 0. */
  long now() {
    return System.nanoTime() - origin + 1;
  }

  /**
   * Looks after a connection's deadline until it is removed.
   *
   * @throws IllegalStateException if the keeper is closed
   */
  void add(Deadline deadline) {
    deadlines.add(deadline);
    if (closed) {
      deadlines.remove(deadline);
      throw new IllegalStateException("closed");
    }
  }

  /** Leaves a connection alone from now on. */
  void remove(Deadline deadline) {
    deadlines.remove(deadline);
    if (closed) {
      LockSupport.unpark(thread);
    }
  }

  /** Begins a call on a connection. */
  void arm(Deadline deadline, long at) {
    deadline.arm(at);
    if (at < wakeAt) {
      LockSupport.unpark(thread);
    }
  }

  /** Closes something, on another thread. */
  void closeElsewhere(Runnable close) {
    closers.execute(close);
  }

  private void keep() {
    while (!(closed && deadlines.isEmpty())) {
      long next = expireAll();
      wakeAt = next;
      // a deadline stored just before, by a thread that read the old wakeAt
      long again = expireAll();
      if (again < next) {
        continue;
      }
      if (closed && deadlines.isEmpty()) {
        break;
      }
      if (next == Deadline.NEVER) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, next - now());
      }
    }
    closers.shutdown();
  }

  private long expireAll() {
    long next = Deadline.NEVER;
    for (Deadline deadline : deadlines) {
      try {
        next = Math.min(next, deadline.expire(now()));
      } catch (Throwable broken) {
        log.error("A connection whose call took too long did not close", broken);
      }
    }
    return next;
  }

  /**
   * Takes no more connections. The thread ends with the last of those there are; their deadlines
   * are kept until then.
   */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
