package dev.thriftbreaker.costs;

import dev.thriftbreaker.report.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The page about what the breaker costs, whose results come from a run of everything. */
final class Page {

  private static final String BEGIN = "<!-- results -->\n";
  private static final String END = "<!-- end of results -->\n";
  private static final String FOLDER = "src/jmh/results/costs";

  private Page() {}

  /** Writes the results between the page's two marks, and the pictures and JSON beside it. */
  static void replaceResults(Path page, Scores scores) throws IOException {
    Path folder = Files.createDirectories(page.toAbsolutePath().resolveSibling(FOLDER));
    Files.writeString(folder.resolve("results.json"), Report.json(scores, false));
    Report.pictures(scores, folder);
    Files.writeString(page, replaceResults(Files.readString(page), results(scores)));
  }

  static String replaceResults(String page, String results) {
    int begin = page.indexOf(BEGIN);
    int end = page.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException("page: has not the lines " + BEGIN + END);
    }
    return page.substring(0, begin + BEGIN.length()) + results + page.substring(end);
  }

  private static String results(Scores scores) {
    StringBuilder results = new StringBuilder("\nOn " + Machine.describe() + ".\n");
    results.append("All samples: [results.json](" + FOLDER + "/results.json).\n");
    results.append("\n### Targets\n\n").append(Report.targets(scores, true));
    for (String group : Groups.of(scores)) {
      results.append(Report.section(group, scores));
      if (Report.hasPicture(group, scores)) {
        results.append("\n![").append(Groups.title(group)).append("](");
        results.append(FOLDER).append('/').append(group).append(".svg)\n");
      }
    }
    return results.append('\n').toString();
  }
}
