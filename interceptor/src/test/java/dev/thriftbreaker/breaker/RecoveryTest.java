package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.HALF_OPEN;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static dev.thriftbreaker.breaker.BreakerState.RAMPING;
import static dev.thriftbreaker.breaker.CircuitBreaker.REFUSED;
import static dev.thriftbreaker.breaker.Outcome.FAILURE;
import static dev.thriftbreaker.breaker.Outcome.IGNORED;
import static dev.thriftbreaker.breaker.Outcome.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The way back: early probes and the ramp, under a clock that only the test moves. */
class RecoveryTest {

  private static final Duration INTERVAL = Duration.ofMillis(250);
  private static final Duration MILLI = Duration.ofMillis(1);

  @Nested
  class EarlyProbesOfAnOpenBreaker {

    private final Bench bench = new Bench(s -> s.earlyProbeInterval(INTERVAL)).trip();

    @Test
    void oneCallPassesEachInterval() {
      int passed = 0;
      for (int milli = 1; milli <= 4_000; milli++) {
        bench.pass(MILLI);
        if (bench.breaker.refuses(bench.clock.get())) {
          assertThat(bench.acquire()).isEqualTo(REFUSED);
        } else {
          bench.complete(bench.acquire(), FAILURE);
          passed++;
          assertThat(milli % 250).isZero();
        }
      }
      assertThat(passed).isEqualTo(16);
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().consecutiveOpens()).isEqualTo(1);
      assertThat(bench.breaker.snapshot().window()).isEqualTo(new WindowCounts(16, 16, 0));
      assertThat(bench.breaker.snapshot().late()).isZero();
    }

    @Test
    void anIntervalThatIsSetMeanwhileCountsFromTheNextTickOn() {
      for (Duration before : List.of(Duration.ZERO, Duration.ofSeconds(4))) {
        Bench set = new Bench(s -> s.earlyProbeInterval(before)).trip();
        set.pass(INTERVAL.multipliedBy(3));
        assertThat(set.acquire()).as("%s", before).isEqualTo(REFUSED);

        set.breaker.configure(
            set.breaker.config().toBuilder().earlyProbeInterval(INTERVAL).build());
        set.breaker.tick();

        set.pass(INTERVAL.multipliedBy(2).minusNanos(1));
        assertThat(set.acquire()).as("%s", before).isEqualTo(REFUSED);
        set.pass(Duration.ofNanos(1));
        assertThat(set.acquire()).as("%s", before).isPositive();
      }
    }

    @Test
    void theOpenTimeEndsThoughTheNextEarlyProbeIsLater() {
      bench.pass(Duration.ofSeconds(5).minusMillis(1));
      bench.call(FAILURE);
      assertThat(bench.acquire()).isEqualTo(REFUSED);
      bench.pass(MILLI);
      assertThat(bench.acquire()).isPositive();
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
    }

    @Test
    void aRefusalIsToldAgainUntilTheNextTickOrAChange() {
      assertThat(bench.breaker.refuseAgain()).as("none yet").isNull();
      Refusal told = bench.breaker.refusal(bench.clock.get());
      assertThat(bench.breaker.refuseAgain()).isSameAs(told);
      assertThat(bench.breaker.snapshot().refused()).isEqualTo(1);

      bench.breaker.tick();
      assertThat(bench.breaker.refuseAgain()).as("after a tick").isNull();

      bench.pass(INTERVAL.minusMillis(100));
      bench.breaker.refusal(bench.clock.get());
      assertThat(bench.breaker.refuseAgain()).as("a probe is due soon").isNull();

      bench.pass(Duration.ofMillis(100));
      long probe = bench.acquire();
      bench.breaker.refusal(bench.clock.get());
      assertThat(bench.breaker.refuseAgain()).as("the probe is under way").isNotNull();
      bench.complete(probe, SUCCESS);
      assertThat(bench.breaker.refuseAgain()).as("the next may follow").isNull();

      bench.call(FAILURE);
      bench.pass(INTERVAL);
      long reservation = bench.reserve();
      bench.breaker.giveBack(reservation);
      assertThat(bench.breaker.refuseAgain()).as("a turn is free").isNull();

      bench.pass(Duration.ofSeconds(5).minus(INTERVAL.multipliedBy(2)).minusMillis(100));
      bench.call(FAILURE);
      bench.breaker.refusal(bench.clock.get());
      assertThat(bench.breaker.refuseAgain()).as("the open time is over soon").isNull();
    }

    @Test
    void enoughSuccessesInARowEndTheOpenTime() {
      bench.pass(INTERVAL);
      bench.call(SUCCESS);
      bench.call(SUCCESS);
      assertThat(bench.state()).as("the next may follow at once").isEqualTo(OPEN);
      bench.call(SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.story()).isEqualTo("CLOSED>OPEN/LOCAL OPEN>CLOSED/LOCAL");
      assertThat(bench.heard.get(1).evidence().reason()).isEqualTo("3 early probes succeeded");
    }

    @Test
    void aFailureOrASlowSuccessStartsTheRowAgain() {
      bench.pass(INTERVAL);
      bench.call(SUCCESS);
      bench.call(SUCCESS);
      bench.call(FAILURE);
      assertThat(bench.refused()).as("not at once after a failure").isTrue();
      bench.pass(INTERVAL);
      bench.call(SUCCESS);
      bench.call(SUCCESS, Duration.ofSeconds(2));
      bench.pass(INTERVAL);
      bench.call(SUCCESS);
      bench.call(SUCCESS);
      assertThat(bench.state()).isEqualTo(OPEN);
      bench.call(SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void anIgnoredOneSaysNothingAndTheNextWaits() {
      bench.pass(INTERVAL);
      bench.call(IGNORED);
      assertThat(bench.refused()).isTrue();
      bench.pass(INTERVAL);
      bench.call(SUCCESS);
      bench.call(SUCCESS);
      bench.call(SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void whileSomeHangTheNextOneWaitsForLonger() {
      List<Integer> passed = new ArrayList<>();
      List<Long> hung = new ArrayList<>();
      for (int milli = 1; milli <= 4_000; milli++) {
        bench.pass(MILLI);
        long permit = bench.acquire();
        if (permit >= 0) {
          passed.add(milli);
          hung.add(permit);
        }
      }
      assertThat(passed)
          .containsExactly(250, 500, 750, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000);

      // when one of them ends after all, the next one need not wait for so long
      bench.complete(hung.get(0), FAILURE);
      assertThat(bench.refused()).isTrue();
      bench.pass(INTERVAL);
      bench.call(SUCCESS);
      bench.call(SUCCESS);
      bench.call(SUCCESS);

      // then
      assertThat(bench.state()).isEqualTo(CLOSED);
      hung.subList(1, 10).forEach(permit -> bench.complete(permit, FAILURE));
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.breaker.snapshot().late()).isEqualTo(9);
    }

    @Test
    void thoseThatHaveEndedDoNotCountAsHanging() {
      for (int i = 0; i < 4; i++) {
        bench.pass(INTERVAL);
        bench.call(FAILURE);
      }
      bench.pass(INTERVAL);
      assertThat(bench.acquire()).isNotNegative();
      bench.pass(INTERVAL);
      assertThat(bench.acquire()).isNotNegative();
    }

    @Test
    void ofASmallServerOneMayHangBeforeTheNextWaits() {
      Workers workers = new Workers(() -> 5);
      Bench small = new Bench(s -> s.earlyProbeInterval(INTERVAL), workers);
      workers.look();
      small.trip();
      small.pass(INTERVAL);
      assertThat(small.acquire()).isNotNegative();
      small.pass(INTERVAL);
      assertThat(small.acquire()).isEqualTo(REFUSED);
      small.pass(INTERVAL);
      assertThat(small.acquire()).isNotNegative();
    }

    @Test
    void noneIsMadeWhileMoreCallsHangThanMay() {
      // given three calls that hang for good at a limit of two
      Bench full = new Bench(s -> s.earlyProbeInterval(INTERVAL).maxConcurrentCalls(2));
      full.acquire();
      full.acquire();
      full.breaker.override(
          new ModeOverride(Mode.SHADOW, full.clock.get() + 1, "alice", "a third one", false));
      full.acquire();
      full.pass(Duration.ofSeconds(2).plusMillis(1));
      for (int i = 0; i < 5; i++) {
        full.acquire();
      }
      full.breaker.tick();
      assertThat(full.state()).isEqualTo(OPEN);

      // then early probes cost no further thread, and after the open time one call probes at a time
      full.pass(Duration.ofSeconds(4));
      assertThat(full.refused()).isTrue();
      full.pass(Duration.ofSeconds(1));
      for (int i = 0; i < 5; i++) {
        full.acquire();
      }
      assertThat(full.state()).isEqualTo(HALF_OPEN);
      assertThat(full.breaker.snapshot().inFlight()).isEqualTo(4);
      assertThat(full.refused()).isTrue();
    }

    @Test
    void noneTakesTheLastThreadOfAServerWhoseThreadsHang() {
      // given a server of three threads, two of which hang in calls to an open dependency
      Workers workers = new Workers(() -> 3);
      Bench small = new Bench(s -> s.earlyProbeInterval(INTERVAL).maxConcurrentCalls(9), workers);
      workers.look();
      long first = small.acquire();
      small.acquire();
      small.trip();

      // then nobody probes, neither before the open time is over nor after it
      small.pass(Duration.ofSeconds(1));
      assertThat(small.refused()).isTrue();
      small.pass(Duration.ofSeconds(5));
      assertThat(small.refused()).isTrue();
      assertThat(small.state()).isEqualTo(HALF_OPEN);
      assertThat(small.breaker.refusal(small.clock.get()).retryAfterNanos())
          .isEqualTo(Duration.ofSeconds(2).toNanos());

      // until one of them ends
      small.complete(first, FAILURE);
      small.calls(3, SUCCESS);
      assertThat(small.state()).isEqualTo(CLOSED);
    }

    @Test
    void aServerOfOneThreadIsProbedToo() {
      Workers workers = new Workers(() -> 1);
      Bench single = new Bench(s -> s.earlyProbeInterval(INTERVAL), workers);
      workers.look();
      single.trip();
      single.pass(INTERVAL);
      single.calls(3, SUCCESS);
      assertThat(single.state()).isEqualTo(CLOSED);
    }

    @Test
    void theyComeMoreRarelyInALongOpenTime() {
      assertThat(EarlyProbes.intervalNanos(bench.breaker.config(), Duration.ofSeconds(5).toNanos()))
          .isEqualTo(INTERVAL.toNanos());
      assertThat(
              EarlyProbes.intervalNanos(bench.breaker.config(), Duration.ofSeconds(60).toNanos()))
          .isEqualTo(Duration.ofMillis(1_500).toNanos());
      assertThat(EarlyProbes.intervalNanos(Bench.withDefaults().breaker.config(), 60)).isZero();
    }
  }

  @Test
  void halfOpenProbesThatHangDoNotHideADependencyThatIsBack() {
    // given a half-open breaker whose probes all hang
    Bench bench = new Bench(s -> s.earlyProbeInterval(INTERVAL)).trip();
    bench.pass(Duration.ofSeconds(5));
    for (int i = 0; i < 5; i++) {
      assertThat(bench.acquire()).isNotNegative();
    }
    assertThat(bench.state()).isEqualTo(HALF_OPEN);
    assertThat(bench.refused()).isTrue();

    // when the dependency is back a moment later
    bench.pass(INTERVAL.multipliedBy(2));
    bench.calls(3, SUCCESS);

    // then
    assertThat(bench.state()).isEqualTo(CLOSED);
  }

  @Test
  void whereCallsHangAlreadyHalfOpenProbesBeginOneByOne() {
    Bench bench = new Bench(s -> s.earlyProbeInterval(INTERVAL)).trip();
    bench.pass(INTERVAL);
    bench.acquire();
    bench.pass(Duration.ofSeconds(5));
    List<Integer> passed = new ArrayList<>();
    for (int milli = 0; milli < 1_900; milli++) {
      if (bench.acquire() >= 0) {
        passed.add(milli);
      }
      bench.pass(MILLI);
    }
    assertThat(bench.state()).isEqualTo(HALF_OPEN);
    assertThat(passed).containsExactly(0, 500, 1_000, 1_500);
  }

  @Nested
  class TheRamp {

    private final Bench bench = new Bench(s -> s.rampInterval(INTERVAL)).tripAndWait();

    private void recover() {
      bench.calls(3, SUCCESS);
      assertThat(bench.state()).isEqualTo(RAMPING);
    }

    /** A hundred calls at each of ten moments of an interval; returns how many passed. */
    private int interval(Outcome outcome) {
      int passed = 0;
      for (int moment = 0; moment < 10; moment++) {
        for (int i = 0; i < 100; i++) {
          boolean refuses = bench.breaker.refuses(bench.clock.get());
          if (refuses && i % 2 == 0) {
            bench.breaker.countRefusal(bench.breaker.refusal(bench.clock.get())); // at the door
            continue;
          }
          long permit = bench.acquire();
          assertThat(permit < 0).as("the door says what the guard does").isEqualTo(refuses);
          if (permit >= 0) {
            passed++;
            bench.complete(permit, outcome);
          }
        }
        bench.pass(INTERVAL.dividedBy(10));
      }
      bench.breaker.tick();
      return passed;
    }

    @Test
    void aCallThatIsOneTooManyForTheShareIsNotToldThatTheDependencyIsFull() {
      // given a share of a half, so that after each call that is refused the next one may pass
      Bench half = new Bench(s -> s.rampInterval(INTERVAL).rampStart(0.5)).tripAndWait();
      half.calls(3, SUCCESS);
      half.call(SUCCESS);

      long refused = half.acquire();
      assertThat(refused).isEqualTo(REFUSED);
      assertThat(half.breaker.refuses(half.clock.get())).isFalse();
      assertThat(half.breaker.refusal(refused, half.clock.get()).reason()).isEqualTo("RAMPING");
    }

    @Test
    void letsTwiceAsManyPassAfterEachHealthyInterval() {
      recover();
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.1);
      assertThat(interval(SUCCESS)).isEqualTo(100);
      assertThat(interval(SUCCESS)).isEqualTo(200);
      assertThat(interval(SUCCESS)).isEqualTo(400);
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.8);
      assertThat(interval(SUCCESS)).isEqualTo(800);
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.breaker.snapshot().share()).isEqualTo(1);
      assertThat(interval(SUCCESS)).isEqualTo(1_000);
      assertThat(bench.story())
          .isEqualTo(
              "CLOSED>OPEN/LOCAL OPEN>HALF_OPEN/TIMER HALF_OPEN>RAMPING/LOCAL RAMPING>CLOSED/TIMER");
    }

    @Test
    void goesOnAtOnceWhenTenCallsHaveEndedWell() {
      recover();
      passed(9, SUCCESS);
      bench.breaker.tick();
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.1);
      passed(1, SUCCESS);
      bench.breaker.tick();
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.2);
    }

    @Test
    void takesItsTimeIfOneOfThemFailed() {
      recover();
      passed(1, FAILURE);
      passed(20, SUCCESS);
      bench.breaker.tick();
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.1);
      bench.pass(INTERVAL);
      bench.breaker.tick();
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.2);
    }

    private void passed(int calls, Outcome outcome) {
      int ended = 0;
      while (ended < calls) {
        long permit = bench.acquire();
        if (permit >= 0) {
          bench.complete(permit, outcome);
          ended++;
        }
      }
    }

    @Test
    void everyTenthCallPassesAndNotTenAtOnce() {
      recover();
      StringBuilder passed = new StringBuilder();
      for (int i = 0; i < 30; i++) {
        long permit = bench.acquire();
        passed.append(permit < 0 ? '.' : 'x');
        if (permit >= 0) {
          bench.complete(permit, SUCCESS);
        }
      }
      assertThat(passed).hasToString("x.........x.........x.........");
    }

    @Test
    void tellsARefusedCallWhyAndUntilWhen() {
      recover();
      bench.call(SUCCESS);
      long refused = bench.acquire();
      bench.pass(Duration.ofMillis(50));
      Refusal refusal = bench.breaker.refusal(refused, bench.clock.get());
      assertThat(refusal.reason()).isEqualTo("RAMPING");
      assertThat(refusal.retryAfterMillis()).isEqualTo(200);
    }

    @Test
    void fallsBackAfterAnIntervalThatWasNotHealthy() {
      recover();
      interval(SUCCESS);
      interval(SUCCESS);
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.4);
      // a third of the calls fail: too many to go on, too few to open
      for (int i = 0; i < 30; i++) {
        long permit = bench.acquire();
        if (permit >= 0) {
          bench.complete(permit, i % 2 == 0 ? SUCCESS : FAILURE);
        }
      }
      bench.pass(INTERVAL);
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(RAMPING);
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.2);
    }

    @Test
    void opensOnWhatOpensAClosedBreakerAndForLonger() {
      recover();
      for (int i = 0; i < 50; i++) {
        long permit = bench.acquire();
        if (permit >= 0) {
          bench.complete(permit, FAILURE);
        }
      }
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().remainingNanos())
          .isEqualTo(Duration.ofSeconds(10).toNanos());
      assertThat(bench.breaker.snapshot().consecutiveOpens()).isEqualTo(2);
      assertThat(bench.breaker.snapshot().opened()).isEqualTo(2);
    }

    @Test
    void opensOnCallsThatHang() {
      recover();
      for (int i = 0; i < 50; i++) {
        bench.acquire();
      }
      bench.pass(Duration.ofSeconds(2).plusMillis(1));
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void goesOnWithoutTraffic() {
      recover();
      for (int i = 0; i < 4; i++) {
        bench.pass(INTERVAL);
        bench.breaker.tick();
      }
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void anOperatorsResetEndsIt() {
      recover();
      bench.breaker.reset("alice", "deployed");
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void beginsWhenAnotherInstanceSaysClosedAndGoesOnIfItSaysSoAgain() {
      bench.apply(CLOSED, Duration.ZERO, 0, "other", "3 probes succeeded");
      assertThat(bench.state()).isEqualTo(RAMPING);
      interval(SUCCESS);
      bench.apply(CLOSED, Duration.ZERO, 0, "other", "3 probes succeeded");
      assertThat(bench.state()).isEqualTo(RAMPING);
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.2);
    }

    @Test
    void aClosedBreakerThatIsToldClosedDoesNotRamp() {
      Bench closed = new Bench(s -> s.rampInterval(INTERVAL));
      closed.apply(CLOSED, Duration.ZERO, 0, "other", "reset");
      assertThat(closed.state()).isEqualTo(CLOSED);
    }

    @Test
    void lateOutcomesOfProbesDoNotCountInIt() {
      long late = bench.acquire();
      recover();
      bench.complete(late, FAILURE);
      assertThat(bench.breaker.snapshot().late()).isEqualTo(1);
      assertThat(bench.breaker.snapshot().window().calls()).isZero();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.03, 0.1, 0.25, 0.34, 0.5, 0.9})
    void theShareIsExactWhateverItIs(double start) {
      Bench exact = new Bench(s -> s.rampInterval(INTERVAL).rampStart(start)).tripAndWait();
      exact.calls(3, SUCCESS);
      int passed = 0;
      for (int i = 0; i < 10_000; i++) {
        long permit = exact.acquire();
        if (permit >= 0) {
          passed++;
          exact.complete(permit, SUCCESS);
        }
      }
      assertThat(passed / 10_000.0).isCloseTo(start, within(0.0002));
    }

    @ParameterizedTest
    @CsvSource({
      // share, ended, failed: next
      "0.1, 0, 0, 0.2",
      "0.1, 100, 24, 0.2",
      "0.1, 100, 25, 0.1",
      "0.4, 100, 25, 0.2",
      "0.8, 1, 0, 1.6",
      "0.8, 1, 1, 0.4",
    })
    void theNextShare(double share, long ended, long failed, double next) {
      assertThat(RampingState.nextShare(share, 0.1, ended, failed, 0.5))
          .isCloseTo(next, within(1e-9));
    }
  }
}
