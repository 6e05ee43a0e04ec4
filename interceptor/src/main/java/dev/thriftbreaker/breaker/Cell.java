package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What one thread has counted at one breaker on its happy path. To others than the breaker it is
 * only something to be handed on: from {@link CircuitBreaker#cell} to the beginning and the end of
 * a call, all on one thread.
 *
 * <p>Concurrency: one writer, the owner, which needs no atomic instruction; any number of readers.
 * (Only the slots of {@link InFlight} are freed, and slow calls claimed, by others too.) When the
 * owner has died, {@link CellTable#sweep} sets the cell free, and its next owner counts on from
 * there.
 *
 * <p>The calls of a slice of the window are what {@link #windowed} has grown by since the slice
 * began, so that a call is one count and not two. A slice that is over is kept with its tag; a
 * reader takes a count only if the tag is right before and after.
 *
 * <p>{@link #quick} is the permit of the state that the present slice belongs to, without a slot. A
 * call of that state in the cell's first slot that ends before {@link #checkNanos} takes the short
 * way: plain stores, two when it begins and three when it ends. Anything else takes the long way
 * and brings the cell up to date.
 *
 * <p>The idea is that of a per-thread counter (McKenney, "Is Parallel Programming Hard", chapter
 * 5).
 */
public final class Cell extends Padded {

  /** How many calls of one thread, each begun within the one before, have a slot of their own. */
  static final int DEPTH = 4;

  /** Of so many refusals in a row without a tick, one looks at the clock. */
  private static final int AGAIN = 16;

  /** No state's permit, nor what a {@link Status} says that has none. */
  private static final long NONE = -2;

  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);
  private static final VarHandle BEGAN;
  private static final VarHandle ACQUIRED;
  private static final VarHandle REFUSED;
  private static final VarHandle OTHER_SUCCESSES;
  private static final VarHandle WINDOWED;
  private static final VarHandle SLICE_TAG;
  private static final VarHandle SLICE_FROM;

  static {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try {
      BEGAN = lookup.findVarHandle(Cell.class, "began", long.class);
      ACQUIRED = lookup.findVarHandle(Cell.class, "acquired", long.class);
      REFUSED = lookup.findVarHandle(Cell.class, "refused", long.class);
      OTHER_SUCCESSES = lookup.findVarHandle(Cell.class, "otherSuccesses", long.class);
      WINDOWED = lookup.findVarHandle(Cell.class, "windowed", long.class);
      SLICE_TAG = lookup.findVarHandle(Cell.class, "sliceTag", long.class);
      SLICE_FROM = lookup.findVarHandle(Cell.class, "sliceFrom", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** When the outermost call in flight began, 0 if there is none. */
  private long began;

  /** The permit, but for the slot, of a call that takes the short way. Only the owner looks. */
  private long quick = NONE;

  /** The whole permit of such a call. */
  private long ticket = NONE;

  /** The first slot, as part of a permit. */
  private final long firstSlot;

  /** When the cell has to be brought up to date. Only the owner looks. */
  private long checkNanos;

  private long acquired;
  private long refused;

  /** Calls that went well and were counted in a window. */
  private long windowed;

  /** Calls that went well otherwise. */
  private long otherSuccesses;

  /** The buckets of the latencies of the present period. */
  private int[] buckets;

  /** Which slice is being counted; 0 while that changes, and at first. */
  private long sliceTag;

  /** What {@link #windowed} was when the slice began. */
  private long sliceFrom;

  private long sliceStart;
  private final long[] nested = new long[DEPTH];
  private final long[] claims = new long[DEPTH];
  private final long[] tags = new long[TimeWindow.SLICES];
  private final long[] calls = new long[TimeWindow.SLICES];
  private final LatencyHistogram latency = new LatencyHistogram();

  /** Where the cell stands among its table's. */
  final int place;

  /**
   * The one thread that may write, or null while the cell is free. Only {@link CellTable} changes
   * it.
   */
  volatile Thread owner;

  Cell(int place) {
    this.place = place;
    this.firstSlot = Permits.with(0, InFlight.slot(place, 0));
  }

  // ---- by the owner, the short way

  /** Whether the cell is up to date for a state's calls, and none is in flight. */
  boolean isReadyFor(long quickPermit) {
    return quick == quickPermit && began == 0;
  }

  /** Whether a permit comes from {@link #beginQuick} and the state is still the same. */
  boolean isQuick(long permit, long quickPermit) {
    return quick == quickPermit && permit == ticket;
  }

  /** Begins a call; returns its permit. */
  long beginQuick(long stamp) {
    BEGAN.setRelease(this, stamp);
    ACQUIRED.setOpaque(this, acquired + 1);
    return ticket;
  }

  void endQuick() {
    BEGAN.setRelease(this, 0L);
  }

  /** Counts a good call, unless the cell is out of date. */
  boolean countQuick(long durationNanos, long now) {
    if (now - checkNanos >= 0) {
      return false;
    }
    WINDOWED.setRelease(this, windowed + 1);
    int bucket = LatencyHistogram.bucketOf(durationNanos);
    int[] counts = buckets;
    INTS.setOpaque(counts, bucket, counts[bucket] + 1);
    return true;
  }

  // ---- by the owner

  void countAcquired() {
    ACQUIRED.setOpaque(this, acquired + 1);
  }

  void countRefused() {
    REFUSED.setOpaque(this, refused + 1);
  }

  /** Counts a call that is refused as the one before was; false, and nothing, for one in 16. */
  boolean countRefusedAgain() {
    if (refused % AGAIN == AGAIN - 1) {
      return false;
    }
    countRefused();
    return true;
  }

  /** Counts a success that {@link #countInWindow} did not. */
  void countOtherSuccess() {
    OTHER_SUCCESSES.setOpaque(this, otherSuccesses + 1);
  }

  /** Takes a slot for a call that begins; -1 if all are taken. See {@link InFlight}. */
  int begin(long stamp) {
    if ((long) BEGAN.getOpaque(this) == 0) {
      BEGAN.setRelease(this, stamp);
      return 0;
    }
    for (int depth = 1; depth < DEPTH; depth++) {
      if ((long) LONGS.getOpaque(nested, depth) == 0) {
        LONGS.setRelease(nested, depth, stamp);
        return depth;
      }
    }
    return -1;
  }

  void recordLatency(long durationNanos, long now) {
    latency.recordAlone(durationNanos, now);
  }

  /** Counts a good call in a window, and is up to date for the next ones of its state. */
  void countInWindow(TimeWindow window, long now) {
    long since = now - sliceStart;
    // the tag names the window as well: after a transition the same slice begins anew
    if (since < 0 || since >= window.sliceNanos() || !window.owns(sliceTag)) {
      beginSlice(window, now);
    }
    if (now - checkNanos >= 0) {
      buckets = latency.buckets(now);
      long sliceEnds = sliceStart + window.sliceNanos();
      long periodEnds = latency.endNanos();
      checkNanos = sliceEnds - periodEnds < 0 ? sliceEnds : periodEnds;
      if (checkNanos - now > Bulkhead.STAMP_NANOS) {
        checkNanos = now + Bulkhead.STAMP_NANOS; // the bulkhead is to hear of ends so often
      }
    }
    WINDOWED.setRelease(this, windowed + 1);
  }

  private void beginSlice(TimeWindow window, long now) {
    long tick = window.tick(now);
    keepSlice();
    SLICE_TAG.setRelease(this, 0L);
    VarHandle.storeStoreFence();
    int place = (int) (tick % TimeWindow.SLICES);
    long tag = window.tag(tick);
    // of a slice that is begun once more, as by a clock that was read late, what was counted stays
    SLICE_FROM.setRelease(this, windowed - (tags[place] == tag ? calls[place] : 0));
    SLICE_TAG.setRelease(this, tag);
    sliceStart = window.startNanos(tick);
    checkNanos = now; // the next count brings the rest up to date
    quick = window.permit();
    ticket = quick | firstSlot;
  }

  private void keepSlice() {
    if (sliceTag != 0) {
      int place = (int) ((sliceTag & 0xFFFF_FFFFL) % TimeWindow.SLICES);
      LONGS.setRelease(tags, place, 0L);
      VarHandle.storeStoreFence();
      LONGS.setRelease(calls, place, windowed - sliceFrom);
      LONGS.setRelease(tags, place, sliceTag);
    }
  }

  // ---- by anyone

  void end(int depth) {
    if (depth == 0) {
      BEGAN.setRelease(this, 0L);
    } else {
      LONGS.setRelease(nested, depth, 0L);
    }
  }

  /** When the call in the slot began, 0 if there is none. */
  long began(int depth) {
    return depth == 0 ? (long) BEGAN.getAcquire(this) : (long) LONGS.getAcquire(nested, depth);
  }

  /** How many calls are in flight. */
  int inFlight() {
    int count = 0;
    for (int depth = 0; depth < DEPTH; depth++) {
      count += began(depth) == 0 ? 0 : 1;
    }
    return count;
  }

  boolean claim(int depth, long stamp) {
    long before = (long) LONGS.getVolatile(claims, depth);
    return InFlight.claimable(before, stamp) && LONGS.compareAndSet(claims, depth, before, stamp);
  }

  long acquired() {
    return (long) ACQUIRED.getOpaque(this);
  }

  long refused() {
    return (long) REFUSED.getOpaque(this);
  }

  long successes() {
    return windowed() + (long) OTHER_SUCCESSES.getOpaque(this);
  }

  /** Calls that went well and were counted in a window. */
  long windowed() {
    return (long) WINDOWED.getOpaque(this);
  }

  LatencyHistogram latency() {
    return latency;
  }

  /** The calls counted in the slice of that place and tag. */
  long calls(int place, long tag) {
    while (true) {
      long present = (long) SLICE_TAG.getAcquire(this);
      if (present == tag) {
        long from = (long) SLICE_FROM.getAcquire(this);
        long count = (long) WINDOWED.getAcquire(this) - from;
        if ((long) SLICE_TAG.getAcquire(this) == tag) {
          return count;
        }
      } else if ((long) LONGS.getAcquire(tags, place) == tag) {
        long count = (long) LONGS.getAcquire(calls, place);
        if ((long) LONGS.getAcquire(tags, place) == tag) {
          return count;
        }
      } else if ((long) SLICE_TAG.getAcquire(this) == present) {
        return 0; // neither, and it did not become one meanwhile
      }
    }
  }
}
