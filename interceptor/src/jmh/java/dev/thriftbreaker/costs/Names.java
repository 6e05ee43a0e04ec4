package dev.thriftbreaker.costs;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** From the names in the code to those on the page. */
final class Names {

  private static final Map<String, String> PROPER =
      Map.of(
          "ours", "Thrift Breaker",
          "failsafe", "Failsafe",
          "sentinel", "Sentinel",
          "hystrix", "Hystrix",
          "gradient2", "Gradient2",
          "redis", "Redis",
          "jmx", "JMX",
          "mbean", "MBean",
          "cpu", "CPU",
          "hsha", "HsHa");

  private Names() {}

  /** {@code SuccessBenchmark} makes the group {@code success}. */
  static String group(String className) {
    String simple = className.substring(className.lastIndexOf('.') + 1);
    String name = simple.replaceFirst("Benchmark$", "");
    return name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
  }

  /** {@code oursTickerClock.100} makes "Thrift Breaker ticker clock, 100". */
  static String label(String contender) {
    return Arrays.stream(contender.split("\\."))
        .map(Names::words)
        .collect(Collectors.joining(", "));
  }

  static boolean isOurs(String contender) {
    return contender.startsWith("ours");
  }

  private static String words(String camelCase) {
    return Arrays.stream(camelCase.replace('_', ' ').split("(?<=[a-z0-9])(?=[A-Z])"))
        .map(word -> word.toLowerCase(Locale.ROOT))
        .map(word -> PROPER.getOrDefault(word, word))
        .collect(Collectors.joining(" "));
  }
}
