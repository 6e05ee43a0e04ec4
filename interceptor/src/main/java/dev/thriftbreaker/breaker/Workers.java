package dev.thriftbreaker.breaker;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import java.util.function.LongConsumer;

/**
 * The threads that serve a server's requests, and which share of them the calls to each dependency
 * may hold: with D dependencies one (D + 1)th each, so that if all of them hang at once the last
 * share is left for requests that need none.
 *
 * <p>How many there are is told, or else observed: the threads alive that have served a request,
 * once their number has been steady for a second; until then there is no limit. Where threads are
 * made as they are needed, at least {@value #LEAST_GROWING} are assumed to be possible.
 *
 * <p>Thread-safe. Request threads call {@link #seen(boolean)} once in their life; nothing here is
 * on the way of a request but where a dependency is at its limit.
 */
public final class Workers {

  /** Threads that a server is assumed to be able to have which makes them as needed. */
  static final int LEAST_GROWING = 12;

  /** With more dependencies than this, what each holds is not looked up. */
  private static final int MANY = 64;

  /** No server, so no limit by its size. */
  static final Workers NONE = new Workers(null);

  private final IntSupplier told;
  private final LongConsumer pause;
  private final List<WeakReference<Thread>> seen = new CopyOnWriteArrayList<>();
  private final List<Bulkhead> bulkheads = new CopyOnWriteArrayList<>();
  private volatile int size;
  private volatile boolean growing;

  // the tick's own
  private int seenBefore;

  /**
   * Sets up.
   *
   * @param told how many threads serve requests, asked about once a second; null to observe them
   */
  public Workers(IntSupplier told) {
    this(told, LockSupport::parkNanos);
  }

  /** The same, with another way to let nanoseconds pass than to park the thread. */
  Workers(IntSupplier told, LongConsumer pause) {
    this.told = told;
    this.pause = pause;
  }

  /** Lets a thread wait for a moment. */
  void pause(long nanos) {
    pause.accept(nanos);
  }

  void add(Bulkhead bulkhead) {
    if (this != NONE) {
      bulkheads.add(bulkhead);
    }
  }

  /**
   * Notes that the current thread serves requests. Once a thread suffices; again does no harm.
   *
   * @param growing whether its server makes threads as they are needed, such as one for each
   *     connection; false for a pool of a fixed size
   */
  public void seen(boolean growing) {
    Thread me = Thread.currentThread();
    if (told == null && seen.stream().noneMatch(reference -> reference.refersTo(me))) {
      this.growing |= growing;
      seen.add(new WeakReference<>(me));
      if (size > 0 && observed() > size) {
        size = observed();
      }
    }
  }

  /** Looks again how many there are; about once a second. */
  void look() {
    int now;
    if (told != null) {
      now = Math.max(0, told.getAsInt());
    } else {
      seen.removeIf(
          reference -> {
            Thread thread = reference.get();
            return thread == null || !thread.isAlive();
          });
      boolean steady = seen.size() == seenBefore;
      seenBefore = seen.size();
      now = steady ? observed() : size;
    }
    if (now != size) {
      size = now;
    }
  }

  private int observed() {
    int threads = seen.size();
    return threads > 0 && growing ? Math.max(LEAST_GROWING, threads) : threads;
  }

  /**
   * How many threads serve requests.
   *
   * @return the number, 0 if it is not known yet
   */
  public int size() {
    return size;
  }

  /** How many threads the calls to one dependency may hold. */
  int share() {
    int threads = size;
    return threads == 0 ? Bulkhead.NO_LIMIT : Math.max(1, threads / (bulkheads.size() + 1));
  }

  /** Whether each dependency's share is one thread, and there is a thread more than these. */
  boolean isShareOne() {
    return share() == 1 && size > bulkheads.size();
  }

  /** When a call to any of the dependencies last ended. */
  long endedNanos(Bulkhead one) {
    long latest = one.endedNanos();
    for (Bulkhead other : bulkheads) {
      long ended = other.endedNanos();
      latest = ended - latest > 0 ? ended : latest;
    }
    return latest;
  }

  /**
   * How many threads are left if one dependency holds so many and each other one its share, or what
   * it holds if that is more (which is looked up only of a few dozen). A share of a single thread
   * is not kept free: where threads are so few, that would refuse calls of healthy dependencies all
   * the time.
   */
  long leftBeside(Bulkhead one, long held) {
    int share = share();
    if (share == Bulkhead.NO_LIMIT) {
      return Long.MAX_VALUE;
    }
    int kept = share > 1 ? share : 0;
    if (bulkheads.size() > MANY) {
      return size - held - (long) kept * (bulkheads.size() - 1);
    }
    long left = size - held;
    for (Bulkhead other : bulkheads) {
      if (other != one) {
        left -= Math.max(kept, other.inFlight());
      }
    }
    return left;
  }

  /** How many threads are left just now if one dependency holds so many. */
  long leftNow(Bulkhead one, long held) {
    long left = size - held;
    if (bulkheads.size() > MANY) {
      return left;
    }
    for (Bulkhead other : bulkheads) {
      if (other != one) {
        left -= other.inFlight();
      }
    }
    return left;
  }
}
