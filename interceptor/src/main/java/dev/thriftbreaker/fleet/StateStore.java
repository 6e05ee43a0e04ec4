package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Mode;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Where the fleet keeps its state. Every method but {@link #address} and {@link #close} does
 * blocking I/O with a bound of about a second and throws {@link StoreException}.
 *
 * <p>{@link #subscribe} is called by one thread, the other methods that do I/O by one other thread;
 * {@link #close} and {@link #address} by any. Every write may be tried again with the same request
 * and is then done once.
 */
public interface StateStore extends AutoCloseable {

  /**
   * What the store has of one dependency.
   *
   * @param state the state of its breaker
   * @param override the operator's decision about it
   */
  record Kept(Reading<FleetState> state, Reading<FleetOverride> override) {}

  /**
   * What became of a write.
   *
   * @param <T> what was written
   * @param accepted whether it is stored, now or by an earlier try
   * @param current what the store has now
   * @param warning what went wrong although it is stored; empty if nothing did
   */
  record Answer<T>(boolean accepted, Reading<T> current, String warning) {}

  /**
   * One breaker of one instance changed its state.
   *
   * @param dependency whose breaker
   * @param request names this write, the same in every try of it
   * @param seenEpoch the fleet's epoch that this instance knows; 0 if none
   * @param state the new state: CLOSED, HALF_OPEN or OPEN
   * @param ageMillis how long ago it began
   * @param remainingMillis for OPEN, how long it goes on
   * @param consecutiveOpens how often in a row the breaker opened
   * @param by who decided
   * @param cause what brought it about
   * @param why in words
   * @param instance the instance that writes
   */
  record StateChange(
      String dependency,
      String request,
      long seenEpoch,
      BreakerState state,
      long ageMillis,
      long remainingMillis,
      int consecutiveOpens,
      String by,
      String cause,
      String why,
      String instance) {}

  /**
   * An operator decided for the fleet.
   *
   * @param dependency whose breaker
   * @param request names this write, the same in every try of it
   * @param seenVersion the version that the operator's instance knows; 0 if none
   * @param mode the mode; AUTO to take the decision back
   * @param lastsMillis until it expires
   * @param by who decided
   * @param why in words
   * @param instance the instance that writes
   */
  record OverrideChange(
      String dependency,
      String request,
      long seenVersion,
      Mode mode,
      long lastsMillis,
      String by,
      String why,
      String instance) {}

  /** Is told what others do. Called by the thread that is in {@link #subscribe}; never blocks. */
  interface Events {

    /** From now on nothing is missed. */
    void subscribed();

    /** The store is alive. */
    void alive();

    /**
     * A breaker of the fleet changed its state.
     *
     * @param dependency whose
     * @param state the new state
     */
    void state(String dependency, FleetState state);

    /**
     * An operator decided for the fleet.
     *
     * @param dependency about whose breaker
     * @param override the decision
     */
    void override(String dependency, FleetOverride override);

    /**
     * An event came that cannot be understood.
     *
     * @param dependency about whose breaker; empty if that is not known
     * @param problem what is wrong with it
     */
    void unreadable(String dependency, String problem);
  }

  /**
   * Where the store is.
   *
   * @return the address without credentials
   */
  String address();

  /**
   * Reads all that the fleet has agreed on.
   *
   * @param namespace the fleet's
   * @param dependencies of which breakers
   * @return what is kept of each of them
   */
  Map<String, Kept> readAll(String namespace, Collection<String> dependencies);

  /**
   * Stores a new state if the instance knew the latest one, or if it is a trip.
   *
   * @param namespace the fleet's
   * @param change the new state
   * @return what became of it
   */
  Answer<FleetState> write(String namespace, StateChange change);

  /**
   * Stores a state again that was lost, if it is still newer than the stored one.
   *
   * @param namespace the fleet's
   * @param dependency whose
   * @param lost the state
   * @param instance the instance that writes
   * @return what became of it
   */
  Answer<FleetState> repair(String namespace, String dependency, FleetState lost, String instance);

  /**
   * Stores an operator's decision if the operator's instance knew the latest one.
   *
   * @param namespace the fleet's
   * @param change the decision
   * @return what became of it
   */
  Answer<FleetOverride> override(String namespace, OverrideChange change);

  /**
   * Stores an operator's decision again that was lost, if it is still newer than the stored one.
   *
   * @param namespace the fleet's
   * @param dependency about whose breaker
   * @param lost the decision
   * @param instance the instance that writes
   * @return what became of it
   */
  Answer<FleetOverride> repairOverride(
      String namespace, String dependency, FleetOverride lost, String instance);

  /**
   * Looks for settings of the store that endanger the state.
   *
   * @return what a person should see to; empty if nothing, or if that cannot be found out
   */
  List<String> warnings();

  /**
   * Receives events until the connection fails or {@link #close} is called.
   *
   * @param namespace the fleet's
   * @param events is told
   * @throws StoreException in the end, always
   */
  void subscribe(String namespace, Events events);

  /** Shows that the subscription is alive, in both directions. Does nothing if there is none. */
  void pingSubscription();

  /** Gives the connections back. A call under way on another thread ends soon after. */
  @Override
  void close();
}
