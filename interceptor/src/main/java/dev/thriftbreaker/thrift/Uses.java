package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;

/**
 * What guards do in the course of one request, and the places that it was given at the door for
 * their calls. One object serves many requests, one after the other, each between {@link #begin}
 * and {@link #end} or {@link #abandon}; outside of these it takes no notice of anything. Used by
 * one thread at a time.
 */
final class Uses {

  /** The dependencies remembered, of each kind. */
  private static final int REMEMBERED = 16;

  /** Those of the request within which the thread serves this one, or null. */
  private final Uses outer;

  private final CircuitBreaker[] used = new CircuitBreaker[REMEMBERED];
  private final CircuitBreaker[] refused = new CircuitBreaker[REMEMBERED];
  private int usedCount;
  private int refusedCount;

  /** The latest guard that refused or saw a failure, or null. */
  private CircuitBreaker trouble;

  private boolean troubleIsRefusal;
  private boolean watched;
  private long startNanos;

  /** The method's, or null while there is no request from which to learn. */
  private Requirements requirements;

  /** Where things are noted instead of here, while the thread acts for an asynchronous request. */
  private Trail trail;

  /** The latest of the places given at the door, or null. */
  private Place places;

  /** Whether the thread acts for an asynchronous request, whose own the places are. */
  private boolean follows;

  Uses(Uses outer) {
    this.outer = outer;
  }

  /**
   * Takes a request in, unless a dependency that its method needs refuses, and takes places for it
   * where calls need one.
   *
   * @return what is in the way, or null if the request has begun
   */
  Need begin(Requirements requirements, long now) {
    Need refusing = requirements.refusing(now, this);
    if (refusing != null && !requirements.examines(refusing, now)) {
      return refusing;
    }
    if (requirements.learns()) {
      this.requirements = requirements;
      startNanos = now;
      watched = refusing != null || requirements.watches();
    }
    return null;
  }

  /** Begins again with a request that other threads have served. */
  void begin(Trail ended) {
    requirements = ended.requirements();
    watched = ended.isWatched();
    startNanos = ended.startNanos();
  }

  /** Gives a request away that has begun and may end on another thread; null if none has. */
  Trail handOver() {
    Trail handed = requirements == null ? null : new Trail(requirements, watched, startNanos);
    abandon();
    return handed;
  }

  /** Gives the places of such a request away, before {@link #handOver}. */
  Place handOverPlaces() {
    Place handed = places;
    places = null;
    return handed;
  }

  /**
   * Notes what guards do on this thread for the request that leaves that trail, or null, and gives
   * them its places.
   */
  void follow(Trail followed, Place lent) {
    follows = true;
    places = lent;
    if (followed != null) {
      begin(followed);
      trail = followed;
    }
  }

  /** Takes a place for a call to come. False if there is none. */
  boolean reserve(CircuitBreaker breaker, long now) {
    long reservation = breaker.reserve(now);
    if (reservation > CircuitBreaker.NO_PLACE_NEEDED) {
      places = new Place(breaker, reservation, places);
    }
    return reservation != CircuitBreaker.REFUSED;
  }

  /** Gives back what was reserved and not used. */
  void giveBack() {
    if (!follows) {
      Place.giveBack(places);
    }
    places = null;
  }

  /** Whether there is a place for a call, of this request or of one around it. */
  boolean hasPlace(CircuitBreaker breaker) {
    // an asynchronous request is not within what else the thread does
    for (Uses at = this; at != null; at = at.follows ? null : at.outer) {
      if (Place.isThere(at.places, breaker)) {
        return true;
      }
    }
    return false;
  }

  /** Takes the request's place for a call that begins, or none if there is none. */
  long takePlace(CircuitBreaker breaker) {
    return Place.take(places, breaker);
  }

  /** A guard was asked for a call. */
  void use(CircuitBreaker breaker) {
    // after trouble a handler may be on another way than usual
    if (watched && trouble == null) {
      if (trail != null) {
        trail.use(breaker);
        return;
      }
      usedCount = add(breaker, used, usedCount);
    }
  }

  /** A guard refused a call. */
  void refuse(CircuitBreaker breaker) {
    if (trail != null) {
      trail.refuse(breaker);
    } else if (requirements != null) {
      refusedCount = add(breaker, refused, refusedCount);
      trouble = breaker;
      troubleIsRefusal = true;
    }
  }

  /** A guard saw a call fail. */
  void fail(CircuitBreaker breaker) {
    if (trail != null) {
      trail.fail(breaker);
    } else if (requirements != null) {
      trouble = breaker;
      troubleIsRefusal = false;
    }
  }

  /** Ends the request. */
  void end(boolean succeeded) {
    if (requirements != null && (watched || refusedCount > 0)) {
      requirements.learn(this, succeeded);
    }
    abandon();
  }

  /** Ends a request of which nobody can tell whether it succeeded. */
  void abandon() {
    if (places != null) {
      giveBack();
    }
    follows = false;
    requirements = null;
    trail = null;
    watched = false;
    trouble = null;
    usedCount = 0;
    refusedCount = 0;
  }

  // ---- what is seen at the end

  boolean isWatched() {
    return watched;
  }

  long startNanos() {
    return startNanos;
  }

  boolean hasUsed(CircuitBreaker breaker) {
    return contains(breaker, used, usedCount);
  }

  /** Whether a dependency that was not used before is known not to have been used at all. */
  boolean isUntroubled() {
    return trouble == null && usedCount < REMEMBERED;
  }

  boolean wasRefused(CircuitBreaker breaker) {
    return contains(breaker, refused, refusedCount);
  }

  /** Whether nothing went wrong after the refusal that could be why the request failed. */
  boolean wasRefusedLast(CircuitBreaker breaker) {
    return trouble == breaker && troubleIsRefusal;
  }

  private static int add(CircuitBreaker breaker, CircuitBreaker[] all, int count) {
    if (count == REMEMBERED || contains(breaker, all, count)) {
      return count;
    }
    all[count] = breaker;
    return count + 1;
  }

  private static boolean contains(CircuitBreaker breaker, CircuitBreaker[] all, int count) {
    for (int i = 0; i < count; i++) {
      if (all[i] == breaker) {
        return true;
      }
    }
    return false;
  }
}
