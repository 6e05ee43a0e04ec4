package dev.thriftbreaker.management;

import java.util.Map;

/**
 * The breaker of one dependency.
 *
 * <p>Getters do no I/O and never throw. Rates and counters are read while calls go on, so they need
 * not add up to the last unit.
 */
@Description("The breaker of one dependency.")
public interface BreakerMXBean {

  /**
   * The dependency.
   *
   * @return see above
   */
  @Description("The dependency.")
  String getName();

  /**
   * What the evidence says: CLOSED, HALF_OPEN, OPEN or RAMPING.
   *
   * @return see above
   */
  @Description("What the evidence says: CLOSED, HALF_OPEN, OPEN or RAMPING.")
  String getState();

  /**
   * The state as a number: 0 CLOSED, 1 HALF_OPEN, 2 OPEN, 3 RAMPING.
   *
   * @return see above
   */
  @Description("The state as a number: 0 CLOSED, 1 HALF_OPEN, 2 OPEN, 3 RAMPING.")
  int getStateCode();

  /**
   * Each state with 1 if the breaker is in it, else 0.
   *
   * @return see above
   */
  @Description("Each state with 1 if the breaker is in it, else 0.")
  Map<String, Integer> getStates();

  /**
   * Who decides: AUTO (the state), or an operator: FORCED_OPEN, FORCED_CLOSED, SHADOW.
   *
   * @return see above
   */
  @Description("Who decides: AUTO (the state), or an operator: FORCED_OPEN, FORCED_CLOSED, SHADOW.")
  String getMode();

  /**
   * Why an operator decides; empty in AUTO.
   *
   * @return see above
   */
  @Description("Why an operator decides; empty in AUTO.")
  String getModeReason();

  /**
   * Which operator decides; empty in AUTO.
   *
   * @return see above
   */
  @Description("Which operator decides; empty in AUTO.")
  String getModeBy();

  /**
   * When the operator's decision ends, ISO-8601 UTC; empty in AUTO.
   *
   * @return see above
   */
  @Description("When the operator's decision ends, ISO-8601 UTC; empty in AUTO.")
  String getModeUntil();

  /**
   * Whether the operator's decision holds for the whole fleet.
   *
   * @return see above
   */
  @Description("Whether the operator's decision holds for the whole fleet.")
  boolean isModeFleetWide();

  /**
   * Whether calls are refused now, all or some: by state, mode or limit.
   *
   * @return see above
   */
  @Description("Whether calls are refused now, all or some: by state, mode or limit.")
  boolean isRefusing();

  /**
   * When the state began, ISO-8601 UTC.
   *
   * @return see above
   */
  @Description("When the state began, ISO-8601 UTC.")
  String getSince();

  /**
   * When an open breaker becomes half open at the latest, ISO-8601 UTC; empty otherwise.
   *
   * @return see above
   */
  @Description(
      "When an open breaker becomes half open at the latest, ISO-8601 UTC; empty otherwise.")
  String getUntil();

  /**
   * How long until an open breaker becomes half open at the latest, in milliseconds; 0 otherwise.
   *
   * @return see above
   */
  @Description(
      "How long until an open breaker becomes half open at the latest, in milliseconds; 0 otherwise.")
  long getRetryAfterMillis();

  /**
   * The share of calls that the state lets pass: 1 when CLOSED, 0 when only probes pass, in between
   * while RAMPING.
   *
   * @return see above
   */
  @Description(
      "The share of calls that the state lets pass: 1 when CLOSED, 0 when only probes pass, in between while RAMPING.")
  double getPassingShare();

  /**
   * How often in a row it opened without having closed.
   *
   * @return see above
   */
  @Description("How often in a row it opened without having closed.")
  int getConsecutiveOpens();

  /**
   * What brought the state about: LOCAL (its own calls), REMOTE (the fleet), OPERATOR or TIMER.
   *
   * @return see above
   */
  @Description(
      "What brought the state about: LOCAL (its own calls), REMOTE (the fleet), OPERATOR or TIMER.")
  String getCause();

  /**
   * Why it is in this state.
   *
   * @return see above
   */
  @Description("Why it is in this state.")
  String getReason();

  /**
   * Why it last went from CLOSED or RAMPING to OPEN; empty if it never did.
   *
   * @return see above
   */
  @Description("Why it last went from CLOSED or RAMPING to OPEN; empty if it never did.")
  String getLastTrip();

  /**
   * The most frequent errors of the last trip, class and count.
   *
   * @return see above
   */
  @Description("The most frequent errors of the last trip, class and count.")
  Map<String, Long> getLastTripErrors();

  /**
   * How many calls hung at the last trip.
   *
   * @return see above
   */
  @Description("How many calls hung at the last trip.")
  int getLastTripHungCalls();

  /**
   * The calls that had been under way the longest at the last trip, oldest first: where (if they
   * hung), thread, age.
   *
   * @return see above
   */
  @Description(
      "The calls that had been under way the longest at the last trip, oldest first: where (if they hung), thread, age.")
  String[] getLastTripOldestCalls();

  /**
   * Calls that passed, since start.
   *
   * @return see above
   */
  @Description("Calls that passed, since start.")
  long getCallCount();

  /**
   * Calls judged a success, since start.
   *
   * @return see above
   */
  @Description("Calls judged a success, since start.")
  long getSuccessCount();

  /**
   * Calls judged a failure, since start.
   *
   * @return see above
   */
  @Description("Calls judged a failure, since start.")
  long getFailureCount();

  /**
   * Calls judged to say nothing about the dependency, since start.
   *
   * @return see above
   */
  @Description("Calls judged to say nothing about the dependency, since start.")
  long getIgnoredCount();

  /**
   * Calls of slowCallDuration or longer, since start.
   *
   * @return see above
   */
  @Description("Calls of slowCallDuration or longer, since start.")
  long getSlowCount();

  /**
   * Calls found hanging: still under way after slowCallDuration; also in SlowCount once they end;
   * since start.
   *
   * @return see above
   */
  @Description(
      "Calls found hanging: still under way after slowCallDuration; also in SlowCount once they end; since start.")
  long getHungCount();

  /**
   * Calls and requests refused because of this breaker, since start.
   *
   * @return see above
   */
  @Description("Calls and requests refused because of this breaker, since start.")
  long getShedCount();

  /**
   * Of ShedCount those refused because as many calls were under way as may be, since start.
   *
   * @return see above
   */
  @Description(
      "Of ShedCount those refused because as many calls were under way as may be, since start.")
  long getFullCount();

  /**
   * Of ShedCount those refused because the dependency, a server that sheds, asked to be left alone,
   * since start.
   *
   * @return see above
   */
  @Description(
      "Of ShedCount those refused because the dependency, a server that sheds, asked to be left alone, since start.")
  long getHeldOffCount();

  /**
   * Calls that a fallback was asked to answer, since start.
   *
   * @return see above
   */
  @Description("Calls that a fallback was asked to answer, since start.")
  long getFallbackCount();

  /**
   * Outcomes that came after the state in which their call began, since start.
   *
   * @return see above
   */
  @Description("Outcomes that came after the state in which their call began, since start.")
  long getLateCount();

  /**
   * Calls that passed only because of FORCED_CLOSED or SHADOW, since start.
   *
   * @return see above
   */
  @Description("Calls that passed only because of FORCED_CLOSED or SHADOW, since start.")
  long getWouldRefuseCount();

  /**
   * Calls under way now.
   *
   * @return see above
   */
  @Description("Calls under way now.")
  long getInFlight();

  /**
   * How many calls may be under way at once now, as set or as learned; 0 for no limit.
   *
   * @return see above
   */
  @Description("How many calls may be under way at once now, as set or as learned; 0 for no limit.")
  int getMaxConcurrentCalls();

  /**
   * The setting behind MaxConcurrentCalls: auto, or a number.
   *
   * @return see above
   */
  @Description("The setting behind MaxConcurrentCalls: auto, or a number.")
  String getMaxConcurrentCallsSetting();

  /**
   * The calls that have been under way the longest now, oldest first, at most five: where (if they
   * hang), thread, age.
   *
   * @return see above
   */
  @Description(
      "The calls that have been under way the longest now, oldest first, at most five: where (if they hang), thread, age.")
  String[] getOldestCalls();

  /**
   * Calls that the window holds now.
   *
   * @return see above
   */
  @Description("Calls that the window holds now.")
  long getWindowCalls();

  /**
   * The share of failed calls in the window, 0 to 1.
   *
   * @return see above
   */
  @Description("The share of failed calls in the window, 0 to 1.")
  double getFailureRate();

  /**
   * The share of slow calls in the window, 0 to 1.
   *
   * @return see above
   */
  @Description("The share of slow calls in the window, 0 to 1.")
  double getSlowCallRate();

  /**
   * How often it opened, since start.
   *
   * @return see above
   */
  @Description("How often it opened, since start.")
  long getOpenedCount();

  /**
   * How long it was open in all, in milliseconds, since start.
   *
   * @return see above
   */
  @Description("How long it was open in all, in milliseconds, since start.")
  long getOpenMillisTotal();

  /**
   * How long calls took in the last 30 to 60 seconds, in milliseconds; ignored calls apart.
   *
   * @return see above
   */
  @Description(
      "How long calls took in the last 30 to 60 seconds, in milliseconds; ignored calls apart.")
  Latency getLatency();

  /**
   * The settings in force, by name.
   *
   * @return see above
   */
  @Description("The settings in force, by name.")
  Map<String, String> getSettings();

  /**
   * The version of the settings: 1 as built, one more with each change.
   *
   * @return see above
   */
  @Description("The version of the settings: 1 as built, one more with each change.")
  int getConfigVersion();

  /**
   * The latest 32 transitions, oldest first, each with its time, ISO-8601 UTC.
   *
   * @return see above
   */
  @Description("The latest 32 transitions, oldest first, each with its time, ISO-8601 UTC.")
  String[] getHistory();

  /**
   * Refuses every call on this instance for a time.
   *
   * @param seconds how long, in seconds, 1 to 86400
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description("Refuses every call on this instance for a time.")
  String forceOpen(
      @Description(name = "seconds", value = "how long, in seconds, 1 to 86400") long seconds,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Lets every call pass on this instance for a time; the state goes on being judged.
   *
   * @param seconds how long, in seconds, 1 to 86400
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description("Lets every call pass on this instance for a time; the state goes on being judged.")
  String forceClosed(
      @Description(name = "seconds", value = "how long, in seconds, 1 to 86400") long seconds,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Lets every call pass on this instance for a time and counts what would have been refused.
   *
   * @param seconds how long, in seconds, 1 to 86400
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description(
      "Lets every call pass on this instance for a time and counts what would have been refused.")
  String shadow(
      @Description(name = "seconds", value = "how long, in seconds, 1 to 86400") long seconds,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Ends the mode in force; a fleet-wide one ends on every instance. Where this instance's own
   * ends, the fleet's holds again, if there is one. Refused in AUTO.
   *
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description(
      "Ends the mode in force; a fleet-wide one ends on every instance. Where this instance's own ends, the fleet's holds again, if there is one. Refused in AUTO.")
  String release(
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Refuses every call on every instance of the fleet for a time.
   *
   * @param seconds how long, in seconds, 1 to 86400
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description("Refuses every call on every instance of the fleet for a time.")
  String forceOpenFleet(
      @Description(name = "seconds", value = "how long, in seconds, 1 to 86400") long seconds,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Lets every call pass on every instance of the fleet for a time.
   *
   * @param seconds how long, in seconds, 1 to 86400
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description("Lets every call pass on every instance of the fleet for a time.")
  String forceClosedFleet(
      @Description(name = "seconds", value = "how long, in seconds, 1 to 86400") long seconds,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Puts every instance of the fleet in SHADOW for a time.
   *
   * @param seconds how long, in seconds, 1 to 86400
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description("Puts every instance of the fleet in SHADOW for a time.")
  String shadowFleet(
      @Description(name = "seconds", value = "how long, in seconds, 1 to 86400") long seconds,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Closes the breaker and empties its window. The mode stays.
   *
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description("Closes the breaker and empties its window. The mode stays.")
  String reset(
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Makes an open breaker probe at once. Refused if it is not OPEN.
   *
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description("Makes an open breaker probe at once. Refused if it is not OPEN.")
  String probeNow(
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);

  /**
   * Changes a setting of the running breaker on this instance, until it is built anew. Refused if
   * it has that value.
   *
   * @param setting its name, one of the keys of Settings
   * @param value such as 0.5, 20, 500ms or 5s
   * @param reason why, in words; not blank, at most 200 characters
   * @return what changed, old -&gt; new
   */
  @Description(
      "Changes a setting of the running breaker on this instance, until it is built anew. Refused if it has that value.")
  String set(
      @Description(name = "setting", value = "its name, one of the keys of Settings")
          String setting,
      @Description(name = "value", value = "such as 0.5, 20, 500ms or 5s") String value,
      @Description(name = "reason", value = "why, in words; not blank, at most 200 characters")
          String reason);
}
