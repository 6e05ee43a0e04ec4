package dev.thriftbreaker.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * What the command line says.
 *
 * @param only the scenarios to run, by name; empty is all
 * @param variants the variants to run, by label; empty is all that a scenario takes
 * @param quick a few variants, shorter faults
 * @param repeat how often each scenario runs; the medians are reported
 * @param output where results go
 */
record Options(List<String> only, List<String> variants, boolean quick, int repeat, Path output) {

  static Options fromSystemProperties() {
    return new Options(
        list("faults.only"),
        list("faults.variants"),
        Boolean.getBoolean("faults.quick"),
        Integer.getInteger("faults.repeat", 1),
        Path.of(System.getProperty("faults.output", "target/faults")));
  }

  private static List<String> list(String property) {
    String value = System.getProperty(property, "").trim();
    return value.isEmpty() ? List.of() : Arrays.asList(value.split("\\s*,\\s*"));
  }

  boolean wants(Scenario scenario) {
    return only.isEmpty() ? !quick || scenario.quick() : only.contains(scenario.name());
  }

  List<Variant> choose(List<Variant> offered) {
    return offered.stream()
        .filter(variant -> variants.isEmpty() || variants.contains(variant.label()))
        .filter(variant -> !quick || !variants.isEmpty() || Scenarios.QUICK.contains(variant))
        .toList();
  }

  /** Where the servers of a scenario put what they have to say. */
  Path logs(Scenario scenario) throws IOException {
    return Files.createDirectories(output.resolve("logs").resolve(scenario.name()));
  }
}
