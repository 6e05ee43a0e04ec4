package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;

/**
 * What guards do in the course of one request. One object serves many requests, one after the
 * other, each between {@link #begin} and {@link #end} or {@link #abandon}; outside of these it
 * takes no notice of anything. Used by one thread at a time.
 */
final class Uses {

  /** The dependencies remembered, of each kind. */
  private static final int REMEMBERED = 16;

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

  /**
   * Takes a request in, unless a dependency that its method needs refuses.
   *
   * @return the breaker in the way, or null if the request has begun
   */
  CircuitBreaker begin(Requirements requirements, long now) {
    CircuitBreaker refusing = requirements.refusing(now);
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

  /** Notes what guards do on this thread for the request that leaves that trail, or null. */
  void follow(Trail followed) {
    if (followed != null) {
      begin(followed);
      trail = followed;
    }
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
