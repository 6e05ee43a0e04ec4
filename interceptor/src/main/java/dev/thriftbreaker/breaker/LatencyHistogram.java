package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How long calls took lately: the last 30 to 60 seconds, to within 6 %.
 *
 * <p>Log-linear buckets after the idea of HdrHistogram (Gil Tene): 16 to each power of two, from 1
 * us to 2 minutes. Recording is one atomic add; a period is replaced as a whole when its time is
 * over, one allocation in 30 seconds. Any number of threads record and read at once.
 */
public final class LatencyHistogram {

  private static final long PERIOD_NANOS = 30_000_000_000L;
  private static final int UNIT_BITS = 10;
  private static final int SUB_BITS = 4;
  private static final int SUB = 1 << SUB_BITS;
  private static final int BUCKETS = bucket(1L << 37) + 1;

  private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);

  private record Period(long startNanos, int[] buckets, Period before) {}

  private final AtomicReference<Period> current = new AtomicReference<>();

  /** Makes an empty histogram. */
  public LatencyHistogram() {}

  /**
   * A view of what was recorded lately, all of one moment.
   *
   * @param count how many values
   * @param mean their mean in nanoseconds, from the middles of their buckets
   * @param stdDev their standard deviation in nanoseconds, from the same
   * @param min the smallest in nanoseconds
   * @param p50 the median in nanoseconds
   * @param p75 the 75th percentile in nanoseconds
   * @param p95 the 95th percentile in nanoseconds
   * @param p98 the 98th percentile in nanoseconds
   * @param p99 the 99th percentile in nanoseconds
   * @param p999 the 99.9th percentile in nanoseconds
   * @param max the largest in nanoseconds
   */
  public record Summary(
      long count,
      double mean,
      double stdDev,
      long min,
      long p50,
      long p75,
      long p95,
      long p98,
      long p99,
      long p999,
      long max) {
    static final Summary EMPTY = new Summary(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  /**
   * Records one duration.
   *
   * @param durationNanos how long; below 0 counts as 0
   * @param now the present, on the clock that all calls of this histogram share
   */
  public void record(long durationNanos, long now) {
    INTS.getAndAdd(period(now).buckets, bucketOf(durationNanos), 1);
  }

  /** Records one duration, for a histogram that only one thread at a time writes to. */
  void recordAlone(long durationNanos, long now) {
    int[] buckets = buckets(now);
    int bucket = bucketOf(durationNanos);
    INTS.setOpaque(buckets, bucket, buckets[bucket] + 1);
  }

  /** What counts the durations of the present period, by {@link #bucketOf}. */
  int[] buckets(long now) {
    return period(now).buckets;
  }

  /** When the present period is over. */
  long endNanos() {
    return current.get().startNanos + PERIOD_NANOS;
  }

  /**
   * What was recorded lately.
   *
   * @param now the present, on the clock of {@link #record}
   * @return the summary, all zero if nothing was recorded
   */
  public Summary summary(long now) {
    return summary(List.of(this), now);
  }

  /** What was recorded lately in several histograms, as if it had been one. */
  static Summary summary(List<LatencyHistogram> all, long now) {
    long[] sums = new long[BUCKETS];
    for (LatencyHistogram histogram : all) {
      Period period = histogram.current.get();
      if (period != null) {
        add(period, sums, now);
        if (period.before != null) {
          add(period.before, sums, now);
        }
      }
    }
    return summarize(sums);
  }

  private Period period(long now) {
    Period period = current.get();
    return period == null || now - period.startNanos >= PERIOD_NANOS ? rotate(period, now) : period;
  }

  private Period rotate(Period old, long now) {
    Period before = old == null ? null : new Period(old.startNanos, old.buckets, null);
    Period fresh = new Period(now, new int[BUCKETS], before);
    return current.compareAndSet(old, fresh) ? fresh : current.get();
  }

  private static void add(Period period, long[] sums, long now) {
    if (now - period.startNanos >= 2 * PERIOD_NANOS) {
      return;
    }
    for (int i = 0; i < BUCKETS; i++) {
      sums[i] += (int) INTS.getOpaque(period.buckets, i);
    }
  }

  private static Summary summarize(long[] sums) {
    long count = 0;
    double total = 0;
    int first = -1;
    int last = 0;
    for (int i = 0; i < BUCKETS; i++) {
      if (sums[i] > 0) {
        count += sums[i];
        total += (double) sums[i] * middle(i);
        first = first < 0 ? i : first;
        last = i;
      }
    }
    if (count == 0) {
      return Summary.EMPTY;
    }
    double mean = total / count;
    return new Summary(
        count,
        mean,
        standardDeviation(sums, count, mean),
        middle(first),
        percentile(sums, count, 0.50),
        percentile(sums, count, 0.75),
        percentile(sums, count, 0.95),
        percentile(sums, count, 0.98),
        percentile(sums, count, 0.99),
        percentile(sums, count, 0.999),
        middle(last));
  }

  private static double standardDeviation(long[] sums, long count, double mean) {
    double squares = 0;
    for (int i = 0; i < BUCKETS; i++) {
      if (sums[i] > 0) {
        double apart = middle(i) - mean;
        squares += sums[i] * apart * apart;
      }
    }
    return Math.sqrt(squares / count);
  }

  private static long percentile(long[] sums, long count, double share) {
    long rank = (long) Math.ceil(count * share);
    long seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
      seen += sums[i];
      if (seen >= rank) {
        return middle(i);
      }
    }
    return middle(BUCKETS - 1);
  }

  /**
   * The bucket of a duration: linear up to 16 units of 1,024 ns, then 16 buckets to each power of
   * two, of which the last takes all that is longer. Below 0 counts as 0.
   */
  static int bucketOf(long durationNanos) {
    long units = durationNanos >>> UNIT_BITS; // huge if negative
    return units < SUB ? (int) units : bucketAbove(durationNanos);
  }

  private static int bucketAbove(long durationNanos) {
    return durationNanos < 0 ? 0 : Math.min(bucket(durationNanos), BUCKETS - 1);
  }

  /** The same of a duration that is not negative, without end. */
  static int bucket(long nanos) {
    long units = nanos >>> UNIT_BITS;
    if (units < SUB) {
      return (int) units;
    }
    int exponent = 63 - Long.numberOfLeadingZeros(units);
    int shift = exponent - SUB_BITS;
    return (shift + 1) * SUB + (int) (units >>> shift) - SUB;
  }

  /** The middle of a bucket in nanoseconds. */
  static long middle(int bucket) {
    int shift = Math.max(0, bucket / SUB - 1);
    long low = bucket < SUB ? bucket : (long) (bucket % SUB + SUB) << shift;
    long width = 1L << shift;
    return (low << UNIT_BITS) + (width << UNIT_BITS) / 2;
  }
}
