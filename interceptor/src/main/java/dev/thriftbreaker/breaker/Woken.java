package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * The breakers that want to be ticked again: a stack after Treiber, whose links are in the breakers
 * themselves so that waking one allocates nothing. Any thread adds, one takes. A breaker is in it
 * once at most, as it is added only when it ends its rest.
 */
final class Woken {

  private final AtomicReference<CircuitBreaker> newest = new AtomicReference<>();

  void add(CircuitBreaker breaker) {
    CircuitBreaker before;
    do {
      before = newest.get();
      breaker.nextWoken = before;
    } while (!newest.compareAndSet(before, breaker));
  }

  /** Takes all there are. */
  void drainTo(Consumer<CircuitBreaker> taker) {
    CircuitBreaker next = newest.getAndSet(null);
    while (next != null) {
      CircuitBreaker taken = next;
      next = taken.nextWoken;
      taken.nextWoken = null; // before it may rest, and wake, again
      taker.accept(taken);
    }
  }
}
