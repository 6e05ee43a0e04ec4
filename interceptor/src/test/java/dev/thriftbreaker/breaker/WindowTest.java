package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WindowTest {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  @Test
  void aTimeWindowForgetsASliceExactlyWhenItsTimeIsOver() {
    TimeWindow window = new TimeWindow(new CellTable(owned -> {}), 1, 10 * SECOND, -5);
    window.recordBad(true, false, -5);
    window.recordBad(false, true, SECOND - 6);
    window.recordGood(null, SECOND - 5); // first moment of the second slice

    assertThat(window.counts(10 * SECOND - 6)).isEqualTo(new WindowCounts(3, 1, 1));
    assertThat(window.counts(10 * SECOND - 5)).isEqualTo(new WindowCounts(1, 0, 0));
    assertThat(window.counts(11 * SECOND - 6)).isEqualTo(new WindowCounts(1, 0, 0));
    assertThat(window.counts(11 * SECOND - 5)).isEqualTo(WindowCounts.EMPTY);
  }

  @Test
  void aTimeWindowTakesUpAgainAfterALongSilence() {
    TimeWindow window = new TimeWindow(new CellTable(owned -> {}), 1, 10 * SECOND, 0);
    window.recordBad(true, false, 0);
    window.recordGood(null, 1_000 * SECOND);
    assertThat(window.counts(1_000 * SECOND)).isEqualTo(new WindowCounts(1, 0, 0));
  }

  @Test
  void aTimeWindowSurvivesTheOverflowOfTheClock() {
    long origin = Long.MAX_VALUE - SECOND;
    TimeWindow window = new TimeWindow(new CellTable(owned -> {}), 1, 10 * SECOND, origin);
    window.recordBad(true, false, origin);
    window.recordBad(true, false, origin + 3 * SECOND);
    assertThat(window.counts(origin + 4 * SECOND)).isEqualTo(new WindowCounts(2, 2, 0));
    assertThat(window.counts(origin + 10 * SECOND)).isEqualTo(new WindowCounts(1, 1, 0));
  }

  @Test
  void aCountWindowHoldsExactlyTheLastCalls() {
    CountWindow window = new CountWindow(3);
    window.recordBad(true, true, 0);
    window.recordBad(false, true, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(2, 1, 2));
    window.recordBad(true, false, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(3, 2, 2));
    window.recordGood(null, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(3, 1, 1));
    window.recordGood(null, 0);
    window.recordGood(null, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(3, 0, 0));
  }

  @Test
  void goodCallsInACellLeaveTheWindowAtTheSameMomentsAsTheOthers() {
    CellTable cells = new CellTable(owned -> {});
    TimeWindow window = new TimeWindow(cells, 1, 10 * SECOND, -5);
    Cell mine = cells.find(Thread.currentThread());
    window.recordGood(mine, -5);
    window.recordGood(mine, SECOND - 6);
    window.recordGood(mine, SECOND - 5);
    assertThat(window.counts(10 * SECOND - 6)).isEqualTo(new WindowCounts(3, 0, 0));
    assertThat(window.counts(10 * SECOND - 5)).isEqualTo(new WindowCounts(1, 0, 0));
    assertThat(window.counts(11 * SECOND - 5)).isEqualTo(WindowCounts.EMPTY);

    window.recordGood(mine, 10 * SECOND - 5);
    assertThat(window.counts(10 * SECOND - 5)).isEqualTo(new WindowCounts(2, 0, 0));
    window.recordGood(mine, 1_000 * SECOND);
    assertThat(window.counts(1_000 * SECOND)).isEqualTo(new WindowCounts(1, 0, 0));
  }

  @Test
  void aNewWindowDoesNotSeeWhatACellCountedForTheOneBefore() {
    CellTable cells = new CellTable(owned -> {});
    Cell mine = cells.find(Thread.currentThread());
    TimeWindow before = new TimeWindow(cells, 1, 10 * SECOND, 0);
    before.recordGood(mine, 0);
    TimeWindow after = new TimeWindow(cells, 2, 10 * SECOND, 0);
    assertThat(after.counts(0)).isEqualTo(WindowCounts.EMPTY);
    after.recordGood(mine, 0);
    assertThat(after.counts(0)).isEqualTo(new WindowCounts(1, 0, 0));
  }
}
