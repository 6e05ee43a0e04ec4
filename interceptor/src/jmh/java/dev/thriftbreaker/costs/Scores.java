package dev.thriftbreaker.costs;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** All scores of a run. Several of one figure are its samples. */
final class Scores {

  private final Map<Figure, List<Double>> samples = new LinkedHashMap<>();

  void addAll(Collection<Score> scores) {
    for (Score score : scores) {
      Figure figure = new Figure(score.name(), score.threads(), score.unit());
      samples.computeIfAbsent(figure, key -> new ArrayList<>()).add(score.value());
    }
  }

  List<Figure> figures() {
    return List.copyOf(samples.keySet());
  }

  List<Double> samples(Figure figure) {
    return samples.getOrDefault(figure, List.of());
  }

  /** The median, or nothing if it was not measured. */
  OptionalDouble median(Figure figure) {
    double[] sorted = samples(figure).stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2);
  }
}
