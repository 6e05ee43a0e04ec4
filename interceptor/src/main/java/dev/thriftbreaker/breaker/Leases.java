package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Places for probes, each held until its probe ends or its time is over. A place can be reserved
 * first; then its time begins anew when the probe does.
 *
 * <p>Concurrency: a place holds 0 when free, else the lease's number and deadline and whether it is
 * only reserved in one long, so taking, beginning, lapsing and ending are each one compare-and-set,
 * of which exactly one thread wins. An outcome counts only if its lease still holds the place.
 */
final class Leases {

  static final int NONE = -1;
  static final int MAX_PLACES = 255;

  private static final int NUMBER_BITS = 16;
  private static final int NUMBER_MASK = (1 << NUMBER_BITS) - 1;
  private static final long MILLI = 1_000_000;
  private static final long RESERVED = Long.MIN_VALUE;

  private final long originNanos;
  private final AtomicLongArray places;
  private final AtomicInteger numbers = new AtomicInteger();

  Leases(int places, long originNanos) {
    this.places = new AtomicLongArray(places);
    this.originNanos = originNanos;
  }

  int places() {
    return places.length();
  }

  boolean isFree(int place) {
    return places.get(place) == 0;
  }

  /** A lease on the place, as the low bits of a permit, or {@link #NONE} if it is taken. */
  int take(int place, long now, long leaseNanos, boolean reserved) {
    if (places.get(place) != 0) {
      return NONE;
    }
    int number = numbers.getAndIncrement() & NUMBER_MASK;
    long lease = lease(number, now, leaseNanos) | (reserved ? RESERVED : 0);
    return places.compareAndSet(place, 0, lease) ? place << NUMBER_BITS | number : NONE;
  }

  private long lease(int number, long now, long leaseNanos) {
    long deadlineMillis = Math.max(1, (now - originNanos + leaseNanos + MILLI - 1) / MILLI);
    return deadlineMillis << NUMBER_BITS | number;
  }

  /** Begins the lease of a place that was reserved. False if the reservation has lapsed. */
  boolean begin(long reservation, long now, long leaseNanos) {
    int place = place(reservation);
    long held = places.get(place);
    long begun = lease((int) reservation & NUMBER_MASK, now, leaseNanos);
    return isOf(reservation, held) && held < 0 && places.compareAndSet(place, held, begun);
  }

  /** A lease on a place that is reserved for another, or {@link #NONE} if it is not. */
  int takeOver(int place, long now, long leaseNanos) {
    long held = places.get(place);
    if (held >= 0) {
      return NONE;
    }
    int number = numbers.getAndIncrement() & NUMBER_MASK;
    boolean taken = places.compareAndSet(place, held, lease(number, now, leaseNanos));
    return taken ? place << NUMBER_BITS | number : NONE;
  }

  /** Frees a place that was reserved, unless the reservation has lapsed. */
  void giveBack(long reservation) {
    int place = place(reservation);
    long held = places.get(place);
    if (isOf(reservation, held) && held < 0) {
      places.compareAndSet(place, held, 0);
    }
  }

  /** Ends the lease of a permit. False if it has lapsed. */
  boolean end(long permit) {
    int place = place(permit);
    long held = places.get(place);
    return isOf(permit, held) && places.compareAndSet(place, held, 0);
  }

  private static int place(long permit) {
    return (int) (permit >>> NUMBER_BITS) & MAX_PLACES;
  }

  private static boolean isOf(long permit, long held) {
    return held != 0 && (held & NUMBER_MASK) == (permit & NUMBER_MASK);
  }

  /**
   * Takes a place back whose time is over. False if it is free, in time, or another was faster; or
   * if no probe had begun, and then the place is free now.
   */
  boolean takeBack(int place, long now) {
    long held = places.get(place);
    return held != 0
        && remainingNanos(held, now) <= 0
        && places.compareAndSet(place, held, 0)
        && held > 0;
  }

  /** How long until the first lease lapses; 0 if one of the first places is free. */
  long untilFreeNanos(int usable, long now) {
    long first = Long.MAX_VALUE;
    for (int place = 0; place < usable; place++) {
      long held = places.get(place);
      if (held == 0) {
        return 0;
      }
      first = Math.min(first, remainingNanos(held, now));
    }
    return Math.max(0, first);
  }

  private long remainingNanos(long held, long now) {
    return ((held & ~RESERVED) >>> NUMBER_BITS) * MILLI - (now - originNanos);
  }
}
