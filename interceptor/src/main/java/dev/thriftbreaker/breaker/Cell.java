package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What one thread has counted at one breaker on its happy path.
 *
 * <p>Concurrency: one writer, the owner, which needs no atomic instruction; any number of readers.
 * A count of the window carries the tag of its slice, and a reader takes it only if the tag is
 * right before and after. When the owner has died, {@link CellTable#sweep} sets the cell free, and
 * its next owner counts on from there.
 *
 * <p>The idea is that of a per-thread counter (McKenney, "Is Parallel Programming Hard", chapter
 * 5).
 */
final class Cell {

  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  /** Keeps what other threads write off the cache lines of these counters. */
  private static final int PAD = 16;

  private static final int ACQUIRED = PAD;
  private static final int SUCCESSES = PAD + 1;
  private static final int SLICE_START = PAD + 2;
  private static final int SLICE_TAG = PAD + 3;
  private static final int SLICE_PLACE = PAD + 4;
  private static final int TAGS = PAD + 5;
  private static final int CALLS = TAGS + TimeWindow.SLICES;
  private static final int LENGTH = CALLS + TimeWindow.SLICES + PAD;

  private final long[] longs = new long[LENGTH];
  private final LatencyHistogram latency = new LatencyHistogram();

  /**
   * The one thread that may write, or null while the cell is free. Only {@link CellTable} changes
   * it.
   */
  volatile Thread owner;

  Cell(Thread owner) {
    this.owner = owner;
  }

  // ---- by the owner

  void countAcquired() {
    LONGS.setOpaque(longs, ACQUIRED, longs[ACQUIRED] + 1);
  }

  void countSuccess() {
    LONGS.setOpaque(longs, SUCCESSES, longs[SUCCESSES] + 1);
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

  long acquired() {
    return (long) LONGS.getOpaque(longs, ACQUIRED);
  }

  long successes() {
    return (long) LONGS.getOpaque(longs, SUCCESSES);
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
