package dev.thriftbreaker.demo;

import java.net.URI;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The {@code --name value} pairs of a command line. */
public final class Flags {

  private final Map<String, String> values = new LinkedHashMap<>();

  /**
   * @param arguments the command line
   * @param known the flags that the command takes, with their dashes
   */
  public Flags(List<String> arguments, String... known) {
    for (int i = 0; i < arguments.size(); i += 2) {
      String name = arguments.get(i);
      if (!Arrays.asList(known).contains(name)) {
        throw new BadFlag(name + ": unknown (expected: " + String.join(", ", known) + ")");
      }
      if (i + 1 == arguments.size()) {
        throw new BadFlag(name + ": nothing (expected: a value after it)");
      }
      values.put(name, arguments.get(i + 1));
    }
  }

  public boolean has(String name) {
    return values.containsKey(name);
  }

  public String text(String name) {
    return values.get(name);
  }

  public int number(String name, int byDefault, int least, int most) {
    String value = values.get(name);
    if (value == null) {
      return byDefault;
    }
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new BadFlag(
        name + ": " + value + " (expected: a whole number from " + least + " to " + most + ")");
  }

  public <E extends Enum<E>> E choice(String name, Class<E> type, E byDefault) {
    String value = values.get(name);
    if (value == null) {
      return byDefault;
    }
    for (E constant : type.getEnumConstants()) {
      if (constant.name().toLowerCase(Locale.ROOT).equals(value)) {
        return constant;
      }
    }
    String expected = Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT);
    throw new BadFlag(name + ": " + value + " (expected: one of " + expected + ")");
  }

  /** A Redis, or null if the flag is not there. */
  public URI redis(String name) {
    String value = values.get(name);
    if (value == null) {
      return null;
    }
    try {
      URI uri = URI.create(value);
      if ("redis".equals(uri.getScheme()) && uri.getHost() != null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // told below
    }
    throw new BadFlag(name + ": " + value + " (expected: redis://HOST:PORT)");
  }
}
