package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What one thread has counted at one breaker on its happy path.
 *
 * <p>Concurrency: one writer, the owner, which needs no atomic instruction; any number of readers.
 * (Only the slots of {@link InFlight} are freed, and slow calls claimed, by others too.) A count of
 * the window carries the tag of its slice, and a reader takes it only if the tag is right before
 * and after. When the owner has died, {@link CellTable#sweep} sets the cell free, and its next
 * owner counts on from there.
 *
 * <p>The idea is that of a per-thread counter (McKenney, "Is Parallel Programming Hard", chapter
 * 5).
 */
final class Cell {

  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  /** Keeps what other threads write off the cache lines of these counters. */
  private static final int PAD = 16;

  /** How many calls of one thread, each begun within the one before, have a slot of their own. */
  static final int DEPTH = 4;

  private static final int ACQUIRED = PAD;
  private static final int SUCCESSES = PAD + 1;
  private static final int SUCCESS_NANOS = PAD + 2;
  private static final int SLICE_START = PAD + 3;
  private static final int SLICE_TAG = PAD + 4;
  private static final int SLICE_PLACE = PAD + 5;
  private static final int BEGAN = PAD + 6;
  private static final int TAGS = BEGAN + DEPTH;
  private static final int CALLS = TAGS + TimeWindow.SLICES;
  private static final int CLAIMS = CALLS + TimeWindow.SLICES;
  private static final int LENGTH = CLAIMS + DEPTH + PAD;

  /** Where the cell stands in its table. */
  final int place;

  private final long[] longs = new long[LENGTH];
  private final LatencyHistogram latency = new LatencyHistogram();

  /**
   * The one thread that may write, or null while the cell is free. Only {@link CellTable} changes
   * it.
   */
  volatile Thread owner;

  Cell(Thread owner, int place) {
    this.owner = owner;
    this.place = place;
  }

  // ---- by the owner

  void countAcquired() {
    LONGS.setOpaque(longs, ACQUIRED, longs[ACQUIRED] + 1);
  }

  void countSuccess(long durationNanos) {
    LONGS.setOpaque(longs, SUCCESSES, longs[SUCCESSES] + 1);
    LONGS.setOpaque(longs, SUCCESS_NANOS, longs[SUCCESS_NANOS] + durationNanos);
  }

  /** Takes a slot for a call that begins; -1 if all are taken. See {@link InFlight}. */
  int begin(long stamp) {
    for (int depth = 0; depth < DEPTH; depth++) {
      if ((long) LONGS.getOpaque(longs, BEGAN + depth) == 0) {
        LONGS.setRelease(longs, BEGAN + depth, stamp);
        return depth;
      }
    }
    return -1;
  }

  void recordLatency(long durationNanos, long now) {
    latency.recordAlone(durationNanos, now);
  }

  void countInWindow(TimeWindow window, long now) {
    long since = now - longs[SLICE_START];
    // the tag names the window as well: after a transition the same slice begins anew
    if (since < 0 || since >= window.sliceNanos() || !window.owns(longs[SLICE_TAG])) {
      beginSlice(window, now);
    }
    int calls = CALLS + (int) longs[SLICE_PLACE];
    LONGS.setRelease(longs, calls, longs[calls] + 1);
  }

  private void beginSlice(TimeWindow window, long now) {
    long tick = window.tick(now);
    long tag = window.tag(tick);
    int place = (int) (tick % TimeWindow.SLICES);
    longs[SLICE_START] = window.startNanos(tick);
    longs[SLICE_TAG] = tag;
    longs[SLICE_PLACE] = place;
    if (longs[TAGS + place] != tag) {
      LONGS.setOpaque(longs, CALLS + place, 0L);
      LONGS.setRelease(longs, TAGS + place, tag);
    }
  }

  // ---- by anyone

  void end(int depth) {
    LONGS.setRelease(longs, BEGAN + depth, 0L);
  }

  /** When the call in the slot began, 0 if there is none. */
  long began(int depth) {
    return (long) LONGS.getAcquire(longs, BEGAN + depth);
  }

  boolean claim(int depth, long stamp) {
    long before = (long) LONGS.getVolatile(longs, CLAIMS + depth);
    return InFlight.claimable(before, stamp)
        && LONGS.compareAndSet(longs, CLAIMS + depth, before, stamp);
  }

  long acquired() {
    return (long) LONGS.getOpaque(longs, ACQUIRED);
  }

  long successes() {
    return (long) LONGS.getOpaque(longs, SUCCESSES);
  }

  /** How long its successes took in all. */
  long successNanos() {
    return (long) LONGS.getOpaque(longs, SUCCESS_NANOS);
  }

  LatencyHistogram latency() {
    return latency;
  }

  /** The calls counted in the slice of that place and tag, 0 if the place holds another slice. */
  long calls(int place, long tag) {
    if ((long) LONGS.getAcquire(longs, TAGS + place) != tag) {
      return 0;
    }
    long calls = (long) LONGS.getAcquire(longs, CALLS + place);
    return (long) LONGS.getAcquire(longs, TAGS + place) == tag ? calls : 0;
  }
}
