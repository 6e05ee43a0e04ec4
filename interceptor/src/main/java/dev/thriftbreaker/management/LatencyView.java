package dev.thriftbreaker.management;

import com.codahale.metrics.Histogram;
import com.codahale.metrics.Reservoir;
import com.codahale.metrics.Snapshot;
import dev.thriftbreaker.breaker.LatencyHistogram;
import java.io.OutputStream;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A Dropwizard histogram, in microseconds, over one of ours: nothing is updated per call, each
 * snapshot is read when asked for. The count is that of all calls since start, the distribution
 * that of the last 30 to 60 seconds.
 *
 * <p>Not a Timer: its rates need an update at each call, or a tick that comes only if somebody
 * reads. The count is monotonic, so whoever plots it has the rate.
 */
final class LatencyView extends Histogram {

  private final LongSupplier count;

  LatencyView(LongSupplier count, Supplier<LatencyHistogram.Summary> latency) {
    super(new View(latency));
    this.count = count;
  }

  @Override
  public long getCount() {
    return count.getAsLong();
  }

  private record View(Supplier<LatencyHistogram.Summary> latency) implements Reservoir {

    @Override
    public int size() {
      return getSnapshot().size();
    }

    /** Nothing: what it shows is recorded elsewhere. */
    @Override
    public void update(long value) {}

    @Override
    public Snapshot getSnapshot() {
      return new Micros(latency.get());
    }
  }

  /** One summary as Dropwizard asks for it. */
  static final class Micros extends Snapshot {

    private static final double NANOS_PER_MICRO = 1e3;

    private final LatencyHistogram.Summary summary;

    Micros(LatencyHistogram.Summary summary) {
      this.summary = summary;
    }

    /**
     * Exact for the quantiles that Dropwizard reports; any other gets the next higher one of them.
     */
    @Override
    public double getValue(double quantile) {
      return nanos(quantile) / NANOS_PER_MICRO;
    }

    private long nanos(double quantile) {
      if (quantile <= 0) {
        return summary.min();
      } else if (quantile <= 0.5) {
        return summary.p50();
      } else if (quantile <= 0.75) {
        return summary.p75();
      } else if (quantile <= 0.95) {
        return summary.p95();
      } else if (quantile <= 0.98) {
        return summary.p98();
      } else if (quantile <= 0.99) {
        return summary.p99();
      } else if (quantile <= 0.999) {
        return summary.p999();
      }
      return summary.max();
    }

    /** Empty: single values are not kept. */
    @Override
    public long[] getValues() {
      return new long[0];
    }

    @Override
    public int size() {
      return (int) Math.min(Integer.MAX_VALUE, summary.count());
    }

    @Override
    public long getMax() {
      return Math.round(summary.max() / NANOS_PER_MICRO);
    }

    @Override
    public double getMean() {
      return summary.mean() / NANOS_PER_MICRO;
    }

    @Override
    public long getMin() {
      return Math.round(summary.min() / NANOS_PER_MICRO);
    }

    @Override
    public double getStdDev() {
      return summary.stdDev() / NANOS_PER_MICRO;
    }

    /** Writes nothing, for the reason of {@link #getValues()}. */
    @Override
    public void dump(OutputStream output) {}
  }
}
