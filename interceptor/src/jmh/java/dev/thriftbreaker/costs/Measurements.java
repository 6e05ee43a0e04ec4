package dev.thriftbreaker.costs;

import java.util.List;

/** What is measured in another way than by JMH, in this order. */
final class Measurements {

  static final List<Measurement> ALL =
      List.of(
          new StartUp(),
          new FleetLatency(),
          new RedisOffPath(),
          new Scale(),
          new ShedCpu(),
          new ServerThroughput());

  private Measurements() {}
}
