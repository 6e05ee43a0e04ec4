package dev.thriftbreaker.faults;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/**
 * What came out for one variant in one scenario.
 *
 * @param variant which
 * @param measures what was measured
 * @param series the goodput over time, or null
 */
record Result(Variant variant, Map<Measure, Double> measures, Series series) {

  static final double NEVER = Double.POSITIVE_INFINITY;

  /** The share of good requests of each kind over time, from {@code fromMillis} after the fault. */
  record Series(
      int fromMillis, int healMillis, int stepMillis, Map<Recorder.Kind, double[]> goodput) {

    static Series of(Recorder recorder, int from, int fault, int heal, int to) {
      int step = 50;
      Map<Recorder.Kind, double[]> goodput = new EnumMap<>(Recorder.Kind.class);
      for (Recorder.Kind kind : Recorder.Kind.values()) {
        double[] values = new double[(to - from) / step];
        Arrays.setAll(values, i -> recorder.goodput(kind, from + i * step, from + (i + 1) * step));
        goodput.put(kind, values);
      }
      return new Series(from - fault, heal - fault, step, goodput);
    }
  }

  /** The medians of several runs, with the first one's series. */
  static Result median(List<Result> runs) {
    Map<Measure, Double> medians = new EnumMap<>(Measure.class);
    for (Measure measure : runs.get(0).measures.keySet()) {
      medians.put(measure, median(runs.stream().mapToDouble(r -> r.measures.get(measure))));
    }
    return new Result(runs.get(0).variant, medians, runs.get(0).series);
  }

  static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    int middle = sorted.length / 2;
    if (sorted.length % 2 == 1 || Double.isInfinite(sorted[middle])) {
      return sorted[middle];
    }
    return (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Milliseconds from one position to another, -1 being never. */
  static double millis(int from, int to) {
    return to < 0 ? NEVER : to - from;
  }

  static double seconds(int from, int to) {
    return millis(from, to) / 1000;
  }
}
