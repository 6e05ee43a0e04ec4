package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A place of a breaker that a request was given at the door, and those that it was given before.
 * The first guard that asks takes it, or the request's end; for an asynchronous request, these may
 * be on different threads.
 */
final class Place {

  private static final long NONE = CircuitBreaker.NO_PLACE_NEEDED;

  private final CircuitBreaker breaker;

  /** None once it is taken. */
  private final AtomicLong reservation;

  private final Place before;

  Place(CircuitBreaker breaker, long reservation, Place before) {
    this.breaker = breaker;
    this.reservation = new AtomicLong(reservation);
    this.before = before;
  }

  /** Takes a place of that breaker, or none if there is none. */
  static long take(Place latest, CircuitBreaker breaker) {
    Place found = find(latest, breaker);
    return found == null ? NONE : found.reservation.getAndSet(NONE);
  }

  static boolean isThere(Place latest, CircuitBreaker breaker) {
    return find(latest, breaker) != null;
  }

  private static Place find(Place latest, CircuitBreaker breaker) {
    Place place = latest;
    while (place != null && (place.breaker != breaker || place.reservation.get() == NONE)) {
      place = place.before;
    }
    return place;
  }

  /** Gives back those that nobody took. */
  static void giveBack(Place latest) {
    for (Place place = latest; place != null; place = place.before) {
      long left = place.reservation.getAndSet(NONE);
      if (left != NONE) {
        place.breaker.giveBack(left);
      }
    }
  }
}
