package dev.thriftbreaker.costs;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A measurement in a JVM of its own, which tells its scores on its standard output. */
public final class MeasurementProcess {

  private static final String SCORE = "score\t";

  private MeasurementProcess() {}

  /** Runs it; what else it has to say goes to {@code log}. */
  static List<Score> run(Measurement measurement, Options options, File log)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(CostBenchmark.jvmOptions(options));
    command.addAll(List.of("-classpath", System.getProperty("java.class.path")));
    command.addAll(List.of(MeasurementProcess.class.getName(), measurement.name()));
    command.add(String.valueOf(options.quick()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log)).start();
    List<Score> scores = new ArrayList<>();
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(SCORE)) {
          scores.add(parse(line));
        }
      }
    } finally {
      process.destroy();
    }
    if (process.waitFor() != 0) {
      throw new IOException(measurement.name() + " failed; see " + log.getName());
    }
    return scores;
  }

  private static Score parse(String line) {
    String[] parts = line.split("\t");
    return new Score(parts[1], Integer.parseInt(parts[2]), Double.parseDouble(parts[3]), parts[4]);
  }

  private static String format(Score score) {
    return SCORE
        + String.join("\t", score.name(), "" + score.threads(), "" + score.value(), score.unit());
  }

  /**
   * The child.
   *
   * @param args the measurement's name, and whether a rough figure will do
   * @throws Exception if it fails
   */
  public static void main(String[] args) throws Exception {
    Measurement measurement =
        Measurements.ALL.stream()
            .filter(candidate -> candidate.name().equals(args[0]))
            .findFirst()
            .orElseThrow();
    for (Score score : measurement.measure(Boolean.parseBoolean(args[1]))) {
      System.out.println(format(score));
    }
    System.exit(0); // whatever threads a measurement has left
  }
}
