package dev.thriftbreaker.management;

/**
 * The link to Redis, where the fleet keeps its state.
 *
 * <p>Requests never wait for it: while it is down, breakers go on with their own evidence.
 */
@Description("The link to Redis, where the fleet keeps its state.")
public interface RedisLinkMXBean {

  /**
   * Where Redis is, without credentials.
   *
   * @return see above
   */
  @Description("Where Redis is, without credentials.")
  String getAddress();

  /**
   * The namespace of the fleet's keys.
   *
   * @return see above
   */
  @Description("The namespace of the fleet's keys.")
  String getNamespace();

  /**
   * CONNECTING, UP, DEGRADED or CLOSED.
   *
   * @return see above
   */
  @Description("CONNECTING, UP, DEGRADED or CLOSED.")
  String getStatus();

  /**
   * Whether the events of the fleet are being received.
   *
   * @return see above
   */
  @Description("Whether the events of the fleet are being received.")
  boolean isSubscribed();

  /**
   * When Redis last answered, ISO-8601 UTC; empty if never.
   *
   * @return see above
   */
  @Description("When Redis last answered, ISO-8601 UTC; empty if never.")
  String getLastSuccess();

  /**
   * The latest error with its time; empty if none.
   *
   * @return see above
   */
  @Description("The latest error with its time; empty if none.")
  String getLastError();

  /**
   * Failed exchanges with Redis, since start.
   *
   * @return see above
   */
  @Description("Failed exchanges with Redis, since start.")
  long getErrorCount();

  /**
   * State changes written, since start.
   *
   * @return see above
   */
  @Description("State changes written, since start.")
  long getWriteCount();

  /**
   * Events of the fleet received, since start.
   *
   * @return see above
   */
  @Description("Events of the fleet received, since start.")
  long getEventCount();

  /**
   * Times the whole state was read, since start.
   *
   * @return see above
   */
  @Description("Times the whole state was read, since start.")
  long getReconcileCount();

  /**
   * Times a lost state was written again, since start.
   *
   * @return see above
   */
  @Description("Times a lost state was written again, since start.")
  long getRepairCount();

  /**
   * Breakers whose latest change is not yet written.
   *
   * @return see above
   */
  @Description("Breakers whose latest change is not yet written.")
  int getPendingWrites();

  /**
   * What needs a person: unknown layout versions, lost keys, an eviction policy that loses keys;
   * oldest first.
   *
   * @return see above
   */
  @Description(
      "What needs a person: unknown layout versions, lost keys, an eviction policy that loses keys; oldest first.")
  String[] getAlarms();
}
