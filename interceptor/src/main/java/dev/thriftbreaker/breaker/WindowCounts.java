package dev.thriftbreaker.breaker;

/**
 * What a window holds.
 *
 * @param calls judged calls
 * @param failures failed ones among them
 * @param slowCalls slow ones among them, failed or not
 */
public record WindowCounts(long calls, long failures, long slowCalls) {

  static final WindowCounts EMPTY = new WindowCounts(0, 0, 0);

  /**
   * The share of failed calls.
   *
   * @return 0 to 1; 0 for an empty window
   */
  public double failureRate() {
    return calls == 0 ? 0 : (double) failures / calls;
  }

  /**
   * The share of slow calls.
   *
   * @return 0 to 1; 0 for an empty window
   */
  public double slowCallRate() {
    return calls == 0 ? 0 : (double) slowCalls / calls;
  }
}
