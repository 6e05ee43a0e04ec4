package dev.thriftbreaker.costs;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs this package's JMH classes, a fork of each in turn, so that a slow minute hits them all. */
final class Jmh {

  private static final String ALLOCATED = "gc.alloc.rate.norm";

  private final Options options;
  private final PrintStream log;
  private final Map<String, List<BenchmarkListEntry>> classes;

  Jmh(Options options, PrintStream log) {
    this.options = options;
    this.log = log;
    this.classes =
        BenchmarkList.defaultList().getAll(format(), List.of()).stream()
            .filter(entry -> entry.getUserClassQName().startsWith(Jmh.class.getPackageName() + "."))
            .filter(entry -> options.wants(name(entry.getUsername())))
            .collect(
                Collectors.groupingBy(
                    BenchmarkListEntry::getUserClassQName, TreeMap::new, Collectors.toList()));
  }

  private OutputFormat format() {
    return OutputFormatFactory.createFormatInstance(log, VerboseMode.NORMAL);
  }

  /** What a benchmark sets itself: which times, and how many forks a round. */
  private record Own(boolean warmup, boolean measurement, int forks) {
    static Own of(BenchmarkListEntry benchmark) {
      return new Own(
          benchmark.getWarmupTime().hasValue(),
          benchmark.getMeasurementTime().hasValue(),
          benchmark.getForks().orElse(1));
    }
  }

  /** Runs one fork of everything, or as many as a benchmark says. */
  void round(Scores scores) throws RunnerException {
    for (Map.Entry<String, List<BenchmarkListEntry>> entry : classes.entrySet()) {
      Map<Own, List<String>> benchmarks =
          entry.getValue().stream()
              .collect(
                  Collectors.groupingBy(
                      Own::of,
                      LinkedHashMap::new,
                      Collectors.mapping(BenchmarkListEntry::getUsername, Collectors.toList())));
      for (int threads : threadCounts(entry.getKey())) {
        System.out.printf("%s, threads: %d%n", Names.group(entry.getKey()), threads);
        for (Map.Entry<Own, List<String>> some : benchmarks.entrySet()) {
          int forks = options.quick() ? 1 : some.getKey().forks();
          for (int i = 0; i < forks; i++) { // not all of one and then all of the next
            run(some.getValue(), threads, some.getKey(), scores);
          }
        }
      }
    }
  }

  private void run(List<String> benchmarks, int threads, Own own, Scores scores)
      throws RunnerException {
    List<String> missing = new ArrayList<>(benchmarks);
    for (RunResult result : new Runner(jmhOptions(benchmarks, threads, own), format()).run()) {
      scores.addAll(scores(result));
      missing.remove(result.getParams().getBenchmark());
    }
    missing.forEach(benchmark -> System.out.println("  failed: " + name(benchmark)));
  }

  private int[] threadCounts(String className) {
    try {
      ThreadCounts annotation = Class.forName(className).getAnnotation(ThreadCounts.class);
      int[] counts = annotation == null ? new int[] {1} : annotation.value();
      return options.quick() && counts.length > 2
          ? new int[] {counts[0], counts[counts.length - 1]}
          : counts;
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private org.openjdk.jmh.runner.options.Options jmhOptions(
      List<String> benchmarks, int threads, Own own) {
    boolean quick = options.quick();
    OptionsBuilder jmh = new OptionsBuilder();
    benchmarks.forEach(name -> jmh.include("^" + Pattern.quote(name) + "$"));
    jmh.threads(threads)
        .forks(1)
        .addProfiler(GCProfiler.class)
        .jvmArgs(CostBenchmark.jvmOptions(options).toArray(String[]::new));
    if (!options.profile().isEmpty()) {
      jmh.addProfiler(options.profile(), "dir=" + options.output().resolve("profiles"));
    }
    if (quick || !own.warmup()) {
      jmh.warmupIterations(2).warmupTime(TimeValue.milliseconds(quick ? 150 : 350));
    }
    if (quick || !own.measurement()) {
      jmh.measurementIterations(quick ? 2 : 3)
          .measurementTime(TimeValue.milliseconds(quick ? 100 : 200));
    }
    return jmh.build();
  }

  private static List<Score> scores(RunResult result) {
    List<Score> scores = new ArrayList<>();
    BenchmarkParams params = result.getParams();
    String name =
        params.getParamsKeys().stream()
            .map(key -> "." + params.getParam(key))
            .collect(Collectors.joining("", name(params.getBenchmark()), ""));
    for (BenchmarkResult fork : result.getBenchmarkResults()) {
      for (IterationResult iteration : fork.getIterationResults()) {
        scores.add(score(name, params.getThreads(), iteration.getPrimaryResult()));
        Result<?> allocated = iteration.getSecondaryResults().get(ALLOCATED);
        if (allocated != null) {
          scores.add(score(name, params.getThreads(), allocated));
        }
      }
    }
    return scores;
  }

  private static Score score(String name, int threads, Result<?> result) {
    return new Score(name, threads, result.getScore(), result.getScoreUnit());
  }

  /** From {@code dev...SuccessBenchmark.ours} to {@code success.ours}. */
  private static String name(String benchmark) {
    int dot = benchmark.lastIndexOf('.');
    return Names.group(benchmark.substring(0, dot)) + benchmark.substring(dot);
  }
}
