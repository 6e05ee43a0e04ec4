package dev.thriftbreaker.costs;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.openjdk.jmh.runner.RunnerException;

/** Measures what the breaker costs and writes the report; see {@link Options}. */
public final class CostBenchmark {

  private CostBenchmark() {}

  /**
   * The command.
   *
   * @param args none
   * @throws Exception if benchmarks cannot run, or results cannot be written
   */
  public static void main(String[] args) throws Exception {
    Options options = Options.fromSystemProperties();
    Files.createDirectories(options.output());
    Scores scores = new Scores();
    measure(options, scores);
    File jmhLog = options.output().resolve("jmh.log").toFile();
    try (PrintStream log = new PrintStream(jmhLog, StandardCharsets.UTF_8)) {
      System.setErr(log); // what the peers have to say while they start
      run(new Jmh(options, log), scores, options);
    }
    if (options.page() != null) {
      Page.replaceResults(options.page(), scores);
    }
    System.out.println(Report.targets(scores, options.all()));
    System.exit(0);
  }

  private static void run(Jmh jmh, Scores scores, Options options)
      throws RunnerException, IOException {
    for (int round = 1; round <= options.rounds(); round++) {
      jmh.round(scores);
      Report.write(scores, options);
      System.out.printf("round %d of %d: done%n", round, options.rounds());
    }
  }

  private static void measure(Options options, Scores scores)
      throws IOException, InterruptedException {
    File log = options.output().resolve("measurements.log").toFile();
    for (Measurement measurement : Measurements.ALL) {
      if (options.wants(measurement.name() + ".")) {
        try {
          scores.addAll(MeasurementProcess.run(measurement, options, log));
          System.out.printf("%s: done%n", measurement.name());
        } catch (IOException e) { // its figures are missed in the report, the others are not
          System.out.println(e.getMessage());
        }
        Report.write(scores, options);
      }
    }
  }

  /** The same for all, so that figures can be compared. */
  static List<String> jvmOptions(Options options) {
    return List.of(
        "-Xms1g",
        "-Xmx1g",
        "-XX:+UseG1GC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        // libthrift logs each exception of a handler with its stack trace
        "-Dorg.slf4j.simpleLogger.log.org.apache.thrift=off",
        "-Dcsp.sentinel.log.dir=" + options.output().resolve("sentinel").toAbsolutePath());
  }
}
