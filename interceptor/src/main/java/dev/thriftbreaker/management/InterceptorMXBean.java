package dev.thriftbreaker.management;

/**
 * The interceptor of one server.
 *
 * <p>Its name stands in the ObjectName of every MBean of the server.
 */
@Description("The interceptor of one server.")
public interface InterceptorMXBean {

  /**
   * The server's name.
   *
   * @return see above
   */
  @Description("The server's name.")
  String getServer();

  /**
   * The version of the library.
   *
   * @return see above
   */
  @Description("The version of the library.")
  String getVersion();

  /**
   * The name of this instance in the fleet.
   *
   * @return see above
   */
  @Description("The name of this instance in the fleet.")
  String getInstance();

  /**
   * When it was built, ISO-8601 UTC.
   *
   * @return see above
   */
  @Description("When it was built, ISO-8601 UTC.")
  String getStartTime();

  /**
   * The names of the breakers.
   *
   * @return see above
   */
  @Description("The names of the breakers.")
  String[] getBreakers();

  /**
   * The names of the breakers that refuse calls now, all or some.
   *
   * @return see above
   */
  @Description("The names of the breakers that refuse calls now, all or some.")
  String[] getOpenBreakers();

  /**
   * The names of the known methods.
   *
   * @return see above
   */
  @Description("The names of the known methods.")
  String[] getMethods();

  /**
   * Requests whose header was read, since start.
   *
   * @return see above
   */
  @Description("Requests whose header was read, since start.")
  long getRequestCount();

  /**
   * Requests shed at the door, since start.
   *
   * @return see above
   */
  @Description("Requests shed at the door, since start.")
  long getShedCount();

  /**
   * How many threads serve requests, the measure of what breakers with maxConcurrentCalls auto let
   * be under way; 0 while it is not known.
   *
   * @return see above
   */
  @Description(
      "How many threads serve requests, the measure of what breakers with maxConcurrentCalls auto let be under way; 0 while it is not known.")
  int getServerThreads();

  /**
   * Whether ServerThreads is what the settings tell; if not, the threads alive that have served a
   * request are counted.
   *
   * @return see above
   */
  @Description(
      "Whether ServerThreads is what the settings tell; if not, the threads alive that have served a request are counted.")
  boolean isServerThreadsTold();

  /**
   * Whether the state is kept in Redis, or in memory only.
   *
   * @return see above
   */
  @Description("Whether the state is kept in Redis, or in memory only.")
  boolean isRedisConfigured();
}
