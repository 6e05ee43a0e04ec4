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
   * The dependencies without which its requests are shed: declared, learned or an operator's word.
   *
   * @return see above
   */
  @Description(
      "The dependencies without which its requests are shed: declared, learned or an operator's word.")
  String[] getRequires();

  /**
   * Those of Requires that were learned.
   *
   * @return see above
   */
  @Description("Those of Requires that were learned.")
  String[] getLearnedRequires();

  /**
   * Each dependency that it uses or that somebody said something about, with the evidence: of how
   * many requests looked at of late how many used it, and of how many in which it refused how many
   * failed.
   *
   * @return see above
   */
  @Description(
      "Each dependency that it uses or that somebody said something about, with the evidence: of how many requests looked at of late how many used it, and of how many in which it refused how many failed.")
  RequirementView[] getRequirements();

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

  /**
   * Sheds its requests while the dependency refuses, on this instance until it restarts.
   *
   * @param dependency the dependency, one of the server's
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description(
      "Sheds its requests while the dependency refuses, on this instance until it restarts.")
  String declareNeeded(
      @Description(name = "dependency", value = "the dependency, one of the server's")
          String dependency,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Sheds none of its requests because of the dependency, on this instance until it restarts.
   *
   * @param dependency the dependency, one of the server's
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description(
      "Sheds none of its requests because of the dependency, on this instance until it restarts.")
  String declareNotNeeded(
      @Description(name = "dependency", value = "the dependency, one of the server's")
          String dependency,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Takes an operator's word back and forgets what refusals taught: what was declared holds, or
   * what requests show from now on.
   *
   * @param dependency the dependency, one of the server's
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description(
      "Takes an operator's word back and forgets what refusals taught: what was declared holds, or what requests show from now on.")
  String learn(
      @Description(name = "dependency", value = "the dependency, one of the server's")
          String dependency,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);
}
