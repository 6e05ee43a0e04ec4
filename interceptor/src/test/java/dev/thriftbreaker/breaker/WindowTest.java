package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WindowTest {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  @Test
  void a_time_window_forgets_a_slice_exactly_when_its_time_is_over() {
    TimeWindow window = new TimeWindow(10 * SECOND, -5);
    window.record(true, false, -5);
    window.record(false, true, SECOND - 6);
    window.record(false, false, SECOND - 5); // first moment of the second slice

    assertThat(window.counts(10 * SECOND - 6)).isEqualTo(new WindowCounts(3, 1, 1));
    assertThat(window.counts(10 * SECOND - 5)).isEqualTo(new WindowCounts(1, 0, 0));
    assertThat(window.counts(11 * SECOND - 6)).isEqualTo(new WindowCounts(1, 0, 0));
    assertThat(window.counts(11 * SECOND - 5)).isEqualTo(WindowCounts.EMPTY);
  }

  @Test
  void a_time_window_takes_up_again_after_a_long_silence() {
    TimeWindow window = new TimeWindow(10 * SECOND, 0);
    window.record(true, false, 0);
    window.record(false, false, 1_000 * SECOND);
    assertThat(window.counts(1_000 * SECOND)).isEqualTo(new WindowCounts(1, 0, 0));
  }

  @Test
  void a_time_window_survives_the_overflow_of_the_clock() {
    long origin = Long.MAX_VALUE - SECOND;
    TimeWindow window = new TimeWindow(10 * SECOND, origin);
    window.record(true, false, origin);
    window.record(true, false, origin + 3 * SECOND);
    assertThat(window.counts(origin + 4 * SECOND)).isEqualTo(new WindowCounts(2, 2, 0));
    assertThat(window.counts(origin + 10 * SECOND)).isEqualTo(new WindowCounts(1, 1, 0));
  }

  @Test
  void a_count_window_holds_exactly_the_last_calls() {
    CountWindow window = new CountWindow(3);
    window.record(true, true, 0);
    window.record(false, true, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(2, 1, 2));
    window.record(true, false, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(3, 2, 2));
    window.record(false, false, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(3, 1, 1));
    window.record(false, false, 0);
    window.record(false, false, 0);
    assertThat(window.counts(0)).isEqualTo(new WindowCounts(3, 0, 0));
  }
}
