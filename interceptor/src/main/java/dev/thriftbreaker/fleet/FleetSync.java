package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/** Keeps the breakers of one server and the fleet's store in agreement. */
public final class FleetSync implements AutoCloseable {

  private final StateStore store;
  private final String namespace;

  /**
   * Makes one; nothing happens before {@link #start()}.
   *
   * @param store where the fleet keeps its state; closed with this
   * @param namespace the namespace of the fleet's keys
   * @param instance the name of this instance in the fleet
   * @param breakers the breakers to keep in agreement
   */
  public FleetSync(
      StateStore store, String namespace, String instance, Collection<CircuitBreaker> breakers) {
    this.store = store;
    this.namespace = namespace;
  }

  /** Starts the threads. Returns at once, whether the store can be reached or not. */
  public void start() {}

  /**
   * How the link is.
   *
   * @return a view of this moment
   */
  public LinkStatus status() {
    return new LinkStatus(
        store.address(),
        namespace,
        LinkStatus.State.CONNECTING,
        false,
        0,
        "",
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        List.of());
  }

  /**
   * Puts an override in force on every instance of the fleet, this one included. Waits at most 2 s
   * for the store to have it.
   *
   * @param dependency whose breaker
   * @param mode FORCED_OPEN, FORCED_CLOSED or SHADOW
   * @param howLong until it expires, 1 ms to 1 day
   * @param by who decided
   * @param reason why
   * @throws IllegalArgumentException if an argument is out of range or there is no such breaker
   * @throws IllegalStateException if it was not stored, or that is not known; the message says
   *     which
   */
  public void override(String dependency, Mode mode, Duration howLong, String by, String reason) {
    throw new IllegalStateException("no link to Redis: nothing changed");
  }

  /**
   * Ends the override of the fleet on every instance. Waits at most 2 s for the store to have it.
   *
   * @param dependency whose breaker
   * @param by who decided
   * @param reason why
   * @throws IllegalArgumentException if there is no such breaker
   * @throws IllegalStateException if it was not stored, or that is not known; the message says
   *     which
   */
  public void release(String dependency, String by, String reason) {
    throw new IllegalStateException("no link to Redis: nothing changed");
  }

  /**
   * The epoch of the fleet's state of a breaker, as this instance knows it.
   *
   * @param dependency whose breaker
   * @return a number that rises with each change; 0 if the fleet has no state of it
   * @throws IllegalArgumentException if there is no such breaker
   */
  public long epoch(String dependency) {
    return 0;
  }

  @Override
  public void close() {}
}
