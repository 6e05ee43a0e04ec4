package dev.thriftbreaker.costs;

import java.util.List;

/** Figures of rounds in which contenders took turns. */
final class Paired {

  private Paired() {}

  static double median(List<Double> all) {
    double[] sorted = all.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
