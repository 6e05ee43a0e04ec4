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
  void forcedOpenRefusesEveryCallUntilItExpires() {
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
  void theTickEndsAnOverrideWithoutTraffic() {
    Bench bench = Bench.withDefaults();
    bench.breaker.override(override(bench, Mode.SHADOW));
    bench.pass(Duration.ofSeconds(30));
    bench.breaker.tick();
    assertThat(bench.breaker.snapshot().mode()).isEqualTo(Mode.AUTO);
  }

  @Test
  void forcedClosedLetsCallsPassAndGoesOnJudging() {
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
  void releaseGivesTheDecisionBackToTheState() {
    Bench bench = Bench.withDefaults();
    bench.breaker.override(override(bench, Mode.FORCED_CLOSED));
    bench.trip();
    bench.breaker.release("kim", "done");
    assertThat(bench.refused()).isTrue();
  }

  @Test
  void aChangeOfModeDoesNotMakeOutcomesLate() {
    Bench bench = Bench.withDefaults();
    long permit = bench.acquire();
    bench.breaker.override(override(bench, Mode.SHADOW));
    bench.complete(permit, FAILURE);
    assertThat(bench.breaker.snapshot().window().failures()).isEqualTo(1);
  }

  @Test
  void anOverrideLeavesTheStateItsEvidenceAndItsTime() {
    Bench bench = Bench.withDefaults().trip();
    bench.pass(Duration.ofSeconds(1));
    bench.breaker.override(override(bench, Mode.SHADOW));
    bench.pass(Duration.ofSeconds(1));
    BreakerSnapshot snapshot = bench.breaker.snapshot();
    assertThat(snapshot.evidence().reason()).isEqualTo("5 consecutive failures");
    assertThat(snapshot.cause()).isEqualTo(Cause.LOCAL);
    assertThat(snapshot.openNanosTotal()).isEqualTo(Duration.ofSeconds(2).toNanos());
  }

  @Test
  void anOverrideMustForceSomething() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ModeOverride(Mode.AUTO, 0, "kim", "?", false))
        .withMessage("mode: AUTO (expected: FORCED_OPEN, FORCED_CLOSED or SHADOW)");
  }
}
