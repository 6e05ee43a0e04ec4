package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * The calls of the last span of time, in slices.
 *
 * <p>Concurrency: a good call is counted in the cell of its thread, any other in a slice that all
 * threads share. A shared slice is an object of its own that is replaced, never reset, when its
 * turn comes round: a thread that is late writes into a slice that no reader looks at any more, or
 * into the newer one of its place; no count is torn. A good call allocates nothing; a bad one, a
 * slice at most.
 */
final class TimeWindow extends Window {

  static final int SLICES = 10;

  private static final class Slice {
    final long tick;
    final LongAdder calls = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder slowCalls = new LongAdder();

    Slice(long tick) {
      this.tick = tick;
    }
  }

  private final CellTable cells;
  private final long generation;
  private final long id;
  private final long origin;
  private final long sliceNanos;
  private final AtomicReferenceArray<Slice> ring = new AtomicReferenceArray<>(SLICES);

  /**
   * Makes an empty window.
   *
   * @param generation the state's; tells its slices from those of other windows in the same cells
   */
  TimeWindow(CellTable cells, long generation, long windowNanos, long now) {
    this.cells = cells;
    this.generation = generation;
    this.id = generation & 0x7FFF_FFFF;
    this.origin = now;
    this.sliceNanos = windowNanos / SLICES;
  }

  @Override
  void recordGood(Cell mine, long now) {
    if (mine != null) {
      mine.countInWindow(this, now);
    } else {
      slice(tick(now)).calls.increment();
    }
  }

  @Override
  void recordBad(boolean failed, boolean slow, long now) {
    Slice slice = slice(tick(now));
    slice.calls.increment();
    if (failed) {
      slice.failures.increment();
    }
    if (slow) {
      slice.slowCalls.increment();
    }
  }

  @Override
  WindowCounts counts(long now) {
    long newest = tick(now);
    long calls = 0;
    long failures = 0;
    long slowCalls = 0;
    for (long tick = Math.max(0, newest - SLICES + 1); tick <= newest; tick++) {
      int place = (int) (tick % SLICES);
      Slice slice = ring.get(place);
      if (slice != null && slice.tick == tick) {
        // failures before calls: a call recorded in between can lower a rate, never raise it above
        // 1
        failures += slice.failures.sum();
        slowCalls += slice.slowCalls.sum();
        calls += slice.calls.sum();
      }
      calls += cells.calls(place, tag(tick));
    }
    return new WindowCounts(calls, failures, slowCalls);
  }

  /** The permit of its state's calls, without a slot. */
  long permit() {
    return Permits.of(generation);
  }

  long tick(long now) {
    return Math.max(0, (now - origin) / sliceNanos);
  }

  long startNanos(long tick) {
    return origin + tick * sliceNanos;
  }

  long sliceNanos() {
    return sliceNanos;
  }

  /** Names one slice of one window. Never 0. */
  long tag(long tick) {
    return id << 32 | tick & 0xFFFF_FFFFL;
  }

  /** Whether a tag is one of this window's. */
  boolean owns(long tag) {
    return tag >>> 32 == id;
  }

  private Slice slice(long tick) {
    int place = (int) (tick % SLICES);
    while (true) {
      Slice slice = ring.get(place);
      if (slice != null && slice.tick >= tick) {
        return slice;
      }
      Slice fresh = new Slice(tick);
      if (ring.compareAndSet(place, slice, fresh)) {
        return fresh;
      }
    }
  }
}
