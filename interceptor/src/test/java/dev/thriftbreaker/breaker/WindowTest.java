package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WindowTest {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  @Test
  void a_time_window_forgets_a_slice_exactly_when_its_time_is_over() {
    TimeWindow window = new TimeWindow(new CellTable(), 1, 10 * SECOND, -5);
    window.recordBad(true, false, -5);
    window.recordBad(false, true, SECOND - 6);
    window.recordGood(null, SECOND - 5); // first moment of the second slice

    assertThat(window.counts(10 * SECOND - 6)).isEqualTo(new WindowCounts(3, 1, 1));
    assertThat(window.counts(10 * SECOND - 5)).isEqualTo(new WindowCounts(1, 0, 0));
    assertThat(window.counts(11 * SECOND - 6)).isEqualTo(new WindowCounts(1, 0, 0));
    assertThat(window.counts(11 * SECOND - 5)).isEqualTo(WindowCounts.EMPTY);
  }

  @Test
  void a_time_window_takes_up_again_after_a_long_silence() {
    TimeWindow window = new TimeWindow(new CellTable(), 1, 10 * SECOND, 0);
    window.recordBad(true, false, 0);
    window.recordGood(null, 1_000 * SECOND);
    assertThat(window.counts(1_000 * SECOND)).isEqualTo(new WindowCounts(1, 0, 0));
  }

  @Test
  void a_time_window_survives_the_overflow_of_the_clock() {
    long origin = Long.MAX_VALUE - SECOND;
    TimeWindow window = new TimeWindow(new CellTable(), 1, 10 * SECOND, origin);
    window.recordBad(true, false, origin);
    window.recordBad(true, false, origin + 3 * SECOND);
    assertThat(window.counts(origin + 4 * SECOND)).isEqualTo(new WindowCounts(2, 2, 0));
    assertThat(window.counts(origin + 10 * SECOND)).isEqualTo(new WindowCounts(1, 1, 0));
  }

  @Test
  void a_count_window_holds_exactly_the_last_calls() {
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
  void good_calls_in_a_cell_leave_the_window_at_the_same_moments_as_the_others() {
    CellTable cells = new CellTable();
    TimeWindow window = new TimeWindow(cells, 1, 10 * SECOND, -5);
    Cell mine = cells.mine();
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
  void a_new_window_does_not_see_what_a_cell_counted_for_the_one_before() {
    CellTable cells = new CellTable();
    Cell mine = cells.mine();
    TimeWindow before = new TimeWindow(cells, 1, 10 * SECOND, 0);
    before.recordGood(mine, 0);
    TimeWindow after = new TimeWindow(cells, 2, 10 * SECOND, 0);
    assertThat(after.counts(0)).isEqualTo(WindowCounts.EMPTY);
    after.recordGood(mine, 0);
    assertThat(after.counts(0)).isEqualTo(new WindowCounts(1, 0, 0));
  }
}
