package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LatencyHistogramTest {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  @Test
  void everyBucketIsNarrowAndTheyLeaveNoGap() {
    int last = 15;
    for (long nanos = 16 << 10; nanos < 1L << 37; nanos += nanos / 64) {
      int bucket = LatencyHistogram.bucket(nanos);
      assertThat(bucket).isBetween(last, last + 1);
      assertThat(LatencyHistogram.middle(bucket)).isCloseTo(nanos, withPercentage(6.3));
      last = bucket;
    }
  }

  @Test
  void percentilesAreThoseOfWhatWasRecorded() {
    LatencyHistogram histogram = new LatencyHistogram();
    for (int millis = 1; millis <= 1000; millis++) {
      histogram.record(Duration.ofMillis(millis).toNanos(), 0);
    }
    LatencyHistogram.Summary summary = histogram.summary(0);
    assertThat(summary.count()).isEqualTo(1000);
    assertThat(summary.p50()).isCloseTo(500_000_000L, withPercentage(6.3));
    assertThat(summary.p99()).isCloseTo(990_000_000L, withPercentage(6.3));
    assertThat(summary.max()).isCloseTo(1_000_000_000L, withPercentage(6.3));
    assertThat(summary.mean()).isCloseTo(500_500_000.0, withPercentage(6.3));
  }

  @Test
  void valuesBeyondTheRangeCountAtItsEnds() {
    LatencyHistogram histogram = new LatencyHistogram();
    histogram.record(-5, 0);
    histogram.record(Long.MAX_VALUE, 0);
    assertThat(histogram.summary(0).count()).isEqualTo(2);
    assertThat(histogram.summary(0).min()).isEqualTo(LatencyHistogram.middle(0));
  }

  @Test
  void forgetsAfterOneToTwoPeriods() {
    LatencyHistogram histogram = new LatencyHistogram();
    assertThat(histogram.summary(0)).isEqualTo(LatencyHistogram.Summary.EMPTY);
    histogram.record(SECOND, 0);
    histogram.record(SECOND, 30 * SECOND);
    assertThat(histogram.summary(59 * SECOND).count()).isEqualTo(2);
    assertThat(histogram.summary(60 * SECOND).count()).isEqualTo(1);
    assertThat(histogram.summary(90 * SECOND).count()).isZero();
    histogram.record(SECOND, 500 * SECOND);
    assertThat(histogram.summary(500 * SECOND).count()).isEqualTo(1);
  }
}
