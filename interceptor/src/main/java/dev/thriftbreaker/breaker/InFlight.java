package dev.thriftbreaker.breaker;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * When each call in flight began, so that a call that hangs is seen while it hangs.
 *
 * <p>Concurrency: a slot holds 0 when free, else the moment its call began. A slot of a {@link
 * Cell} is taken by the cell's owner alone, with a plain store; one of the shared slots, for
 * threads without a cell and calls nested deeper than a cell holds, by compare-and-set. Whoever
 * ends the call frees its slot, once.
 *
 * <p>A call that has become slow is counted once, by the watching thread while it hangs or by the
 * thread that ends it: whoever is first to {@link #claim} it. A call that was not slow needs no
 * claim. This is exact because an ending thread frees the slot <em>before</em> it reads the clock:
 * if the clock says that the call was not slow, the slot was free before the call could become
 * slow, and the watch looks no sooner than {@link #GRACE_NANOS} after that, which is far longer
 * than a store takes to become visible.
 */
final class InFlight {

  /** The slot of a call that found no place; its age is not watched. */
  static final int NO_SLOT = 0;

  /** Bits that a slot's number takes. */
  static final int BITS = 13;

  /** How long after a call became slow the watch counts it. */
  static final long GRACE_NANOS = 1_000_000;

  private static final int FIRST_SHARED = 1 + CellTable.MOST * Cell.DEPTH;
  private static final int SHARED = 1024;
  private static final int TRIES = 16;
  private static final int SHOWN_CALLS = 5;

  /** Slots that any thread may take. */
  private static final class Shared {
    final AtomicInteger taken = new AtomicInteger();
    final AtomicInteger cursor = new AtomicInteger();
    final AtomicLongArray stamps = new AtomicLongArray(SHARED);
    final AtomicLongArray claims = new AtomicLongArray(SHARED);
    final AtomicReferenceArray<Thread> threads = new AtomicReferenceArray<>(SHARED);
  }

  /** Sees one call. */
  interface Visitor {
    /**
     * Visits.
     *
     * @param thread the thread that began the call, or null if it is not known
     */
    void visit(int slot, long startNanos, Thread thread);
  }

  private final CellTable cells;
  private final AtomicReference<Shared> shared = new AtomicReference<>();

  InFlight(CellTable cells) {
    this.cells = cells;
  }

  /** Notes a call that begins; returns its slot. */
  int begin(Cell mine, long now) {
    long stamp = stamp(now);
    if (mine != null) {
      int depth = mine.begin(stamp);
      if (depth >= 0) {
        return slot(mine.place, depth);
      }
    }
    return beginShared(stamp);
  }

  /** The slot of a cell at some depth of calls. */
  static int slot(int place, int depth) {
    return 1 + place * Cell.DEPTH + depth;
  }

  private int beginShared(long stamp) {
    Shared slots = shared.get();
    if (slots == null) {
      shared.compareAndSet(null, new Shared());
      slots = shared.get();
    }
    slots.taken.getAndIncrement();
    for (int i = 0; i < TRIES; i++) {
      int place = slots.cursor.getAndIncrement() & (SHARED - 1);
      if (slots.stamps.get(place) == 0 && slots.stamps.compareAndSet(place, 0, stamp)) {
        slots.threads.setOpaque(place, Thread.currentThread());
        return FIRST_SHARED + place;
      }
    }
    return NO_SLOT;
  }

  /** Notes that the call has ended. */
  void end(int slot) {
    if (slot == NO_SLOT) {
      shared.get().taken.getAndDecrement();
    } else if (slot >= FIRST_SHARED) {
      Shared slots = shared.get();
      slots.taken.getAndDecrement();
      slots.threads.setOpaque(slot - FIRST_SHARED, null);
      slots.stamps.setRelease(slot - FIRST_SHARED, 0);
    } else {
      cells.at((slot - 1) / Cell.DEPTH).end((slot - 1) % Cell.DEPTH);
    }
  }

  /** The cell of a slot, or null if it is not a cell's. */
  Cell cell(int slot) {
    return slot == NO_SLOT || slot >= FIRST_SHARED ? null : cells.at((slot - 1) / Cell.DEPTH);
  }

  /** Claims a slow call. True for the first to claim it, who is to count it. */
  boolean claim(int slot, long startNanos) {
    long stamp = stamp(startNanos);
    if (slot == NO_SLOT) {
      return true;
    }
    if (slot < FIRST_SHARED) {
      return cells.at((slot - 1) / Cell.DEPTH).claim((slot - 1) % Cell.DEPTH, stamp);
    }
    AtomicLongArray claims = shared.get().claims;
    long before = claims.get(slot - FIRST_SHARED);
    return claimable(before, stamp) && claims.compareAndSet(slot - FIRST_SHARED, before, stamp);
  }

  /**
   * Whether a call is not claimed, nor a later one of its slot, as a watch that was slow may find.
   */
  static boolean claimable(long claimed, long stamp) {
    return claimed == 0 || stamp - claimed > 0;
  }

  /**
   * How many calls are in flight. A look at every thread's cell: cheap where few threads call, and
   * asked only where the answer decides.
   */
  int count() {
    Shared slots = shared.get();
    return cells.inFlight() + (slots == null ? 0 : slots.taken.get());
  }

  /** When the first of the calls in flight began that began after a moment; else that moment. */
  long firstAfter(long nanos) {
    long[] first = {Long.MAX_VALUE};
    forEach(
        (slot, start, thread) -> {
          if (start - nanos > 0) {
            first[0] = Math.min(first[0], start - nanos);
          }
        });
    return first[0] == Long.MAX_VALUE ? nanos : nanos + first[0];
  }

  /** Shows every call in flight. */
  void forEach(Visitor visitor) {
    cells.forEach(
        cell -> {
          for (int depth = 0; depth < Cell.DEPTH; depth++) {
            long stamp = cell.began(depth);
            if (stamp != 0) {
              visitor.visit(slot(cell.place, depth), stamp, cell.owner);
            }
          }
        });
    Shared slots = shared.get();
    if (slots != null) {
      for (int place = 0; place < SHARED; place++) {
        long stamp = slots.stamps.getAcquire(place);
        if (stamp != 0) {
          visitor.visit(FIRST_SHARED + place, stamp, slots.threads.getOpaque(place));
        }
      }
    }
  }

  /**
   * The calls in flight that began first, the oldest first; a few.
   *
   * @param lookedAtNanos from which age on it is looked up where a call is, which stops its thread
   *     for a moment
   */
  List<Evidence.PendingCall> oldest(long lookedAtNanos, long now) {
    record Seen(long ageNanos, Thread thread) {}
    List<Seen> all = new ArrayList<>();
    forEach((slot, start, thread) -> all.add(new Seen(now - start, thread)));
    all.sort(Comparator.comparingLong(Seen::ageNanos).reversed());
    return all.stream()
        .limit(SHOWN_CALLS)
        .map(
            seen ->
                Evidence.PendingCall.of(seen.thread, seen.ageNanos >= lookedAtNanos, seen.ageNanos))
        .toList();
  }

  /** The moment, but for a nanosecond: never 0, which means free. */
  static long stamp(long now) {
    return now | 1;
  }
}
