package dev.thriftbreaker.costs;

/**
 * What is measured, and in what unit.
 *
 * @param name {@code group.contender}
 * @param threads how many threads do it at once
 * @param unit the unit
 */
record Figure(String name, int threads, String unit) {

  static final String BYTES = "B/op";

  /** The unit of what is a ratio already. */
  static final String RATIO = "x";

  static Figure nanos(String name, int threads) {
    return new Figure(name, threads, "ns/op");
  }

  static Figure bytes(String name, int threads) {
    return new Figure(name, threads, BYTES);
  }

  String group() {
    return name.substring(0, name.indexOf('.'));
  }

  String contender() {
    return name.substring(name.indexOf('.') + 1);
  }
}
