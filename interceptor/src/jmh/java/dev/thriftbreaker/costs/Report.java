package dev.thriftbreaker.costs;

import dev.thriftbreaker.report.Json;
import dev.thriftbreaker.report.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** Writes scores as tables, as JSON and as a picture for each group. */
final class Report {

  private static final String MISSING = "not measured";

  private Report() {}

  static void write(Scores scores, Options options) throws IOException {
    Path output = Files.createDirectories(options.output());
    Files.writeString(output.resolve("targets.md"), targets(scores, options.all()));
    Files.writeString(output.resolve("table.md"), tables(scores));
    Files.writeString(output.resolve("results.json"), json(scores, options.quick()));
    pictures(scores, output);
  }

  static void pictures(Scores scores, Path folder) throws IOException {
    for (String group : Groups.of(scores)) {
      if (hasPicture(group, scores)) {
        Files.writeString(folder.resolve(group + ".svg"), Chart.of(group, scores));
      }
    }
  }

  /** Ratios have none: about 1 as they are, bars on a scale of powers of ten show nothing. */
  static boolean hasPicture(String group, Scores scores) {
    List<Figure> figures = figures(group, scores);
    return hasOneUnit(figures)
        && figures.stream().noneMatch(figure -> figure.unit().equals(Figure.RATIO));
  }

  /**
   * One row a target.
   *
   * @param all whether everything was to be measured, so that a missing figure is worth telling
   */
  static String targets(Scores scores, boolean all) {
    StringBuilder table = new StringBuilder("| what | measured | target | holds |\n");
    table.append("|---|---:|---:|---|\n");
    for (Target target : Targets.ALL) {
      OptionalDouble measured = target.measured(scores);
      if (measured.isPresent()) {
        double value = measured.getAsDouble();
        row(
            table,
            target.text(),
            target.show(value),
            target.showBound(),
            target.holds(value) ? "yes" : "**no**");
      } else if (all) {
        row(table, target.text(), MISSING, target.showBound(), "");
      }
    }
    return table.toString();
  }

  private static String tables(Scores scores) {
    StringBuilder page = new StringBuilder(Machine.describe() + "\n");
    for (String group : Groups.of(scores)) {
      page.append(section(group, scores));
    }
    return page.toString();
  }

  static String section(String group, Scores scores) {
    String title = Groups.title(group);
    String paragraph = title.isEmpty() ? "" : title + "\n\n";
    return "\n### " + group + "\n\n" + paragraph + table(group, scores);
  }

  static String table(String group, Scores scores) {
    List<Figure> figures = figures(group, scores);
    return hasOneUnit(figures) ? wide(group, figures, scores) : narrow(group, figures, scores);
  }

  /** Whether contenders can be compared at a glance. */
  private static boolean hasOneUnit(List<Figure> figures) {
    return figures.stream()
            .map(Figure::unit)
            .filter(unit -> !unit.equals(Figure.BYTES))
            .distinct()
            .count()
        <= 1;
  }

  /** A row a figure. */
  private static String narrow(String group, List<Figure> figures, Scores scores) {
    StringBuilder table = new StringBuilder();
    row(table, group, "threads", "median", "unit");
    table.append("|---|---:|---:|---|\n");
    for (Figure figure : figures) {
      String median = Numbers.show(scores.median(figure).orElseThrow());
      String label = Names.label(figure.contender());
      row(table, label, "" + figure.threads(), median, figure.unit());
    }
    return table.toString();
  }

  /** A row a contender. */
  private static String wide(String group, List<Figure> figures, Scores scores) {
    List<Column> columns = columns(figures);
    StringBuilder table = new StringBuilder();
    List<String> header = new ArrayList<>(List.of(group));
    columns.forEach(column -> header.add(column.title()));
    row(table, header.toArray(String[]::new));
    table.append("|---|").append("---:|".repeat(columns.size())).append('\n');
    for (String contender : contenders(figures)) {
      List<String> cells = new ArrayList<>(List.of(Names.label(contender)));
      for (Column column : columns) {
        Figure figure = new Figure(group + "." + contender, column.threads(), column.unit());
        OptionalDouble median = scores.median(figure);
        cells.add(median.isPresent() ? Numbers.show(median.getAsDouble()) : "");
      }
      row(table, cells.toArray(String[]::new));
    }
    return table.toString();
  }

  /** A column of a table. */
  record Column(int threads, String unit) {
    String title() {
      return unit.equals(Figure.BYTES)
          ? unit
          : unit + ", " + threads + (threads == 1 ? " thread" : " threads");
    }
  }

  /** Bytes do not depend on the number of threads: those of the fewest threads are shown, last. */
  private static List<Column> columns(List<Figure> figures) {
    List<Column> columns =
        figures.stream()
            .filter(figure -> !figure.unit().equals(Figure.BYTES))
            .map(figure -> new Column(figure.threads(), figure.unit()))
            .distinct()
            .sorted(Comparator.comparing(Column::unit).thenComparing(Column::threads))
            .collect(Collectors.toCollection(ArrayList::new));
    figures.stream()
        .filter(figure -> figure.unit().equals(Figure.BYTES))
        .min(Comparator.comparing(Figure::threads))
        .ifPresent(figure -> columns.add(new Column(figure.threads(), figure.unit())));
    return columns;
  }

  static List<Figure> figures(String group, Scores scores) {
    return scores.figures().stream().filter(figure -> figure.group().equals(group)).toList();
  }

  /** Ours first. */
  static List<String> contenders(List<Figure> figures) {
    return figures.stream()
        .map(Figure::contender)
        .distinct()
        .sorted(Comparator.comparing(contender -> !Names.isOurs(contender)))
        .toList();
  }

  private static void row(StringBuilder table, String... cells) {
    table.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  static String json(Scores scores, boolean quick) {
    String figures =
        scores.figures().stream()
            .map(figure -> json(figure, scores))
            .collect(Collectors.joining(",\n"));
    return "{\"on\": "
        + Json.quoted(Machine.describe())
        + ",\n\"quick\": "
        + quick
        + ",\n\"scores\": [\n"
        + figures
        + "]}\n";
  }

  private static String json(Figure figure, Scores scores) {
    String samples =
        scores.samples(figure).stream().map(Json::number).collect(Collectors.joining(", "));
    return "{\"name\": "
        + Json.quoted(figure.name())
        + ", \"threads\": "
        + figure.threads()
        + ", \"unit\": "
        + Json.quoted(figure.unit())
        + ", \"median\": "
        + Json.number(scores.median(figure).orElse(Double.NaN))
        + ", \"samples\": ["
        + samples
        + "]}";
  }
}
