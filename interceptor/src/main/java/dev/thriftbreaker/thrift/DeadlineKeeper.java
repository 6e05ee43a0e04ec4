package dev.thriftbreaker.thrift;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that keeps the deadlines of all pooled connections of an interceptor.
 *
 * <p>It sleeps until the earliest deadline that it has been told, {@code wakeAt}, and looks at all
 * connections then. A call stores its deadline, then reads {@code wakeAt}, and wakes the keeper
 * only if its own deadline is earlier: the first call after a while is, later ones end later. That
 * the first one has ended by then changes nothing, else short calls could wake the keeper one after
 * the other; so a call costs a read, and one in each callTimeout wakes the keeper. Before it looks,
 * the keeper forgets what it was told: either it sees a deadline, or whoever stored it sees that.
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
  private final AtomicLong wakeAt = new AtomicLong(Deadline.NEVER);
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
    if (wakeBy(at)) {
      LockSupport.unpark(thread);
    }
  }

  /** Plans to wake then, or earlier. True if that changes the plan. */
  private boolean wakeBy(long at) {
    long planned = wakeAt.get();
    while (at < planned) {
      if (wakeAt.compareAndSet(planned, at)) {
        return true;
      }
      planned = wakeAt.get();
    }
    return false;
  }

  /** When the keeper will look at all connections; {@link Deadline#NEVER} if it is not to. */
  long wakeAt() {
    return wakeAt.get();
  }

  /** Closes something, on another thread. */
  void closeElsewhere(Runnable close) {
    closers.execute(close);
  }

  private void keep() {
    while (!(closed && deadlines.isEmpty())) {
      long planned = wakeAt.get();
      long left = planned - now();
      if (planned == Deadline.NEVER) {
        LockSupport.park(this);
      } else if (left > 0) {
        LockSupport.parkNanos(this, left);
      } else {
        wakeAt.set(Deadline.NEVER); // before it looks: a full fence
        wakeBy(expireAll());
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
