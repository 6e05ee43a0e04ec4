package dev.thriftbreaker.faults;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the scenarios and writes the report; see {@link Options} for what it can be told. */
public final class FaultBenchmark {

  private FaultBenchmark() {}

  /**
   * The command.
   *
   * @param args none
   * @throws Exception if a server does not start, or results cannot be written
   */
  public static void main(String[] args) throws Exception {
    Options options = Options.fromSystemProperties();
    long startNanos = System.nanoTime();
    Map<Scenario, List<Result>> results = new LinkedHashMap<>();
    for (Scenario scenario : Scenarios.all()) {
      List<Variant> chosen = options.choose(scenario.variants());
      if (options.wants(scenario) && !chosen.isEmpty()) {
        results.put(scenario, run(scenario, chosen, options));
        long seconds = (System.nanoTime() - startNanos) / 1_000_000_000;
        System.out.println(scenario.name() + ": done after " + seconds + " s");
        System.out.println(Report.table(scenario, results.get(scenario)));
        Report.write(results, options);
      }
    }
    System.exit(0);
  }

  private static List<Result> run(Scenario scenario, List<Variant> chosen, Options options)
      throws Exception {
    List<List<Result>> runs = new ArrayList<>();
    for (int i = 0; i < options.repeat(); i++) {
      runs.add(scenario.run(chosen, options));
    }
    List<Result> medians = new ArrayList<>();
    for (int i = 0; i < chosen.size(); i++) {
      int index = i;
      medians.add(Result.median(runs.stream().map(run -> run.get(index)).toList()));
    }
    return medians;
  }
}
