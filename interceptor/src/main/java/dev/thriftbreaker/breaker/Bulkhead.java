package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How many calls to one dependency are in flight, and how many may be.
 *
 * <p>A limit that is set is a limit. One that is {@code auto} follows what the dependency needs
 * while it is healthy, up to its share of the server's threads (see {@link Workers}). Below the
 * limit a call is admitted. At the limit it is admitted only as long as calls go on ending at about
 * the pace that a healthy dependency shows: so a burst is not refused, and a dependency that hangs
 * keeps few more threads than the limit, and so does one that has become slow. The pace is {@link
 * #isOnPace}.
 *
 * <p>Concurrency: the count is one atomic add when a call begins and one when it ends. What the
 * limit rests on is written by the tick and read by calls, each value by itself; the stamps beside
 * the count are written by any call, and a lost write moves them by the time between two calls. A
 * call is counted before it is judged, so the limit holds whatever the race; a call that is about
 * to be refused may make another see one more than there is.
 */
final class Bulkhead {

  static final int NO_LIMIT = Integer.MAX_VALUE;

  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  /** Keeps what others write off the cache line of the count. */
  private static final int PAD = 16;

  private static final int COUNT = PAD;
  private static final int ENDED = PAD + 1;
  private static final int WAITING = PAD + 2;
  private static final int PEAK = PAD + 3;
  private static final int RECENT = PAD + 4;
  private static final int LENGTH = PAD + 5 + PAD;

  /** The latency that is assumed of a dependency of which nothing is known. */
  private static final long UNKNOWN_LATENCY_NANOS = 20_000_000;

  /** Successes in a period that say what a dependency needs. */
  private static final int ENOUGH = 5;

  private final Workers workers;
  private final long[] line = new long[LENGTH];
  private volatile int fixed;
  private volatile int limit;
  private volatile int lost;
  private volatile long latencyNanos;
  private volatile boolean learned;

  // written by the tick
  private volatile double needed;
  private double baselineNanos;

  Bulkhead(Workers workers, int maxConcurrentCalls, long now) {
    this.workers = workers;
    line[ENDED] = now;
    line[WAITING] = now - 1;
    configure(maxConcurrentCalls);
    workers.add(this);
  }

  /** Takes over the setting; 0 for auto. */
  void configure(int maxConcurrentCalls) {
    fixed = maxConcurrentCalls;
    adjust();
  }

  /** Takes over what the server's size and the dependency's need are now. */
  void adjust() {
    int share = workers.share();
    if (fixed != BreakerConfig.AUTO) {
      limit = fixed;
    } else if (share == NO_LIMIT || !learned) {
      limit = share;
    } else {
      limit = limitFor(needed, share);
    }
  }

  /** What a dependency gets that needs so many calls at once: half as many again, and two. */
  static int limitFor(double needed, int share) {
    return (int) Math.min(share, Math.ceil(1.5 * needed) + 2);
  }

  int limit() {
    return limit;
  }

  /** Calls in flight. */
  long inFlight() {
    return (long) LONGS.getOpaque(line, COUNT);
  }

  /** Calls in flight that the limit counts no more, because nobody expects them back. */
  int lost() {
    return lost;
  }

  void lost(int calls) {
    if (lost != calls) {
      lost = calls;
    }
  }

  /** A healthy call's mean duration, as far as it is known. */
  long latencyNanos() {
    long known = latencyNanos;
    return known > 0 ? known : Math.max(UNKNOWN_LATENCY_NANOS, recentNanos());
  }

  /** How long calls took that ended just now. */
  private long recentNanos() {
    return (long) LONGS.getOpaque(line, RECENT);
  }

  /**
   * Since when no call has ended: when one last ended or, if that is later, when the first one
   * began after that. So a time in which nobody called does not count, be it that there was nothing
   * to do or that this JVM's threads did not run.
   */
  long progressNanos() {
    long ended = (long) LONGS.getOpaque(line, ENDED);
    long waiting = (long) LONGS.getOpaque(line, WAITING);
    return waiting - ended >= 0 ? waiting : ended;
  }

  /** Counts a call, if there is room for it. */
  boolean enter(long now) {
    long before = count(now);
    if (before < limit || fixed == BreakerConfig.AUTO && isOnPace(before, now)) {
      return true;
    }
    LONGS.getAndAdd(line, COUNT, -1L);
    return false;
  }

  /** Counts a call, whether there is room for it or not. */
  void force(long now) {
    count(now);
  }

  void leave(long durationNanos, long now) {
    LONGS.getAndAdd(line, COUNT, -1L);
    LONGS.setOpaque(line, ENDED, now);
    long recent = recentNanos();
    LONGS.setOpaque(line, RECENT, recent + (durationNanos - recent) / 8);
  }

  /** Whether {@link #enter} would refuse; takes nothing. */
  boolean refuses(long now) {
    long before = inFlight() - lost;
    return before >= limit && !(fixed == BreakerConfig.AUTO && isOnPace(before, now));
  }

  private long count(long now) {
    long before = (long) LONGS.getAndAdd(line, COUNT, 1L) - lost;
    if ((long) LONGS.getOpaque(line, WAITING) - (long) LONGS.getOpaque(line, ENDED) < 0) {
      LONGS.setOpaque(line, WAITING, now);
    }
    if (before >= (long) LONGS.getOpaque(line, PEAK)) {
      LONGS.setOpaque(line, PEAK, before + 1);
    }
    return before;
  }

  private boolean isOnPace(long inFlight, long now) {
    long latency = latencyNanos();
    long left = workers.leftBeside(this, inFlight + 1);
    // the last thread is for a call that comes when another has just ended
    long since = left < 1 ? (long) LONGS.getOpaque(line, ENDED) : progressNanos();
    return recentNanos() <= 4 * latency
        && isOnPace(inFlight, now - since, latency, left, workers.size());
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
      return sinceProgressNanos <= Math.max(200_000, paceNanos);
    }
    // where threads are few, all but the last may be held anyway
    boolean few = threads < 16;
    long forgivenNanos = few ? 10_000_000 : left * 8 >= threads ? 5_000_000 : 2_000_000;
    return sinceProgressNanos <= Math.max(forgivenNanos, 5 * paceNanos);
  }

  /**
   * Learns from a period of about a second what the dependency needs. By the tick only.
   *
   * @param successes calls that succeeded in it
   * @param successNanos how long they took in all
   */
  void learn(long successes, long successNanos) {
    long peak = (long) LONGS.getOpaque(line, PEAK);
    LONGS.setOpaque(line, PEAK, Math.max(0, inFlight() - lost));
    if (successes >= ENOUGH) {
      double mean = (double) successNanos / successes;
      // a slow period is not what it needs; one that lasts becomes what it needs within a minute
      boolean usual = baselineNanos == 0 || mean <= 2 * baselineNanos;
      baselineNanos = blend(baselineNanos, mean, usual ? 0.3 : 0.02);
      latencyNanos = Math.max(1, (long) baselineNanos);
      if (usual) {
        needed = Math.max(peak, 0.98 * needed);
        learned = true;
      }
    }
    adjust();
  }

  private static double blend(double old, double fresh, double weight) {
    return old == 0 ? fresh : old + weight * (fresh - old);
  }
}
