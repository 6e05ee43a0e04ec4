package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The last N calls.
 *
 * <p>Concurrency: a ticket names the place, an atomic exchange swaps the old call for the new, and
 * the sums move by the difference of exactly that exchange. So at rest the sums equal the ring,
 * whatever the interleaving.
 */
final class CountWindow extends Window {

  private static final int NONE = 0;
  private static final int CALL = 1;
  private static final int FAILED = 2;
  private static final int SLOW = 4;

  private final AtomicIntegerArray ring;
  private final AtomicLong cursor = new AtomicLong();
  private final AtomicLong calls = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();
  private final AtomicLong slowCalls = new AtomicLong();

  CountWindow(int size) {
    ring = new AtomicIntegerArray(size);
  }

  @Override
  void recordGood(Cell mine, long now) {
    record(CALL);
  }

  @Override
  void recordBad(boolean failed, boolean slow, long now) {
    record(CALL | (failed ? FAILED : 0) | (slow ? SLOW : 0));
  }

  private void record(int fresh) {
    int place = (int) (cursor.getAndIncrement() % ring.length());
    int old = ring.getAndSet(place, fresh);
    move(calls, old, fresh, CALL);
    move(failures, old, fresh, FAILED);
    move(slowCalls, old, fresh, SLOW);
  }

  private static void move(AtomicLong sum, int old, int fresh, int bit) {
    int delta = (fresh & bit) - (old & bit);
    if (delta != NONE) {
      sum.getAndAdd(Integer.signum(delta));
    }
  }

  @Override
  WindowCounts recount(long now) {
    long all = 0;
    long failed = 0;
    long slow = 0;
    for (int place = 0; place < ring.length(); place++) {
      int call = ring.get(place);
      all += call & CALL;
      failed += (call & FAILED) / FAILED;
      slow += (call & SLOW) / SLOW;
    }
    return new WindowCounts(all, failed, slow);
  }

  @Override
  WindowCounts counts(long now) {
    return new WindowCounts(calls.get(), failures.get(), slowCalls.get());
  }
}
