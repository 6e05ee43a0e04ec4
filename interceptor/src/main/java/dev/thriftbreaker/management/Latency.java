package dev.thriftbreaker.management;

import dev.thriftbreaker.breaker.LatencyHistogram;
import javax.management.ConstructorParameters;

/**
 * How long calls took in the last 30 to 60 seconds, in milliseconds, all of one moment. Open MBean
 * clients see it as composite data.
 */
public final class Latency {

  private static final double NANOS_PER_MILLI = 1e6;

  private final long count;
  private final double meanMillis;
  private final double p50Millis;
  private final double p95Millis;
  private final double p99Millis;
  private final double p999Millis;
  private final double maxMillis;

  /**
   * Made by the MBeans, and by clients that rebuild one from composite data.
   *
   * @param count how many calls
   * @param meanMillis their mean
   * @param p50Millis the median
   * @param p95Millis the 95th percentile
   * @param p99Millis the 99th percentile
   * @param p999Millis the 99.9th percentile
   * @param maxMillis the longest
   */
  @ConstructorParameters({
    "count",
    "meanMillis",
    "p50Millis",
    "p95Millis",
    "p99Millis",
    "p999Millis",
    "maxMillis"
  })
  public Latency(
      long count,
      double meanMillis,
      double p50Millis,
      double p95Millis,
      double p99Millis,
      double p999Millis,
      double maxMillis) {
    this.count = count;
    this.meanMillis = meanMillis;
    this.p50Millis = p50Millis;
    this.p95Millis = p95Millis;
    this.p99Millis = p99Millis;
    this.p999Millis = p999Millis;
    this.maxMillis = maxMillis;
  }

  /**
   * The same in milliseconds.
   *
   * @param summary a histogram's summary, in nanoseconds
   * @return its times in milliseconds
   */
  public static Latency of(LatencyHistogram.Summary summary) {
    return new Latency(
        summary.count(),
        summary.mean() / NANOS_PER_MILLI,
        summary.p50() / NANOS_PER_MILLI,
        summary.p95() / NANOS_PER_MILLI,
        summary.p99() / NANOS_PER_MILLI,
        summary.p999() / NANOS_PER_MILLI,
        summary.max() / NANOS_PER_MILLI);
  }

  /**
   * How many calls.
   *
   * @return the count
   */
  public long getCount() {
    return count;
  }

  /**
   * The mean.
   *
   * @return milliseconds
   */
  public double getMeanMillis() {
    return meanMillis;
  }

  /**
   * The median.
   *
   * @return milliseconds
   */
  public double getP50Millis() {
    return p50Millis;
  }

  /**
   * The 95th percentile.
   *
   * @return milliseconds
   */
  public double getP95Millis() {
    return p95Millis;
  }

  /**
   * The 99th percentile.
   *
   * @return milliseconds
   */
  public double getP99Millis() {
    return p99Millis;
  }

  /**
   * The 99.9th percentile.
   *
   * @return milliseconds
   */
  public double getP999Millis() {
    return p999Millis;
  }

  /**
   * The longest.
   *
   * @return milliseconds
   */
  public double getMaxMillis() {
    return maxMillis;
  }
}
