package dev.thriftbreaker.costs;

import static dev.thriftbreaker.costs.Figure.nanos;

import java.util.List;

/** What the breaker may cost. */
final class Targets {

  static final List<Target> ALL =
      List.of(
          Target.ratio(
                  "A call that succeeds, against two reads of the clock, 1 thread",
                  nanos("success.ours", 1),
                  nanos("clock.clockTwice", 1))
              .atMost(1.10));

  private Targets() {}
}
