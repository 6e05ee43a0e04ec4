package dev.thriftbreaker.management;

/**
 * One method of the Thrift service.
 *
 * <p>Requests of methods that the service does not have are all counted under the name {@code
 * unknown}.
 */
@Description("One method of the Thrift service.")
public interface MethodMXBean {

  /**
   * The method.
   *
   * @return see above
   */
  @Description("The method.")
  String getName();

  /**
   * The dependencies without which its requests are shed.
   *
   * @return see above
   */
  @Description("The dependencies without which its requests are shed.")
  String[] getRequires();

  /**
   * Requests whose header was read, since start.
   *
   * @return see above
   */
  @Description("Requests whose header was read, since start.")
  long getRequestCount();

  /**
   * Requests that ended normally, since start; a declared exception is one.
   *
   * @return see above
   */
  @Description("Requests that ended normally, since start; a declared exception is one.")
  long getSuccessCount();

  /**
   * Requests whose handler or transport failed, since start.
   *
   * @return see above
   */
  @Description("Requests whose handler or transport failed, since start.")
  long getFailureCount();

  /**
   * Requests shed at the door, since start.
   *
   * @return see above
   */
  @Description("Requests shed at the door, since start.")
  long getShedCount();

  /**
   * Failures of a dependency's transport answered instead of closing the caller's connection, since
   * start.
   *
   * @return see above
   */
  @Description(
      "Failures of a dependency's transport answered instead of closing the caller's connection, since start.")
  long getContainedCount();

  /**
   * Requests given to a fallback processor because a breaker refused, since start; among those that
   * ended normally or failed, not among those shed.
   *
   * @return see above
   */
  @Description(
      "Requests given to a fallback processor because a breaker refused, since start; among those that ended normally or failed, not among those shed.")
  long getFallbackCount();

  /**
   * Requests under way now.
   *
   * @return see above
   */
  @Description("Requests under way now.")
  long getInFlight();

  /**
   * How long requests took, from the header read to the reply written, in the last 30 to 60
   * seconds, in milliseconds; shed requests apart.
   *
   * @return see above
   */
  @Description(
      "How long requests took, from the header read to the reply written, in the last 30 to 60 seconds, in milliseconds; shed requests apart.")
  Latency getLatency();
}
