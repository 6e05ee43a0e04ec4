package dev.thriftbreaker.costs;

import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * What the command line says.
 *
 * @param only which groups and contenders to run, found in {@code group.contender}
 * @param quick one short fork each, for a first look
 * @param rounds how many forks each gets
 * @param profile a profiler of JMH's to use beside, such as {@code jfr}, or empty
 * @param output where results go
 * @param page the page whose results are to be replaced, or null
 */
record Options(Pattern only, boolean quick, int rounds, String profile, Path output, Path page) {

  Options {
    if (page != null && (quick || !only.pattern().isEmpty() || !profile.isEmpty())) {
      throw new IllegalArgumentException(
          "costs.page: "
              + page
              + " (expected: neither costs.only, costs.quick nor costs.profile beside it)");
    }
  }

  static Options fromSystemProperties() {
    String page = System.getProperty("costs.page", "").trim();
    boolean quick = Boolean.getBoolean("costs.quick");
    return new Options(
        Pattern.compile(System.getProperty("costs.only", "").trim()),
        quick,
        quick ? 1 : Integer.getInteger("costs.rounds", 3),
        System.getProperty("costs.profile", "").trim(),
        Path.of(System.getProperty("costs.output", "target/costs")),
        page.isEmpty() ? null : Path.of(page));
  }

  boolean wants(String name) {
    return only.matcher(name).find();
  }

  /** Whether nothing was left out. */
  boolean all() {
    return only.pattern().isEmpty();
  }
}
