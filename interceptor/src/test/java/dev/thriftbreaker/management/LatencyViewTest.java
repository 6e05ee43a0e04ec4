package dev.thriftbreaker.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Percentage.withPercentage;

import com.codahale.metrics.Snapshot;
import dev.thriftbreaker.breaker.LatencyHistogram;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LatencyViewTest {

  private final LatencyHistogram latency = new LatencyHistogram();
  private final LatencyView view = new LatencyView(() -> 1_000, () -> latency.summary(0));

  @Test
  void everyFigureThatDropwizardReportsIsThatOfTheCalls() {
    for (int millis = 1; millis <= 100; millis++) {
      latency.record(TimeUnit.MILLISECONDS.toNanos(millis), 0);
    }

    Snapshot snapshot = view.getSnapshot();

    assertThat(view.getCount()).isEqualTo(1_000);
    assertThat(snapshot.size()).isEqualTo(100);
    assertThat((double) snapshot.getMin()).isCloseTo(1_000, withPercentage(6));
    assertThat(snapshot.getMedian()).isCloseTo(50_000, withPercentage(6));
    assertThat(snapshot.get75thPercentile()).isCloseTo(75_000, withPercentage(6));
    assertThat(snapshot.get95thPercentile()).isCloseTo(95_000, withPercentage(6));
    assertThat(snapshot.get98thPercentile()).isCloseTo(98_000, withPercentage(6));
    assertThat(snapshot.get99thPercentile()).isCloseTo(99_000, withPercentage(6));
    assertThat(snapshot.get999thPercentile()).isCloseTo(100_000, withPercentage(6));
    assertThat((double) snapshot.getMax()).isCloseTo(100_000, withPercentage(6));
    assertThat(snapshot.getMean()).isCloseTo(50_500, withPercentage(6));
    assertThat(snapshot.getStdDev()).isCloseTo(28_866, withPercentage(6));
  }

  @Test
  void aQuantileInBetweenGetsTheNextHigherOne() {
    for (int millis = 1; millis <= 100; millis++) {
      latency.record(TimeUnit.MILLISECONDS.toNanos(millis), 0);
    }

    Snapshot snapshot = view.getSnapshot();

    assertThat(snapshot.getValue(0.90)).isEqualTo(snapshot.get95thPercentile());
    assertThat(snapshot.getValue(0)).isCloseTo(snapshot.getMin(), within(1.0));
    assertThat(snapshot.getValue(1)).isCloseTo(snapshot.getMax(), within(1.0));
  }

  @Test
  void withoutCallsEverythingIsZero() {
    Snapshot snapshot = view.getSnapshot();

    assertThat(snapshot.size()).isZero();
    assertThat(snapshot.get999thPercentile()).isZero();
    assertThat(snapshot.getStdDev()).isZero();
    assertThat(snapshot.getValues()).isEmpty();
  }
}
