package dev.thriftbreaker.breaker;

/** The recent calls of a closed breaker. Any number of threads record and read at once. */
abstract sealed class Window permits TimeWindow, CountWindow {

  static Window of(BreakerConfig config, long now) {
    return switch (config.windowType()) {
      case TIME -> new TimeWindow(config.windowDuration().toNanos(), now);
      case COUNT -> new CountWindow(config.windowSize());
    };
  }

  abstract void record(boolean failed, boolean slow, long now);

  abstract WindowCounts counts(long now);
}
