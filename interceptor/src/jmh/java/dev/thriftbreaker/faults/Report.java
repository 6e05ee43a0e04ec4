package dev.thriftbreaker.faults;

import dev.thriftbreaker.report.Json;
import dev.thriftbreaker.report.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Writes results as a page of tables, as JSON, and as a picture for each fault. */
final class Report {

  private Report() {}

  static void write(Map<Scenario, List<Result>> results, Options options) throws IOException {
    Path output = Files.createDirectories(options.output());
    StringBuilder page = new StringBuilder(Machine.describe() + "\n\n");
    for (Map.Entry<Scenario, List<Result>> entry : results.entrySet()) {
      Scenario scenario = entry.getKey();
      page.append("### ").append(scenario.name()).append("\n\n");
      page.append(scenario.title()).append("\n\n");
      page.append(table(scenario, entry.getValue())).append('\n');
      if (entry.getValue().get(0).series() != null) {
        Files.writeString(
            output.resolve(scenario.name() + ".svg"), Svg.of(scenario, entry.getValue()));
      }
    }
    Files.writeString(output.resolve("table.md"), page);
    Files.writeString(output.resolve("results.json"), json(results, options));
  }

  static String table(Scenario scenario, List<Result> results) {
    List<Measure> measures =
        List.copyOf(results.get(0).measures().keySet()).stream().sorted().toList();
    StringBuilder table = new StringBuilder("| " + scenario.name() + " |");
    measures.forEach(measure -> table.append(' ').append(measure.title).append(" |"));
    table.append("\n|---|").append("---:|".repeat(measures.size())).append('\n');
    for (Result result : results) {
      table.append("| ").append(result.variant().title).append(" |");
      for (Measure measure : measures) {
        String value = measure.show(result.measures().get(measure));
        table.append(' ').append(value).append(" |");
      }
      table.append('\n');
    }
    return table.toString();
  }

  private static String json(Map<Scenario, List<Result>> results, Options options) {
    String scenarios =
        results.entrySet().stream()
            .map(
                entry ->
                    Json.quoted(entry.getKey().name())
                        + ": {\n\"title\": "
                        + Json.quoted(entry.getKey().title())
                        + ",\n\"variants\": {\n"
                        + entry.getValue().stream()
                            .map(Report::json)
                            .collect(Collectors.joining(",\n"))
                        + "}}")
            .collect(Collectors.joining(",\n"));
    return "{\"on\": "
        + Json.quoted(Machine.describe())
        + ",\n\"quick\": "
        + options.quick()
        + ",\n\"repeat\": "
        + options.repeat()
        + ",\n\"scenarios\": {\n"
        + scenarios
        + "}}\n";
  }

  private static String json(Result result) {
    String measures =
        result.measures().entrySet().stream()
            .map(
                measure ->
                    Json.quoted(measure.getKey().name().toLowerCase(Locale.ROOT))
                        + ": "
                        + Json.number(measure.getValue()))
            .collect(Collectors.joining(", "));
    return Json.quoted(result.variant().label()) + ": {" + measures + json(result.series()) + "}";
  }

  private static String json(Result.Series series) {
    if (series == null) {
      return "";
    }
    String goodput =
        series.goodput().entrySet().stream()
            .map(
                line ->
                    Json.quoted(line.getKey().name().toLowerCase(Locale.ROOT))
                        + ": "
                        + IntStream.range(0, line.getValue().length)
                            .mapToObj(i -> Json.number(line.getValue()[i]))
                            .collect(Collectors.joining(",", "[", "]")))
            .collect(Collectors.joining(", "));
    return ",\n  \"from_millis\": "
        + series.fromMillis()
        + ", \"heal_millis\": "
        + series.healMillis()
        + ", \"step_millis\": "
        + series.stepMillis()
        + ", \"goodput\": {"
        + goodput
        + "}";
  }
}
