package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * The calls of the last span of time, in slices.
 *
 * <p>Concurrency: a slice is an object of its own that is replaced, never reset, when its turn
 * comes round. A thread that is late writes into a slice that no reader looks at any more, or into
 * the newer one of its place; no count is torn. One allocation a slice, none a call.
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

  private final long origin;
  private final long sliceNanos;
  private final AtomicReferenceArray<Slice> ring = new AtomicReferenceArray<>(SLICES);

  TimeWindow(long windowNanos, long now) {
    this.origin = now;
    this.sliceNanos = windowNanos / SLICES;
  }

  @Override
  void record(boolean failed, boolean slow, long now) {
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
    for (int i = 0; i < SLICES; i++) {
      Slice slice = ring.get(i);
      if (slice != null && newest - slice.tick < SLICES) {
        // failures before calls: a call recorded in between can lower a rate, never raise it above
        // 1
        failures += slice.failures.sum();
        slowCalls += slice.slowCalls.sum();
        calls += slice.calls.sum();
      }
    }
    return new WindowCounts(calls, failures, slowCalls);
  }

  private long tick(long now) {
    return Math.max(0, (now - origin) / sliceNanos);
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
