package dev.thriftbreaker.fleet;

import java.util.List;

/**
 * How the link to the fleet's store is, read at one moment.
 *
 * @param address where the store is, without credentials
 * @param namespace the namespace of the fleet's keys
 * @param state the state of the link
 * @param subscribed whether the events of the fleet are being received
 * @param lastSuccessWallMillis when the store last answered, in milliseconds since 1970; 0 if never
 * @param lastError the latest error in words; empty if there was none
 * @param lastErrorWallMillis when that was, in milliseconds since 1970; 0 if never
 * @param errors failed exchanges with the store, since start
 * @param writes state changes written, since start
 * @param events events of the fleet received, since start
 * @param reconciles times the whole state was read, since start
 * @param repairs times a lost state was written again, since start
 * @param pendingWrites breakers whose latest change is not yet written
 * @param alarms what needs a person, oldest first
 */
public record LinkStatus(
    String address,
    String namespace,
    State state,
    boolean subscribed,
    long lastSuccessWallMillis,
    String lastError,
    long lastErrorWallMillis,
    long errors,
    long writes,
    long events,
    long reconciles,
    long repairs,
    int pendingWrites,
    List<String> alarms) {

  /** What a link to the store can be. */
  public enum State {
    /** It has not answered yet, and may still. */
    CONNECTING,
    /** It answers. */
    UP,
    /** It does not answer, or takes no writes; breakers go on with their own evidence. */
    DEGRADED,
    /** The link was given up by {@link FleetSync#close()}. */
    CLOSED
  }
}
