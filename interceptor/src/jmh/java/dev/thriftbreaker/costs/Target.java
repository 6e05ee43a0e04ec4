package dev.thriftbreaker.costs;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * A promise about what the breaker costs, and how to tell whether it is kept.
 *
 * @param text what is promised
 * @param kind what the figures make
 * @param of the figure that is judged
 * @param to what it is held against: the least of these. Empty for {@link Kind#VALUE}
 * @param atMost whether the bound is an upper one
 * @param bound the bound
 */
record Target(String text, Kind kind, Figure of, List<Figure> to, boolean atMost, double bound) {

  enum Kind {
    /** The figure by itself. */
    VALUE,
    /** The figure divided by the other. */
    RATIO,
    /** The figure without the other. */
    DIFFERENCE
  }

  /** What the bound is for, until it is given. */
  record Open(String text, Kind kind, Figure of, List<Figure> to) {

    Target atMost(double bound) {
      return new Target(text, kind, of, to, true, bound);
    }

    Target atLeast(double bound) {
      return new Target(text, kind, of, to, false, bound);
    }
  }

  static Open value(String text, Figure of) {
    return new Open(text, Kind.VALUE, of, List.of());
  }

  static Open ratio(String text, Figure of, Figure to) {
    return new Open(text, Kind.RATIO, of, List.of(to));
  }

  /** The ratio to whichever is the least of several. */
  static Open ratio(String text, Figure of, List<Figure> to) {
    return new Open(text, Kind.RATIO, of, List.copyOf(to));
  }

  static Open difference(String text, Figure of, Figure to) {
    return new Open(text, Kind.DIFFERENCE, of, List.of(to));
  }

  /** What was measured, or nothing if a figure is missing. */
  OptionalDouble measured(Scores scores) {
    OptionalDouble judged = scores.median(of);
    if (judged.isEmpty() || kind == Kind.VALUE) {
      return judged;
    }
    List<OptionalDouble> others = to.stream().map(scores::median).toList();
    if (others.stream().anyMatch(OptionalDouble::isEmpty)) {
      return OptionalDouble.empty();
    }
    double other = others.stream().mapToDouble(OptionalDouble::getAsDouble).min().orElseThrow();
    double value = judged.getAsDouble();
    return OptionalDouble.of(kind == Kind.RATIO ? value / other : value - other);
  }

  boolean holds(double measured) {
    return atMost ? measured <= bound : measured >= bound;
  }

  String show(double value) {
    return switch (kind) {
      case RATIO -> String.format(Locale.ROOT, "%.3f x", value);
      case VALUE -> Numbers.show(value) + " " + of.unit();
      case DIFFERENCE -> (value < 0 ? "" : "+") + Numbers.show(value) + " " + of.unit();
    };
  }

  String showBound() {
    return (atMost ? "<= " : ">= ")
        + switch (kind) {
          case RATIO -> Numbers.show(bound) + " x";
          case VALUE -> Numbers.show(bound) + " " + of.unit();
          case DIFFERENCE -> "+" + Numbers.show(bound) + " " + of.unit();
        };
  }
}
