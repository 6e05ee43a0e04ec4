package dev.thriftbreaker.costs;

import java.util.List;

/** What is measured in another way than by JMH, in this order. */
final class Measurements {

  static final List<Measurement> ALL = List.of();

  private Measurements() {}
}
