package dev.thriftbreaker.breaker;

import dev.thriftbreaker.breaker.BreakerConfig.DownstreamShed;
import dev.thriftbreaker.breaker.BreakerConfig.WindowType;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Every setting of a breaker by name, as a properties file and an operator write it. */
public enum Setting {
  /** See {@link BreakerConfig.Builder#failureRateThreshold(double)}. */
  FAILURE_RATE_THRESHOLD(
      "failureRateThreshold",
      true,
      Setting::rate,
      (b, v) -> b.failureRateThreshold((Double) v),
      c -> c.failureRateThreshold()),
  /** See {@link BreakerConfig.Builder#minimumCalls(int)}. */
  MINIMUM_CALLS(
      "minimumCalls",
      true,
      Setting::count,
      (b, v) -> b.minimumCalls((Integer) v),
      c -> c.minimumCalls()),
  /** See {@link BreakerConfig.Builder#slowCallRateThreshold(double)}. */
  SLOW_CALL_RATE_THRESHOLD(
      "slowCallRateThreshold",
      true,
      Setting::rate,
      (b, v) -> b.slowCallRateThreshold((Double) v),
      c -> c.slowCallRateThreshold()),
  /** See {@link BreakerConfig.Builder#slowCallDuration(Duration)}. */
  SLOW_CALL_DURATION(
      "slowCallDuration",
      true,
      Setting::duration,
      (b, v) -> b.slowCallDuration((Duration) v),
      c -> c.slowCallDuration()),
  /** See {@link BreakerConfig.Builder#consecutiveFailures(int)}. */
  CONSECUTIVE_FAILURES(
      "consecutiveFailures",
      true,
      Setting::count,
      (b, v) -> b.consecutiveFailures((Integer) v),
      c -> c.consecutiveFailures()),
  /** See {@link BreakerConfig.Builder#windowType(WindowType)}. */
  WINDOW_TYPE(
      "windowType",
      false,
      Setting::windowType,
      (b, v) -> b.windowType((WindowType) v),
      c -> c.windowType()),
  /** See {@link BreakerConfig.Builder#windowDuration(Duration)}. */
  WINDOW_DURATION(
      "windowDuration",
      false,
      Setting::duration,
      (b, v) -> b.windowDuration((Duration) v),
      c -> c.windowDuration()),
  /** See {@link BreakerConfig.Builder#windowSize(int)}. */
  WINDOW_SIZE(
      "windowSize",
      false,
      Setting::count,
      (b, v) -> b.windowSize((Integer) v),
      c -> c.windowSize()),
  /** See {@link BreakerConfig.Builder#openDuration(Duration)}. */
  OPEN_DURATION(
      "openDuration",
      true,
      Setting::duration,
      (b, v) -> b.openDuration((Duration) v),
      c -> c.openDuration()),
  /** See {@link BreakerConfig.Builder#maxOpenDuration(Duration)}. */
  MAX_OPEN_DURATION(
      "maxOpenDuration",
      true,
      Setting::duration,
      (b, v) -> b.maxOpenDuration((Duration) v),
      c -> c.maxOpenDuration()),
  /** See {@link BreakerConfig.Builder#openJitter(double)}. */
  OPEN_JITTER(
      "openJitter", true, Setting::rate, (b, v) -> b.openJitter((Double) v), c -> c.openJitter()),
  /** See {@link BreakerConfig.Builder#probes(int)}. */
  PROBES("probes", true, Setting::count, (b, v) -> b.probes((Integer) v), c -> c.probes()),
  /** See {@link BreakerConfig.Builder#probeSuccesses(int)}. */
  PROBE_SUCCESSES(
      "probeSuccesses",
      true,
      Setting::count,
      (b, v) -> b.probeSuccesses((Integer) v),
      c -> c.probeSuccesses()),
  /** See {@link BreakerConfig.Builder#probeFailureRateThreshold(double)}. */
  PROBE_FAILURE_RATE_THRESHOLD(
      "probeFailureRateThreshold",
      true,
      Setting::rate,
      (b, v) -> b.probeFailureRateThreshold((Double) v),
      c -> c.probeFailureRateThreshold()),
  /** See {@link BreakerConfig.Builder#earlyProbeInterval(Duration)}. */
  EARLY_PROBE_INTERVAL(
      "earlyProbeInterval",
      true,
      Setting::duration,
      (b, v) -> b.earlyProbeInterval((Duration) v),
      c -> c.earlyProbeInterval()),
  /** See {@link BreakerConfig.Builder#rampStart(double)}. */
  RAMP_START(
      "rampStart", true, Setting::rate, (b, v) -> b.rampStart((Double) v), c -> c.rampStart()),
  /** See {@link BreakerConfig.Builder#rampInterval(Duration)}. */
  RAMP_INTERVAL(
      "rampInterval",
      true,
      Setting::duration,
      (b, v) -> b.rampInterval((Duration) v),
      c -> c.rampInterval()),
  /** See {@link BreakerConfig.Builder#maxConcurrentCalls(int)}. */
  MAX_CONCURRENT_CALLS(
      "maxConcurrentCalls",
      true,
      Setting::countOrAuto,
      (b, v) -> b.maxConcurrentCalls((Integer) v),
      c -> c.maxConcurrentCalls() == BreakerConfig.AUTO ? "auto" : c.maxConcurrentCalls()),
  /** See {@link BreakerConfig.Builder#callTimeout(Duration)}. */
  CALL_TIMEOUT(
      "callTimeout",
      true,
      Setting::duration,
      (b, v) -> b.callTimeout((Duration) v),
      c -> c.callTimeout()),
  /** See {@link BreakerConfig.Builder#downstreamShed(DownstreamShed)}. */
  DOWNSTREAM_SHED(
      "downstreamShed",
      true,
      Setting::downstreamShed,
      (b, v) -> b.downstreamShed((DownstreamShed) v),
      c -> c.downstreamShed()),
  /** See {@link BreakerConfig.Builder#honorRetryAfter(boolean)}. */
  HONOR_RETRY_AFTER(
      "honorRetryAfter",
      true,
      Setting::yesOrNo,
      (b, v) -> b.honorRetryAfter((Boolean) v),
      c -> c.honorRetryAfter());

  private static final Pattern DURATION = Pattern.compile("(\\d{1,12})\\s*(ms|s|m|h|d)");

  private final String key;
  private final boolean changeable;
  private final BiFunction<Setting, String, Object> parse;
  private final BiFunction<BreakerConfig.Builder, Object, BreakerConfig.Builder> set;
  private final Function<BreakerConfig, Object> get;

  Setting(
      String key,
      boolean changeable,
      BiFunction<Setting, String, Object> parse,
      BiFunction<BreakerConfig.Builder, Object, BreakerConfig.Builder> set,
      Function<BreakerConfig, Object> get) {
    this.key = key;
    this.changeable = changeable;
    this.parse = parse;
    this.set = set;
    this.get = get;
  }

  /**
   * The setting's name.
   *
   * @return the name, the same in the builder, a properties file and JMX
   */
  public String key() {
    return key;
  }

  /**
   * Whether the setting can be changed while the breaker runs.
   *
   * @return false for the shape of the window, which is fixed once built
   */
  public boolean changeable() {
    return changeable;
  }

  /**
   * Finds a setting.
   *
   * @param key its name
   * @return the setting
   * @throws IllegalArgumentException if there is none of that name; the message lists those that
   *     are
   */
  public static Setting of(String key) {
    return Arrays.stream(values())
        .filter(setting -> setting.key.equals(key))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    key
                        + ": no such setting (expected one of: "
                        + Arrays.stream(values())
                            .map(Setting::key)
                            .collect(Collectors.joining(", "))
                        + ")"));
  }

  /**
   * Writes this setting into a builder.
   *
   * @param builder where to
   * @param value the value as text: a rate such as 0.5, a whole number, a duration such as 500ms,
   *     5s, 2m or PT0.5S, true or false, for windowType TIME or COUNT, for maxConcurrentCalls a
   *     whole number or auto, for downstreamShed FAILURE or IGNORED
   * @throws IllegalArgumentException if the text is not of that form; the range is checked when the
   *     builder builds
   */
  public void write(BreakerConfig.Builder builder, String value) {
    set.apply(builder, parse.apply(this, value));
  }

  /**
   * Reads this setting as text that {@link #write} takes.
   *
   * @param config where from
   * @return the value
   */
  public String read(BreakerConfig config) {
    return text(get.apply(config));
  }

  /**
   * All settings of a breaker, by name, in the order of this enum.
   *
   * @param config the settings
   * @return a new map from name to value
   */
  public static Map<String, String> readAll(BreakerConfig config) {
    Map<String, String> all = new LinkedHashMap<>();
    for (Setting setting : values()) {
      all.put(setting.key, setting.read(config));
    }
    return all;
  }

  private Object rate(String value) {
    try {
      return Double.valueOf(value.strip());
    } catch (NumberFormatException e) {
      throw bad(value, "a number such as 0.5");
    }
  }

  private Object count(String value) {
    try {
      return Integer.valueOf(value.strip());
    } catch (NumberFormatException e) {
      throw bad(value, "a whole number");
    }
  }

  private Object countOrAuto(String value) {
    if (value.strip().equals("auto")) {
      return BreakerConfig.AUTO;
    }
    try {
      int calls = Integer.parseInt(value.strip());
      if (calls != BreakerConfig.AUTO) {
        return calls;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw bad(value, "auto, or 1 to 1000000");
  }

  private Object duration(String value) {
    try {
      return parseDuration(value);
    } catch (IllegalArgumentException e) {
      throw bad(value, e.getMessage());
    }
  }

  private Object windowType(String value) {
    try {
      return WindowType.valueOf(value.strip().toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw bad(value, "TIME or COUNT");
    }
  }

  private Object downstreamShed(String value) {
    try {
      return DownstreamShed.valueOf(value.strip().toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw bad(value, "FAILURE or IGNORED");
    }
  }

  private Object yesOrNo(String value) {
    return switch (value.strip().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw bad(value, "true or false");
    };
  }

  private IllegalArgumentException bad(String value, String expected) {
    return new IllegalArgumentException(key + ": " + value + " (expected: " + expected + ")");
  }

  private static String text(Object value) {
    if (value instanceof Duration duration) {
      long millis = duration.toMillis();
      if (!duration.equals(Duration.ofMillis(millis))) {
        return duration.toString();
      }
      return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
    }
    return String.valueOf(value);
  }

  /**
   * Reads a duration as people write it.
   *
   * @param text such as 500ms, 5s, 2m, 1h, 1d, or ISO-8601 such as PT0.5S
   * @return the duration
   * @throws IllegalArgumentException if the text is neither; its message says what was expected
   */
  public static Duration parseDuration(String text) {
    String stripped = text.strip();
    Matcher matcher = DURATION.matcher(stripped);
    if (matcher.matches()) {
      long amount = Long.parseLong(matcher.group(1));
      return switch (matcher.group(2)) {
        case "ms" -> Duration.ofMillis(amount);
        case "s" -> Duration.ofSeconds(amount);
        case "m" -> Duration.ofMinutes(amount);
        case "h" -> Duration.ofHours(amount);
        default -> Duration.ofDays(amount);
      };
    }
    try {
      return Duration.parse(stripped);
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException("a duration such as 500ms, 5s, 2m or PT0.5S", e);
    }
  }
}
