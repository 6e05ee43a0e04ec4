package dev.thriftbreaker.fleet.redis;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.fleet.FleetOverride;
import dev.thriftbreaker.fleet.FleetState;
import dev.thriftbreaker.fleet.Reading;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * How the state lies in Redis: the names of keys and channels, and the meaning of fields. What is
 * sound here is sound in {@code prelude.lua} and the other way round.
 *
 * <p>All keys of one breaker hold the same hash tag, so that they share a slot of a cluster. Fields
 * that are not named here belong to somebody else and are left alone.
 */
final class Layout {

  static final String VERSION = "1";
  static final String[] STATE_FIELDS = {
    "v", "ep", "st", "since", "until", "n", "by", "cause", "why", "rids"
  };
  static final String[] OVERRIDE_FIELDS = {"v", "ver", "mode", "exp", "by", "why", "at", "rids"};

  /** The integers that a number in Lua holds exactly. */
  private static final long LARGEST = (1L << 53) - 1;

  private static final long DAY_MILLIS = 86_400_000;

  /** What the names of states and modes look like, those of later versions too. */
  private static final Pattern NAME = Pattern.compile("[A-Z][A-Z_]*");

  private static final Map<String, BreakerState> STATES =
      Map.of(
          "CLOSED", BreakerState.CLOSED,
          "HALF_OPEN", BreakerState.HALF_OPEN,
          "OPEN", BreakerState.OPEN);
  private static final Map<String, Mode> MODES =
      Map.of(
          "NONE", Mode.AUTO,
          "FORCED_OPEN", Mode.FORCED_OPEN,
          "FORCED_CLOSED", Mode.FORCED_CLOSED,
          "SHADOW", Mode.SHADOW);

  private Layout() {}

  static String stateKey(String namespace, String dependency) {
    return "tb:{" + namespace + "/" + dependency + "}";
  }

  static String auditKey(String namespace, String dependency) {
    return stateKey(namespace, dependency) + ":audit";
  }

  static String overrideKey(String namespace, String dependency) {
    return stateKey(namespace, dependency) + ":override";
  }

  static String channel(String namespace) {
    return "tb:events:" + namespace;
  }

  /**
   * Reads a state.
   *
   * @param nowMillis the server's time
   */
  static Reading<FleetState> state(Map<String, String> fields, long nowMillis) {
    if (foreignLayout(fields)) {
      return Reading.foreign("v: " + fields.get("v") + " (expected: " + VERSION + ")");
    }
    if (!fields.containsKey("ep") && !fields.containsKey("st")) {
      return Reading.missing();
    }
    try {
      long epoch = ordinal(fields, "ep", nowMillis);
      String name = fields.getOrDefault("st", "");
      BreakerState state = STATES.get(name);
      if (state == null) {
        return unknown("st", name);
      }
      long since = integer(fields, "since");
      long until = integer(fields, "until");
      long opens = integer(fields, "n");
      return Reading.of(
          new FleetState(
              epoch,
              state,
              Math.max(0, nowMillis - since),
              state == BreakerState.OPEN ? within(until - nowMillis) : 0,
              (int) Math.min(opens, Integer.MAX_VALUE),
              fields.getOrDefault("by", ""),
              fields.getOrDefault("cause", ""),
              fields.getOrDefault("why", ""),
              fields.getOrDefault("rids", "")));
    } catch (IllegalArgumentException e) {
      return Reading.damaged(e.getMessage());
    }
  }

  /**
   * Reads an override.
   *
   * @param nowMillis the server's time
   */
  static Reading<FleetOverride> override(Map<String, String> fields, long nowMillis) {
    if (foreignLayout(fields)) {
      return Reading.foreign("v: " + fields.get("v") + " (expected: " + VERSION + ")");
    }
    if (!fields.containsKey("ver") && !fields.containsKey("mode")) {
      return Reading.missing();
    }
    try {
      long version = ordinal(fields, "ver", nowMillis);
      String name = fields.getOrDefault("mode", "");
      Mode mode = MODES.get(name);
      if (mode == null) {
        return unknown("mode", name);
      }
      long expires = integer(fields, "exp");
      return Reading.of(
          new FleetOverride(
              version,
              mode,
              mode == Mode.AUTO ? 0 : within(expires - nowMillis),
              fields.getOrDefault("by", ""),
              fields.getOrDefault("why", ""),
              fields.getOrDefault("rids", "")));
    } catch (IllegalArgumentException e) {
      return Reading.damaged(e.getMessage());
    }
  }

  private static boolean foreignLayout(Map<String, String> fields) {
    return !VERSION.equals(fields.getOrDefault("v", VERSION));
  }

  /** What a later version may have written is left alone. */
  private static <T> Reading<T> unknown(String field, String name) {
    String problem = field + ": " + shortened(name) + " (unknown)";
    return NAME.matcher(name).matches() ? Reading.foreign(problem) : Reading.damaged(problem);
  }

  /** An epoch or a version follows the clock; nothing could be above one of a far future. */
  private static long ordinal(Map<String, String> fields, String name, long nowMillis) {
    long number = integer(fields, name);
    if (number == 0 || number > nowMillis + DAY_MILLIS) {
      throw new IllegalArgumentException(
          name + ": " + number + " (expected: 1 to a day after the server's time)");
    }
    return number;
  }

  /** The mode's name in Redis. */
  static String modeName(Mode mode) {
    return mode == Mode.AUTO ? "NONE" : mode.name();
  }

  /**
   * Reads the fields of an event.
   *
   * @throws IllegalArgumentException if it is none
   */
  static Map<String, String> event(String message) {
    Map<String, String> fields = new HashMap<>();
    for (String part : message.split("&")) {
      int equals = part.indexOf('=');
      if (equals <= 0) {
        throw new IllegalArgumentException("event without fields: " + shortened(message));
      }
      fields.put(
          part.substring(0, equals),
          URLDecoder.decode(part.substring(equals + 1), StandardCharsets.UTF_8));
    }
    return fields;
  }

  static long integer(Map<String, String> fields, String name) {
    String text = fields.getOrDefault(name, "");
    if (text.matches("[0-9]{1,16}")) {
      long number = Long.parseLong(text);
      if (number <= LARGEST) {
        return number;
      }
    }
    throw new IllegalArgumentException(
        name + ": " + shortened(text) + " (expected: a whole number from 0 to " + LARGEST + ")");
  }

  static String shortened(String text) {
    return text.length() <= 100 ? text : text.substring(0, 100) + "...";
  }

  private static long within(long remainingMillis) {
    return Math.max(0, Math.min(remainingMillis, DAY_MILLIS));
  }
}
