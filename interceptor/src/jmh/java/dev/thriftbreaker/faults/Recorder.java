package dev.thriftbreaker.faults;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * What happened to the requests, by the millisecond for which they were scheduled. A request is
 * good if it was answered as it should within its deadline; one that was shed is not.
 *
 * <p>Times are those of {@code System.nanoTime()}; positions are milliseconds since the recorder
 * was made. May be used by any number of threads.
 */
final class Recorder {

  /** What a request asks for. */
  enum Kind {
    /** Needs a dependency. */
    USE,
    /** Asks a dependency, and answers without it when that fails. */
    COPE,
    /** Needs none. */
    OTHER
  }

  private static final int CAPACITY_MILLIS = 600_000;

  private final long originNanos = System.nanoTime();
  private final AtomicIntegerArray[] offered = perKind();
  private final AtomicIntegerArray[] good = perKind();
  private final AtomicIntegerArray shed = new AtomicIntegerArray(CAPACITY_MILLIS);
  private final AtomicIntegerArray shedReplies = new AtomicIntegerArray(CAPACITY_MILLIS);
  private final AtomicIntegerArray calls = new AtomicIntegerArray(CAPACITY_MILLIS);
  private volatile Histogram othersLatency = new ConcurrentHistogram(3);

  private static AtomicIntegerArray[] perKind() {
    AtomicIntegerArray[] arrays = new AtomicIntegerArray[Kind.values().length];
    for (int i = 0; i < arrays.length; i++) {
      arrays[i] = new AtomicIntegerArray(CAPACITY_MILLIS);
    }
    return arrays;
  }

  int now() {
    return position(System.nanoTime());
  }

  int position(long nanos) {
    long millis = Math.max(0, (nanos - originNanos) / 1_000_000);
    return (int) Math.min(CAPACITY_MILLIS - 1, millis);
  }

  void offered(Kind kind, long scheduledNanos) {
    offered[kind.ordinal()].incrementAndGet(position(scheduledNanos));
  }

  void good(Kind kind, long scheduledNanos) {
    good[kind.ordinal()].incrementAndGet(position(scheduledNanos));
    if (kind == Kind.OTHER) {
      othersLatency.recordValue((System.nanoTime() - scheduledNanos) / 1000);
    }
  }

  /** A request that uses a dependency got the reply that it was shed. */
  void shed(long scheduledNanos) {
    shed.incrementAndGet(position(scheduledNanos));
    shedReplies.incrementAndGet(now());
  }

  /** The dependency got a call. */
  void called() {
    calls.incrementAndGet(now());
  }

  /** The latency of unrelated requests since the last such call, in microseconds. */
  Histogram nextLatencies() {
    Histogram last = othersLatency;
    othersLatency = new ConcurrentHistogram(3);
    return last;
  }

  long offered(Kind kind, int from, int to) {
    return sum(offered[kind.ordinal()], from, to);
  }

  /** The share of the requests scheduled from..to that were good; 1 if there were none. */
  double goodput(Kind kind, int from, int to) {
    long all = offered(kind, from, to);
    return all == 0 ? 1 : (double) sum(good[kind.ordinal()], from, to) / all;
  }

  long lost(Kind kind, int from, int to) {
    return offered(kind, from, to) - sum(good[kind.ordinal()], from, to);
  }

  /** The share of requests that use a dependency that were shed. */
  double shedShare(int from, int to) {
    return (double) sum(shed, from, to) / Math.max(1, offered(Kind.USE, from, to));
  }

  long calls(int from, int to) {
    return sum(calls, from, to);
  }

  /** When the first reply of a shed request came, from {@code from} on; -1 if none did. */
  int firstShed(int from, int to) {
    for (int i = from; i < to; i++) {
      if (shedReplies.get(i) > 0) {
        return i;
      }
    }
    return -1;
  }

  /** From when on {@code share} of a tenth of a second's requests were shed; -1 if never. */
  int mostlyShed(double share, int from, int to) {
    for (int i = from; i + 100 <= to; i++) {
      if (shedShare(i, i + 100) >= share) {
        return i;
      }
    }
    return -1;
  }

  /**
   * From when on {@code share} of the requests that use a dependency were good: of the next half
   * second's, and of the next two seconds', as a breaker may yet open on what it saw before; -1 if
   * never.
   */
  int recovered(double share, int from, int to) {
    for (int i = from; i + 2000 <= to; i++) {
      if (good[Kind.USE.ordinal()].get(i) > 0
          && goodput(Kind.USE, i, i + 500) >= share
          && goodput(Kind.USE, i, i + 2000) >= share) {
        return i;
      }
    }
    return -1;
  }

  /** When the last of these requests was scheduled that was not good; -1 if all were. */
  int lastLost(Kind kind, int from, int to) {
    for (int i = to - 1; i >= from; i--) {
      if (offered[kind.ordinal()].get(i) > good[kind.ordinal()].get(i)) {
        return i;
      }
    }
    return -1;
  }

  /** The highest rate of calls to the dependency in a quarter of a second, per demand in it. */
  double peak(int from, int to) {
    double peak = 0;
    for (int i = from; i + 250 <= to; i += 10) {
      long demand = offered(Kind.USE, i, i + 250) + offered(Kind.COPE, i, i + 250);
      peak = Math.max(peak, (double) calls(i, i + 250) / Math.max(1, demand));
    }
    return peak;
  }

  private static long sum(AtomicIntegerArray values, int from, int to) {
    long sum = 0;
    for (int i = Math.max(0, from); i < Math.min(to, CAPACITY_MILLIS); i++) {
      sum += values.get(i);
    }
    return sum;
  }
}
