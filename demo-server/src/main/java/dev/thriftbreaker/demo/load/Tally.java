package dev.thriftbreaker.demo.load;

import org.HdrHistogram.Histogram;

/**
 * Requests that ended within some time.
 *
 * @param ok answered as the service's interface has it, declared exceptions included
 * @param failed any other error
 * @param shed refused by a breaker, at the server's door or behind it
 * @param latencyMicros of all of them
 */
public record Tally(long ok, long failed, long shed, Histogram latencyMicros) {

  public static Tally nothing() {
    return new Tally(0, 0, 0, new Histogram(2));
  }

  public Tally plus(Tally other) {
    Histogram sum = latencyMicros.copy();
    sum.add(other.latencyMicros);
    return new Tally(ok + other.ok, failed + other.failed, shed + other.shed, sum);
  }

  public double millis(double percentile) {
    return latencyMicros.getValueAtPercentile(percentile) / 1000.0;
  }
}
