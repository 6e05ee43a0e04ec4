package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.Outcome.FAILURE;
import static dev.thriftbreaker.breaker.Outcome.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ModesTest {

  private static ModeOverride override(Bench bench, Mode mode) {
    return new ModeOverride(
        mode, bench.clock.get() + Duration.ofSeconds(30).toNanos(), "kim", "night shift", false);
  }

  @Test
  void forced_open_refuses_every_call_until_it_expires() {
    Bench bench = Bench.withDefaults();
    bench.breaker.override(override(bench, Mode.FORCED_OPEN));
    bench.pass(Duration.ofSeconds(29));
    assertThat(bench.refused()).isTrue();
    assertThat(bench.breaker.refusal(bench.clock.get()))
        .isEqualTo(new Refusal("inventory", "FORCED_OPEN", 1_000_000_000L));

    bench.pass(Duration.ofSeconds(1));

    assertThat(bench.breaker.refuses(bench.clock.get())).isFalse();
    assertThat(bench.refused()).isFalse();
    assertThat(bench.breaker.snapshot().mode()).isEqualTo(Mode.AUTO);
    bench.breaker.dispatch();
    assertThat(bench.heard)
        .extracting(Transition::describe)
        .containsExactly(
            "AUTO -> FORCED_OPEN: night shift (by kim)",
            "FORCED_OPEN -> AUTO: the time of FORCED_OPEN is over");
  }

  @Test
  void the_tick_ends_an_override_without_traffic() {
    Bench bench = Bench.withDefaults();
    bench.breaker.override(override(bench, Mode.SHADOW));
    bench.pass(Duration.ofSeconds(30));
    bench.breaker.tick();
    assertThat(bench.breaker.snapshot().mode()).isEqualTo(Mode.AUTO);
  }

  @Test
  void forced_closed_lets_calls_pass_and_goes_on_judging() {
    Bench bench = Bench.withDefaults();
    bench.breaker.override(override(bench, Mode.FORCED_CLOSED));
    bench.trip();
    assertThat(bench.state()).isEqualTo(BreakerState.OPEN);

    bench.calls(7, FAILURE);

    assertThat(bench.breaker.refuses(bench.clock.get())).isFalse();
    assertThat(bench.breaker.snapshot().wouldRefuse()).isEqualTo(7);
    assertThat(bench.breaker.snapshot().refused()).isZero();
    bench.pass(Duration.ofSeconds(5));
    bench.calls(3, SUCCESS);
    assertThat(bench.state()).as("calls that pass are the probes").isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void release_gives_the_decision_back_to_the_state() {
    Bench bench = Bench.withDefaults();
    bench.breaker.override(override(bench, Mode.FORCED_CLOSED));
    bench.trip();
    bench.breaker.release("kim", "done");
    assertThat(bench.refused()).isTrue();
  }

  @Test
  void a_change_of_mode_does_not_make_outcomes_late() {
    Bench bench = Bench.withDefaults();
    long permit = bench.acquire();
    bench.breaker.override(override(bench, Mode.SHADOW));
    bench.complete(permit, FAILURE);
    assertThat(bench.breaker.snapshot().window().failures()).isEqualTo(1);
  }

  @Test
  void an_override_must_force_something() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ModeOverride(Mode.AUTO, 0, "kim", "?", false))
        .withMessage("mode: AUTO (expected: FORCED_OPEN, FORCED_CLOSED or SHADOW)");
  }
}
