package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * How many calls to one dependency may be in flight.
 *
 * <p>A limit that is set is a limit. One that is {@code auto} follows what the dependency needs
 * while it is healthy, up to its share of the server's threads (see {@link Workers}). Below the
 * limit a call is admitted. At the limit it is admitted only as long as calls go on ending at about
 * the pace that a healthy dependency shows: so a burst is not refused, and a dependency that hangs
 * keeps few more threads than the limit, and so does one that has become slow. The pace is {@link
 * #isOnPace}. A call for which that says no, while one has ended a moment ago, waits for the next
 * to end before it is refused: a dependency that is healthy and fully used by a small server lets
 * it in within a millisecond or two, and one that hangs makes nobody wait, as no call has ended. Of
 * a dependency of which nothing is known yet, as in a JVM that has just started, more is tolerated:
 * it may hold what others leave of five eighths of the threads.
 *
 * <p>Concurrency: a limit that is set is held by a count that every call changes by an atomic add.
 * For an automatic one nothing is counted. For half a millisecond after a call has ended where
 * there was room, calls are let in {@link #isFresh without a look}; else those in flight are looked
 * up in {@link InFlight}, where the new one stands already, so that of two racing calls each sees
 * the other. The stamps are written by any call that ends, each {@link #STAMP_NANOS} at most; a
 * lost write moves them by the time between two of these. What the limit rests on is written by the
 * tick and read by calls, each value by itself.
 */
final class Bulkhead extends Padded {

  static final int NO_LIMIT = Integer.MAX_VALUE;

  private static final VarHandle ENDED;
  private static final VarHandle FRESH;
  private static final VarHandle RECENT;
  private static final VarHandle PEAK;
  private static final VarHandle SAMPLED;
  private static final VarHandle SAMPLED_NANOS;

  static {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try {
      ENDED = lookup.findVarHandle(Bulkhead.class, "ended", long.class);
      FRESH = lookup.findVarHandle(Bulkhead.class, "fresh", long.class);
      RECENT = lookup.findVarHandle(Bulkhead.class, "recent", long.class);
      PEAK = lookup.findVarHandle(Bulkhead.class, "peak", long.class);
      SAMPLED = lookup.findVarHandle(Bulkhead.class, "sampled", long.class);
      SAMPLED_NANOS = lookup.findVarHandle(Bulkhead.class, "sampledNanos", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** The latency that is assumed of a dependency of which nothing is known. */
  private static final long UNKNOWN_LATENCY_NANOS = 20_000_000;

  /** Successes in a period that say what a dependency needs. */
  private static final int ENOUGH = 5;

  /**
   * How long after a call that was heard to end the next one is, of all calls and of the calls of
   * one thread: so when one last ended is known to within twice that.
   */
  static final long STAMP_NANOS = 50_000;

  /** For how long after a call has ended others are let in without a look. */
  private static final long FRESH_NANOS = 500_000;

  /** Where calls end less often than this, that is not worth while. */
  private static final long OFTEN_NANOS = 2_000_000;

  /** How long after another call has ended one may take the last thread. */
  private static final long LAST_THREAD_NANOS = 200_000;

  /** So long after a call has ended one that finds no place waits at the least, and at the most. */
  private static final long LEAST_PATIENCE_NANOS = 2_000_000;

  private static final long MOST_PATIENCE_NANOS = 500_000_000;

  /** How often a call looks whether there is a place now, if it has the longest time for it. */
  private static final int LOOKS = 40;

  /** Below this number of threads each of them matters. */
  private static final int FEW_THREADS = 16;

  /** When a call last ended, to within twice {@link #STAMP_NANOS}. */
  private long ended;

  /** Until when further calls are let in without a look. */
  private long fresh;

  /** How long calls took that ended just now. */
  private long recent;

  /** The most calls that were in flight when somebody looked, since the limit was last learned. */
  private long peak;

  /** Calls that ended well and were timed, since the limit was last learned. */
  private long sampled;

  /** How long those took in all. */
  private long sampledNanos;

  private final Workers workers;
  private final InFlight inFlight;
  private final AtomicInteger counted = new AtomicInteger();
  private volatile int fixed;
  private volatile int lost;
  private volatile long latencyNanos;
  private volatile boolean learned;

  // written by the tick
  private volatile double needed;
  private double baselineNanos;

  Bulkhead(Workers workers, InFlight inFlight, int maxConcurrentCalls, long now) {
    this.workers = workers;
    this.inFlight = inFlight;
    ended = now;
    fresh = now - Long.MAX_VALUE / 2;
    configure(maxConcurrentCalls);
    workers.add(this);
  }

  /** Takes over the setting; 0 for auto. */
  void configure(int maxConcurrentCalls) {
    fixed = maxConcurrentCalls;
  }

  /** Whether the limit is a number that somebody set. */
  boolean isFixed() {
    return fixed != BreakerConfig.AUTO;
  }

  int limit() {
    int number = fixed;
    if (number != BreakerConfig.AUTO) {
      return number;
    }
    int share = workers.share();
    return share == NO_LIMIT || !learned ? share : limitFor(needed, share);
  }

  /** What a dependency gets that needs so many calls at once: half as many again, and two. */
  static int limitFor(double needed, int share) {
    return (int) Math.min(share, Math.ceil(1.5 * needed) + 2);
  }

  /** Calls in flight. */
  int inFlight() {
    return inFlight.count();
  }

  /**
   * Tells how many calls are in flight, and how many of them the limit counts no more because
   * nobody expects them back. By the tick.
   */
  void look(int calls, int notExpected) {
    if (lost != notExpected) {
      lost = notExpected;
    }
    notePeak(calls - notExpected);
  }

  /** A healthy call's mean duration, as far as it is known. */
  long latencyNanos() {
    long known = latencyNanos;
    return known > 0 ? known : Math.max(UNKNOWN_LATENCY_NANOS, recentNanos());
  }

  /** How long calls took that ended just now. */
  private long recentNanos() {
    return (long) RECENT.getOpaque(this);
  }

  /** When a call last ended, to within twice {@link #STAMP_NANOS}. */
  long endedNanos() {
    return (long) ENDED.getOpaque(this);
  }

  /**
   * Since when no call has ended: when one last ended or, if that is later, when the first one in
   * flight began after that. So a time in which nobody called does not count, be it that there was
   * nothing to do or that this JVM's threads did not run.
   */
  long progressNanos() {
    return inFlight.firstAfter(endedNanos());
  }

  /**
   * Whether there was room when a call ended just now, and calls take about as long as they should,
   * so that a further one can be let in without a look.
   */
  boolean isFresh(long now) {
    return now - (long) FRESH.getOpaque(this) < 0;
  }

  /**
   * Whether a call that already stands in {@link InFlight} may go on under a limit that was set.
   *
   * @return true if it may; then it is counted, and {@link #leaveCounted} must follow
   */
  boolean enterCounted() {
    int limit = fixed;
    if (counted.getAndIncrement() - lost < limit || limit == BreakerConfig.AUTO) {
      return true;
    }
    counted.getAndDecrement();
    return false;
  }

  /** Counts a call, whether there is room for it or not; {@link #leaveCounted} must follow. */
  void count() {
    counted.getAndIncrement();
  }

  /** A call has left that was counted. */
  void leaveCounted() {
    counted.getAndDecrement();
  }

  /**
   * Whether a call that already stands in {@link InFlight} may go on under an automatic limit.
   * Waits where another is likely to end soon.
   *
   * @param clock tells the present after a wait
   */
  boolean enter(long now, LongSupplier clock) {
    if (isFresh(now) || workers.share() == NO_LIMIT) {
      return true;
    }
    int before = inFlight.count() - 1 - lost;
    notePeak(before + 1);
    return admits(before, now) || waitForPlace(before, now, clock);
  }

  /** Looks again now and then. The looks are counted, as a clock may stand still. */
  private boolean waitForPlace(int refused, long now, LongSupplier clock) {
    int before = refused;
    long looked = now;
    for (int looks = 0; looks < LOOKS && isPatient(before, now, looked); looks++) {
      workers.pause(patienceNanos(before, latencyNanos()) / LOOKS);
      looked = clock.getAsLong();
      before = inFlight.count() - 1 - lost;
      if (admits(before, looked)) {
        return true;
      }
    }
    return false;
  }

  private boolean admits(int before, long now) {
    return hasPlace(before, now) || isTolerated(before, now);
  }

  /**
   * Whether a call that finds no place is to wait for one: if not much time has passed since one
   * ended or, if that is later, since the first of those began that have not.
   *
   * @param askedNanos when the call asked, which is in flight itself
   */
  private boolean isPatient(int before, long askedNanos, long now) {
    long latency = latencyNanos();
    long ended = endedNanos();
    long progress = inFlight.firstAfter(ended);
    long since = now - (progress - askedNanos < 0 ? progress : ended);
    return recentNanos() <= 4 * latency && since <= patienceNanos(before, latency);
  }

  /**
   * For how long the next end may be waited for: so long that of a thousand healthy calls hardly
   * one finds none.
   */
  static long patienceNanos(long inFlight, long latencyNanos) {
    long longEnough = 8 * latencyNanos / Math.max(1, inFlight);
    return Math.max(LEAST_PATIENCE_NANOS, Math.min(longEnough, MOST_PATIENCE_NANOS));
  }

  /**
   * Whether there is a place under the limit. Where a share is a single thread, several
   * dependencies that hang may each hold more, and the last thread of all is nobody's share: it is
   * for a call that comes when another, to whichever dependency, has just ended.
   */
  private boolean hasPlace(int before, long now) {
    return before < limit()
        && (!workers.isShareOne()
            || workers.leftNow(this, before + 1) >= 1
            || now - workers.endedNanos(this) <= LAST_THREAD_NANOS);
  }

  /**
   * Whether calls to this dependency and the others hold all the server's threads but the one that
   * asks, which a probe must not put at risk.
   */
  boolean isLastThread() {
    if (workers.share() == NO_LIMIT) {
      return false;
    }
    int calls = inFlight.count();
    return calls > 0 && workers.leftNow(this, calls + 1) < 1;
  }

  /** Whether a further call would be refused; takes nothing. */
  boolean refuses(long now) {
    return refuses(now, 0);
  }

  /**
   * The same.
   *
   * @param toCome calls that will come before it
   */
  boolean refuses(long now, int toCome) {
    if (isFixed()) {
      return counted.get() - lost + toCome >= fixed;
    }
    if (isFresh(now) || workers.share() == NO_LIMIT) {
      return false;
    }
    int before = inFlight.count() - lost + toCome;
    return !admits(before, now) && !isPatient(before, now, now);
  }

  /**
   * Notes that a call has ended.
   *
   * @param good whether it succeeded, so that its duration says what is usual
   */
  void ended(long durationNanos, boolean good, long now) {
    long before = endedNanos();
    if (now - before >= STAMP_NANOS) {
      stamp(durationNanos, good, now, now - before);
    }
  }

  private void stamp(long durationNanos, boolean good, long now, long sinceNanos) {
    ENDED.setOpaque(this, now);
    long lately = recentNanos();
    lately += (durationNanos - lately) / 8;
    RECENT.setOpaque(this, lately);
    if (good) {
      SAMPLED.setOpaque(this, (long) SAMPLED.getOpaque(this) + 1);
      SAMPLED_NANOS.setOpaque(this, (long) SAMPLED_NANOS.getOpaque(this) + durationNanos);
    }
    boolean often = sinceNanos < OFTEN_NANOS && !isFixed();
    if (often && hasRoom(lately)) {
      FRESH.setOpaque(this, now + FRESH_NANOS);
    }
  }

  private boolean hasRoom(long latelyNanos) {
    return workers.share() == NO_LIMIT
        || latelyNanos <= 4 * latencyNanos() && inFlight.count() - lost < limit();
  }

  private void notePeak(int calls) {
    if (calls > (long) PEAK.getOpaque(this)) {
      PEAK.setOpaque(this, (long) calls);
    }
  }

  /** Whether a call may pass though the limit is reached. */
  private boolean isTolerated(int before, long now) {
    return isOnPace(before, now)
        || !learned && 8 * workers.leftNow(this, before + 1) >= 3 * workers.size();
  }

  private boolean isOnPace(long calls, long now) {
    long latency = latencyNanos();
    long left = workers.leftBeside(this, calls + 1);
    long ended = endedNanos();
    long progress = inFlight.firstAfter(ended);
    // the last thread is for a call that comes when another has just ended
    long since = left < 1 ? now - ended : progress == ended ? 0 : now - progress;
    return recentNanos() <= 4 * latency && isOnPace(calls, since, latency, left, workers.size());
  }

  /**
   * Whether calls end as they do while the dependency is healthy: of n calls that take L each, one
   * ends every L / n. A few times that without an end is no accident any more. The fewer threads
   * are left for others, the less is forgiven.
   *
   * @param sinceProgressNanos since when no call has ended
   * @param latencyNanos how long a call takes
   * @param left threads that neither this dependency nor the others' shares would hold
   * @param threads threads in all
   */
  static boolean isOnPace(
      long inFlight, long sinceProgressNanos, long latencyNanos, long left, int threads) {
    long paceNanos = latencyNanos / Math.max(1, inFlight);
    if (left < 1) {
      return sinceProgressNanos <= Math.max(LAST_THREAD_NANOS, paceNanos);
    }
    // where threads are few, all but the last may be held anyway
    boolean few = threads < FEW_THREADS;
    long forgivenNanos = few ? 10_000_000 : left * 8 >= threads ? 5_000_000 : 2_000_000;
    return sinceProgressNanos <= Math.max(forgivenNanos, 5 * paceNanos);
  }

  /** Learns from a period of about a second what the dependency needs. By the tick only. */
  void learn() {
    long highest = (long) PEAK.getOpaque(this);
    PEAK.setOpaque(this, (long) Math.max(0, inFlight.count() - lost));
    long successes = (long) SAMPLED.getOpaque(this);
    long successNanos = (long) SAMPLED_NANOS.getOpaque(this);
    SAMPLED.setOpaque(this, 0L);
    SAMPLED_NANOS.setOpaque(this, 0L);
    if (successes >= ENOUGH) {
      double mean = (double) successNanos / successes;
      // a slow period is not what it needs; one that lasts becomes what it needs within a minute
      boolean usual = baselineNanos == 0 || mean <= 2 * baselineNanos;
      baselineNanos = blend(baselineNanos, mean, usual ? 0.3 : 0.02);
      latencyNanos = Math.max(1, (long) baselineNanos);
      if (usual) {
        needed = Math.max(highest, 0.98 * needed);
        learned = true;
      }
    }
  }

  private static double blend(double old, double fresh, double weight) {
    return old == 0 ? fresh : old + weight * (fresh - old);
  }
}
