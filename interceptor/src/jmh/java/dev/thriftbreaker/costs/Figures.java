package dev.thriftbreaker.costs;

import java.util.Collection;

/** What is told of many figures. */
final class Figures {

  private Figures() {}

  static double median(Collection<Double> figures) {
    return quantile(figures, 0.5);
  }

  static double max(Collection<Double> figures) {
    return quantile(figures, 1);
  }

  static double quantile(Collection<Double> figures, double share) {
    double[] sorted = figures.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int rank = (int) Math.ceil(share * sorted.length) - 1;
    return sorted[Math.max(0, rank)];
  }
}
