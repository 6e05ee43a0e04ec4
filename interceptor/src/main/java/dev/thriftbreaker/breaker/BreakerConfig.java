package dev.thriftbreaker.breaker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * The settings of one breaker: immutable, validated when built. Every setting's meaning, unit,
 * range and default stands at its builder method.
 *
 * @param failureRateThreshold see {@link Builder#failureRateThreshold(double)}
 * @param minimumCalls see {@link Builder#minimumCalls(int)}
 * @param slowCallRateThreshold see {@link Builder#slowCallRateThreshold(double)}
 * @param slowCallDuration see {@link Builder#slowCallDuration(Duration)}
 * @param consecutiveFailures see {@link Builder#consecutiveFailures(int)}
 * @param windowType see {@link Builder#windowType(WindowType)}
 * @param windowDuration see {@link Builder#windowDuration(Duration)}
 * @param windowSize see {@link Builder#windowSize(int)}
 * @param openDuration see {@link Builder#openDuration(Duration)}
 * @param maxOpenDuration see {@link Builder#maxOpenDuration(Duration)}
 * @param openJitter see {@link Builder#openJitter(double)}
 * @param probes see {@link Builder#probes(int)}
 * @param probeSuccesses see {@link Builder#probeSuccesses(int)}
 * @param probeFailureRateThreshold see {@link Builder#probeFailureRateThreshold(double)}
 * @param earlyProbeInterval see {@link Builder#earlyProbeInterval(Duration)}
 * @param rampStart see {@link Builder#rampStart(double)}
 * @param rampInterval see {@link Builder#rampInterval(Duration)}
 * @param maxConcurrentCalls see {@link Builder#maxConcurrentCalls(int)}
 * @param callTimeout see {@link Builder#callTimeout(Duration)}
 * @param downstreamShed see {@link Builder#downstreamShed(DownstreamShed)}
 * @param honorRetryAfter see {@link Builder#honorRetryAfter(boolean)}
 * @param outcomes how the end of a call is judged
 */
public record BreakerConfig(
    double failureRateThreshold,
    int minimumCalls,
    double slowCallRateThreshold,
    Duration slowCallDuration,
    int consecutiveFailures,
    WindowType windowType,
    Duration windowDuration,
    int windowSize,
    Duration openDuration,
    Duration maxOpenDuration,
    double openJitter,
    int probes,
    int probeSuccesses,
    double probeFailureRateThreshold,
    Duration earlyProbeInterval,
    double rampStart,
    Duration rampInterval,
    int maxConcurrentCalls,
    Duration callTimeout,
    DownstreamShed downstreamShed,
    boolean honorRetryAfter,
    OutcomeRules outcomes) {

  /** What a breaker's window slides over. */
  public enum WindowType {
    /** The calls of the last {@code windowDuration}. */
    TIME,
    /** The last {@code windowSize} calls. */
    COUNT
  }

  /** {@link #maxConcurrentCalls()}: found out by the breaker itself. */
  public static final int AUTO = 0;

  /** What it says of a dependency, itself a server that sheds, that it shed a call. */
  public enum DownstreamShed {
    /** It failed. */
    FAILURE,
    /** Nothing: neither that it works nor that it does not. */
    IGNORED
  }

  private static final Duration LONGEST = Duration.ofDays(1);

  /** Every setting at its default. */
  public static final BreakerConfig DEFAULTS = new Builder().build();

  /**
   * Validates the settings.
   *
   * @param failureRateThreshold as above
   * @param minimumCalls as above
   * @param slowCallRateThreshold as above
   * @param slowCallDuration as above
   * @param consecutiveFailures as above
   * @param windowType as above
   * @param windowDuration as above
   * @param windowSize as above
   * @param openDuration as above
   * @param maxOpenDuration as above
   * @param openJitter as above
   * @param probes as above
   * @param probeSuccesses as above
   * @param probeFailureRateThreshold as above
   * @param earlyProbeInterval as above
   * @param rampStart as above
   * @param rampInterval as above
   * @param maxConcurrentCalls as above
   * @param callTimeout as above
   * @param downstreamShed as above
   * @param honorRetryAfter as above
   * @param outcomes as above
   * @throws IllegalArgumentException naming the first setting that is out of range, its value and
   *     what was expected
   */
  public BreakerConfig {
    rate("failureRateThreshold", failureRateThreshold, false);
    count("minimumCalls", minimumCalls, 1, 1_000_000);
    rate("slowCallRateThreshold", slowCallRateThreshold, false);
    duration("slowCallDuration", slowCallDuration, Duration.ofMillis(1));
    count("consecutiveFailures", consecutiveFailures, 0, 1_000_000);
    Objects.requireNonNull(windowType, "windowType");
    duration("windowDuration", windowDuration, Duration.ofMillis(100));
    count("windowSize", windowSize, 1, 1_000_000);
    duration("openDuration", openDuration, Duration.ofMillis(1));
    duration("maxOpenDuration", maxOpenDuration, Duration.ofMillis(1));
    if (maxOpenDuration.compareTo(openDuration) < 0) {
      throw bad(
          "maxOpenDuration", maxOpenDuration, "at least openDuration, which is " + openDuration);
    }
    if (!(openJitter >= 0 && openJitter < 1)) {
      throw bad("openJitter", openJitter, ">= 0 and < 1");
    }
    count("probes", probes, 1, HalfOpenState.MAX_PROBES);
    count("probeSuccesses", probeSuccesses, 1, 1_000_000);
    rate("probeFailureRateThreshold", probeFailureRateThreshold, true);
    durationOrNone("earlyProbeInterval", earlyProbeInterval);
    rate("rampStart", rampStart, false);
    durationOrNone("rampInterval", rampInterval);
    if (maxConcurrentCalls < AUTO || maxConcurrentCalls > 1_000_000) {
      throw bad("maxConcurrentCalls", maxConcurrentCalls, "auto, or 1 to 1000000");
    }
    if (windowType == WindowType.COUNT && minimumCalls > windowSize) {
      throw bad("minimumCalls", minimumCalls, "at most windowSize, which is " + windowSize);
    }
    durationOrNone("callTimeout", callTimeout);
    Objects.requireNonNull(downstreamShed, "downstreamShed");
    Objects.requireNonNull(outcomes, "outcomes");
  }

  /** From when on a call is slow: not later than a deadline ends it. */
  Duration slowAfter() {
    boolean endsSooner = !callTimeout.isZero() && callTimeout.compareTo(slowCallDuration) < 0;
    return endsSooner ? callTimeout : slowCallDuration;
  }

  /**
   * A builder that starts from the defaults.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * A builder that starts from these settings.
   *
   * @return a new builder
   */
  public Builder toBuilder() {
    return new Builder(this);
  }

  private static void rate(String name, double value, boolean zeroToo) {
    if (!(value <= 1 && (zeroToo ? value >= 0 : value > 0))) {
      throw bad(name, value, (zeroToo ? ">= 0" : "> 0") + " and <= 1");
    }
  }

  private static void count(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw bad(name, value, "a whole number from " + least + " to " + most);
    }
  }

  private static void duration(String name, Duration value, Duration least) {
    if (value == null || value.compareTo(least) < 0 || value.compareTo(LONGEST) > 0) {
      throw bad(name, value, "a duration from " + least.toMillis() + " ms to 1 day");
    }
  }

  private static void durationOrNone(String name, Duration value) {
    boolean fits =
        value != null
            && value.compareTo(LONGEST) <= 0
            && (value.isZero() || value.compareTo(Duration.ofMillis(1)) >= 0);
    if (!fits) {
      throw bad(name, value, "a duration from 1 ms to 1 day, or 0s");
    }
  }

  private static IllegalArgumentException bad(String name, Object value, String expected) {
    return new IllegalArgumentException(name + ": " + value + " (expected: " + expected + ")");
  }

  /** Collects settings; {@link #build()} validates them together. Not thread-safe. */
  public static final class Builder {
    private double failureRateThreshold = 0.5;
    private int minimumCalls = 20;
    private double slowCallRateThreshold = 0.8;
    private Duration slowCallDuration = Duration.ofSeconds(2);
    private int consecutiveFailures = 5;
    private WindowType windowType = WindowType.TIME;
    private Duration windowDuration = Duration.ofSeconds(10);
    private int windowSize = 100;
    private Duration openDuration = Duration.ofSeconds(5);
    private Duration maxOpenDuration = Duration.ofSeconds(60);
    private double openJitter = 0.1;
    private int probes = 5;
    private int probeSuccesses = 3;
    private double probeFailureRateThreshold;
    private Duration earlyProbeInterval = Duration.ofMillis(250);
    private double rampStart = 0.1;
    private Duration rampInterval = Duration.ofMillis(250);
    private int maxConcurrentCalls = AUTO;
    private Duration callTimeout = Duration.ZERO;
    private DownstreamShed downstreamShed = DownstreamShed.FAILURE;
    private boolean honorRetryAfter;
    private Classifier classifier;
    private final List<Class<? extends Throwable>> ignored = new ArrayList<>();
    private final List<Class<? extends Throwable>> failures = new ArrayList<>();
    private final List<Class<? extends Throwable>> unwrapped = new ArrayList<>();
    private Predicate<Object> failureResult;

    Builder() {}

    private Builder(BreakerConfig from) {
      failureRateThreshold = from.failureRateThreshold;
      minimumCalls = from.minimumCalls;
      slowCallRateThreshold = from.slowCallRateThreshold;
      slowCallDuration = from.slowCallDuration;
      consecutiveFailures = from.consecutiveFailures;
      windowType = from.windowType;
      windowDuration = from.windowDuration;
      windowSize = from.windowSize;
      openDuration = from.openDuration;
      maxOpenDuration = from.maxOpenDuration;
      openJitter = from.openJitter;
      probes = from.probes;
      probeSuccesses = from.probeSuccesses;
      probeFailureRateThreshold = from.probeFailureRateThreshold;
      earlyProbeInterval = from.earlyProbeInterval;
      rampStart = from.rampStart;
      rampInterval = from.rampInterval;
      maxConcurrentCalls = from.maxConcurrentCalls;
      callTimeout = from.callTimeout;
      downstreamShed = from.downstreamShed;
      honorRetryAfter = from.honorRetryAfter;
      classifier = from.outcomes.classifier();
      ignored.addAll(from.outcomes.ignored());
      failures.addAll(from.outcomes.failures());
      unwrapped.addAll(from.outcomes.unwrapped());
      failureResult = from.outcomes.failureResult();
    }

    /**
     * The share of failed calls in the window at which the breaker opens, once the window holds
     * {@link #minimumCalls(int)}.
     *
     * @param rate more than 0, up to 1; 0.5 by default
     * @return this
     */
    public Builder failureRateThreshold(double rate) {
      failureRateThreshold = rate;
      return this;
    }

    /**
     * How many calls the window must hold before a rate is judged.
     *
     * @param calls 1 to 1,000,000; 20 by default; in a count window at most its size
     * @return this
     */
    public Builder minimumCalls(int calls) {
      minimumCalls = calls;
      return this;
    }

    /**
     * The share of slow calls in the window at which the breaker opens, once the window holds
     * {@link #minimumCalls(int)}.
     *
     * @param rate more than 0, up to 1; 0.8 by default
     * @return this
     */
    public Builder slowCallRateThreshold(double rate) {
      slowCallRateThreshold = rate;
      return this;
    }

    /**
     * How long a call takes that counts as slow. A probe that has not ended by then has failed. A
     * {@link #callTimeout(Duration)} that is shorter takes its place.
     *
     * @param duration 1 ms to 1 day; 2 s by default
     * @return this
     */
    public Builder slowCallDuration(Duration duration) {
      slowCallDuration = duration;
      return this;
    }

    /**
     * How many failures in a row open the breaker while the window holds fewer than {@link
     * #minimumCalls(int)}: for traffic too thin for a rate.
     *
     * @param failures 1 to 1,000,000, or 0 for never; 5 by default
     * @return this
     */
    public Builder consecutiveFailures(int failures) {
      consecutiveFailures = failures;
      return this;
    }

    /**
     * What the window slides over.
     *
     * @param type TIME by default; fixed once built
     * @return this
     */
    public Builder windowType(WindowType type) {
      windowType = type;
      return this;
    }

    /**
     * The length of a time window, kept in 10 slices: a call leaves the window with its slice.
     *
     * @param duration 100 ms to 1 day; 10 s by default; fixed once built
     * @return this
     */
    public Builder windowDuration(Duration duration) {
      windowDuration = duration;
      return this;
    }

    /**
     * The length of a count window.
     *
     * @param calls 1 to 1,000,000; 100 by default; fixed once built
     * @return this
     */
    public Builder windowSize(int calls) {
      windowSize = calls;
      return this;
    }

    /**
     * How long the breaker stays open at first. Doubles each time it opens again without having
     * closed, up to {@link #maxOpenDuration(Duration)}.
     *
     * @param duration 1 ms to 1 day; 5 s by default
     * @return this
     */
    public Builder openDuration(Duration duration) {
      openDuration = duration;
      return this;
    }

    /**
     * The longest that the breaker stays open before it probes.
     *
     * @param duration openDuration to 1 day; 60 s by default
     * @return this
     */
    public Builder maxOpenDuration(Duration duration) {
      maxOpenDuration = duration;
      return this;
    }

    /**
     * How much each open time is spread at random, so that a fleet does not probe in step: 0.1 is
     * +-10 %.
     *
     * @param share 0 up to less than 1; 0.1 by default
     * @return this
     */
    public Builder openJitter(double share) {
      openJitter = share;
      return this;
    }

    /**
     * How many probes a half-open breaker lets be under way at once. Where calls hang already it is
     * one at first, and one more after every second {@link #earlyProbeInterval(Duration)}.
     *
     * @param permits 1 to 250; 5 by default
     * @return this
     */
    public Builder probes(int permits) {
      probes = permits;
      return this;
    }

    /**
     * How many probes must succeed for a half-open breaker to close.
     *
     * @param successes 1 to 1,000,000; 3 by default
     * @return this
     */
    public Builder probeSuccesses(int successes) {
      probeSuccesses = successes;
      return this;
    }

    /**
     * How many failed probes, as a share of {@link #probes(int)}, open a half-open breaker again. 0
     * means the first one; 0.4 of 5 probes means the second. A slow probe is a failed one.
     *
     * @param rate 0 to 1; 0 by default
     * @return this
     */
    public Builder probeFailureRateThreshold(double rate) {
      probeFailureRateThreshold = rate;
      return this;
    }

    /**
     * How often an open breaker lets one call try the dependency before its open time is over. As
     * many in a row as {@link #probeSuccesses(int)} that succeed end the open time; one that fails
     * changes nothing; while some hang the next one waits twice as long. At an open time above 40
     * times this, it is a fortieth of the open time. A half-open breaker whose probes hang lets one
     * more pass in twice this, up to a few.
     *
     * @param interval up to 1 day; 0 for never; 250 ms by default
     * @return this
     */
    public Builder earlyProbeInterval(Duration interval) {
      earlyProbeInterval = interval;
      return this;
    }

    /**
     * How a call is judged that the dependency, itself a server, shed: that answered with a
     * TApplicationException whose message is of the form {@code SHED dependency=... state=...
     * retryAfterMs=...}.
     *
     * @param judged FAILURE by default
     * @return this
     */
    public Builder downstreamShed(DownstreamShed judged) {
      downstreamShed = judged;
      return this;
    }

    /**
     * The share of calls that pass at first after a recovery.
     *
     * @param share more than 0, up to 1; 0.1 by default
     * @return this
     */
    public Builder rampStart(double share) {
      rampStart = share;
      return this;
    }

    /**
     * How long each share of calls is tried after a recovery before it doubles; after an interval
     * that was not healthy it is halved. At a share of 1 the breaker is closed.
     *
     * @param interval up to 1 day; 0 for no ramp, so that all calls pass at once; 250 ms by default
     * @return this
     */
    public Builder rampInterval(Duration interval) {
      rampInterval = interval;
      return this;
    }

    /**
     * How many calls to the dependency may be in flight at once; a further one is refused as FULL.
     *
     * <p>{@link BreakerConfig#AUTO} follows what the dependency needs while it is healthy, up to
     * its share of the threads that serve the server's requests: with D dependencies one (D + 1)th
     * each. Above that, calls are admitted as long as calls end at the pace of a healthy
     * dependency. A call that would leave no thread for others waits for one to end, as long as a
     * healthy dependency may take for that: some milliseconds, and 500 at the most. Calls that hold
     * no thread, those of asynchronous guards, are counted and not limited. A breaker without a
     * server has no limit.
     *
     * @param calls 1 to 1,000,000, or {@link BreakerConfig#AUTO}, which is the default
     * @return this
     */
    public Builder maxConcurrentCalls(int calls) {
      maxConcurrentCalls = calls;
      return this;
    }

    /**
     * The longest that a call over a pool of Thrift clients takes, from the wait for a connection
     * to the last byte of the answer. When it passes, the connection is closed, and the caller gets
     * a TTransportException of type TIMED_OUT, which is a failure. Other calls have no such limit.
     *
     * @param duration 1 ms to 1 day, or 0 for none; 0 by default
     * @return this
     */
    public Builder callTimeout(Duration duration) {
      callTimeout = duration;
      return this;
    }

    /**
     * Whether to call the dependency no more, once it shed a call, for as long as it told; at most
     * for {@link #maxOpenDuration(Duration)}. All its methods are left alone then, also those that
     * it does not shed.
     *
     * @param honor false by default
     * @return this
     */
    public Builder honorRetryAfter(boolean honor) {
      honorRetryAfter = honor;
      return this;
    }

    /**
     * The user's own judge of errors, asked before every other rule.
     *
     * @param classifier returns null where it has no opinion
     * @return this
     */
    public Builder classifier(Classifier classifier) {
      this.classifier = classifier;
      return this;
    }

    /**
     * Exceptions that say nothing about the dependency.
     *
     * @param types the types, subtypes included; added to those given before
     * @return this
     */
    @SafeVarargs
    public final Builder ignore(Class<? extends Throwable>... types) {
      for (Class<? extends Throwable> type : types) {
        ignored.add(type);
      }
      return this;
    }

    /**
     * Exceptions that are failures of the dependency, whatever the default makes of them.
     *
     * @param types the types, subtypes included; added to those given before
     * @return this
     */
    @SafeVarargs
    public final Builder failOn(Class<? extends Throwable>... types) {
      for (Class<? extends Throwable> type : types) {
        failures.add(type);
      }
      return this;
    }

    /**
     * Wrapper exceptions, such as ExecutionException, whose cause is judged in their stead.
     *
     * @param types the types, subtypes included; added to those given before
     * @return this
     */
    @SafeVarargs
    public final Builder unwrap(Class<? extends Throwable>... types) {
      for (Class<? extends Throwable> type : types) {
        unwrapped.add(type);
      }
      return this;
    }

    /**
     * Results that are failures although the call returned.
     *
     * @param predicate true for a failure; must be quick and thread-safe
     * @return this
     */
    public Builder failureResult(Predicate<Object> predicate) {
      failureResult = predicate;
      return this;
    }

    /**
     * Validates the settings.
     *
     * @return the settings
     * @throws IllegalArgumentException naming the first bad setting, its value and what was
     *     expected
     */
    public BreakerConfig build() {
      boolean ownRules =
          classifier != null
              || failureResult != null
              || !(ignored.isEmpty() && failures.isEmpty() && unwrapped.isEmpty());
      OutcomeRules rules =
          ownRules
              ? new OutcomeRules(classifier, ignored, failures, unwrapped, failureResult)
              : OutcomeRules.NONE;
      return new BreakerConfig(
          failureRateThreshold,
          minimumCalls,
          slowCallRateThreshold,
          slowCallDuration,
          consecutiveFailures,
          windowType,
          windowDuration,
          windowSize,
          openDuration,
          maxOpenDuration,
          openJitter,
          probes,
          probeSuccesses,
          probeFailureRateThreshold,
          earlyProbeInterval,
          rampStart,
          rampInterval,
          maxConcurrentCalls,
          callTimeout,
          downstreamShed,
          honorRetryAfter,
          rules);
    }
  }
}
