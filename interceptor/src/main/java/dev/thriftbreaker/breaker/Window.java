package dev.thriftbreaker.breaker;

/** The recent calls of a closed breaker. Any number of threads record and read at once. */
abstract sealed class Window permits TimeWindow, CountWindow {

  static Window of(BreakerConfig config, CellTable cells, long generation, long now) {
    return switch (config.windowType()) {
      case TIME -> new TimeWindow(cells, generation, config.windowDuration().toNanos(), now);
      case COUNT -> new CountWindow(config.windowSize());
    };
  }

  /** Records a call that neither failed nor was slow. */
  abstract void recordGood(Cell mine, long now);

  abstract void recordBad(boolean failed, boolean slow, long now);

  abstract WindowCounts counts(long now);

  /** The same, exact at any moment, at a price: for what a breaker is about to open on. */
  WindowCounts recount(long now) {
    return counts(now);
  }
}
