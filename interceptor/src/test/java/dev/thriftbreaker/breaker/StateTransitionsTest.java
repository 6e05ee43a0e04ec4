package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.HALF_OPEN;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static dev.thriftbreaker.breaker.Outcome.FAILURE;
import static dev.thriftbreaker.breaker.Outcome.IGNORED;
import static dev.thriftbreaker.breaker.Outcome.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every pair of states, under a clock that only the test moves. */
class StateTransitionsTest {

  private static final Duration MILLI = Duration.ofMillis(1);

  @Nested
  class FromClosed {

    @Test
    void opensAtTheFailureRateAndNotOneCallBefore() {
      // given 20 calls of which 9 failed
      Bench bench = Bench.withDefaults();
      for (int i = 0; i < 9; i++) {
        bench.call(FAILURE);
        bench.call(SUCCESS);
      }
      bench.calls(2, SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);

      // when failures bring the rate to a half
      bench.call(FAILURE);
      assertThat(bench.state()).as("10 of 21").isEqualTo(CLOSED);
      bench.call(FAILURE);

      // then
      assertThat(bench.state()).as("11 of 22").isEqualTo(OPEN);
      assertThat(bench.story()).isEqualTo("CLOSED>OPEN/LOCAL");
      Evidence evidence = bench.heard.get(0).evidence();
      assertThat(evidence.reason()).isEqualTo("failure rate 0.50 of 22 calls");
      assertThat(evidence.calls()).isEqualTo(22);
      assertThat(evidence.failures()).isEqualTo(11);
      assertThat(evidence.topErrors()).containsEntry("java.lang.IllegalStateException", 11L);
      assertThat(evidence.configVersion()).isEqualTo(1);
    }

    @Test
    void opensAtTheSlowCallRate() {
      Bench bench = Bench.withDefaults();
      bench.calls(4, SUCCESS);
      for (int i = 0; i < 15; i++) {
        bench.call(SUCCESS, Duration.ofSeconds(2));
      }
      assertThat(bench.state()).as("19 calls").isEqualTo(CLOSED);

      bench.call(SUCCESS, Duration.ofSeconds(2));

      assertThat(bench.state()).as("16 of 20 slow").isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().lastTrip().reason())
          .isEqualTo("slow call rate 0.80 of 20 calls, slow being 2000 ms or more");
    }

    @Test
    void aCallJustBelowTheSlowDurationIsNotSlow() {
      Bench bench = Bench.withDefaults();
      for (int i = 0; i < 100; i++) {
        bench.call(SUCCESS, Duration.ofSeconds(2).minusNanos(1));
      }
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.breaker.snapshot().slow()).isZero();
    }

    @Test
    void opensAfterConsecutiveFailuresWhileTrafficIsThin() {
      Bench bench = Bench.withDefaults();
      bench.calls(4, FAILURE);
      bench.call(SUCCESS);
      bench.calls(4, FAILURE);
      assertThat(bench.state()).as("a success in between starts the count again").isEqualTo(CLOSED);

      bench.call(FAILURE);

      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().lastTrip().reason()).isEqualTo("5 consecutive failures");
    }

    @Test
    void aSlowSuccessBreaksARowOfFailures() {
      Bench bench = Bench.withDefaults();
      bench.calls(4, FAILURE);
      bench.call(SUCCESS, Duration.ofSeconds(3));
      bench.call(FAILURE);
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void theTickGoesOnLookingWhileTheWindowHoldsFailures() {
      Bench bench = new Bench(s -> s.consecutiveFailures(0));
      bench.calls(10, FAILURE);
      bench.breaker.tick();
      bench.breaker.tick();
      bench.calls(10, SUCCESS);
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void consecutiveFailuresDoNotOpenABusyBreaker() {
      Bench bench = Bench.withDefaults();
      bench.calls(100, SUCCESS);
      bench.calls(49, FAILURE);
      assertThat(bench.state()).as("49 of 149").isEqualTo(CLOSED);
    }

    @Test
    void aBurstOfFailuresOpensABusyBreakerLongBeforeItsWindowIsFullOfThem() {
      Bench bench = Bench.withDefaults();
      bench.calls(10_000, SUCCESS);
      bench.calls(50, FAILURE);
      assertThat(bench.state()).as("50 marks").isEqualTo(CLOSED);
      bench.call(FAILURE);
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().lastTrip().reason())
          .isEqualTo("failure rate 1.00 of the last 50 calls");
    }

    @Test
    void aBurstIsJudgedByTheCallsSinceItsFirstFailure() {
      Bench bench = Bench.withDefaults();
      bench.calls(10_000, SUCCESS);
      for (int i = 0; i < 60; i++) {
        bench.calls(2, SUCCESS);
        bench.call(FAILURE);
      }
      assertThat(bench.state()).as("a third").isEqualTo(CLOSED);
      for (int i = 0; i < 50; i++) {
        bench.call(SUCCESS);
        bench.call(FAILURE);
      }
      assertThat(bench.state()).as("a half").isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().lastTrip().reason())
          .isEqualTo("failure rate 0.50 of the last 100 calls");
    }

    @Test
    void aBurstMustReachTheThresholdAndAHalf() {
      Bench strict = new Bench(s -> s.failureRateThreshold(0.9));
      Bench lax = new Bench(s -> s.failureRateThreshold(0.1).minimumCalls(1_000_000));
      for (Bench bench : new Bench[] {strict, lax}) {
        bench.calls(10_000, SUCCESS);
        for (int i = 0; i < 60; i++) {
          bench.call(SUCCESS);
          bench.calls(bench == strict ? 8 : 1, FAILURE);
          bench.calls(bench == strict ? 0 : 1, SUCCESS);
        }
        assertThat(bench.state()).isEqualTo(CLOSED);
      }
    }

    @Test
    void failuresOverLongerThanTheWindowAreNoBurst() {
      Bench bench = new Bench(s -> s.minimumCalls(1_000).consecutiveFailures(0));
      for (int i = 0; i < 200; i++) {
        bench.call(FAILURE);
        bench.pass(Duration.ofMillis(210));
      }
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void aBurstIsNotJudgedBeforeRatesAre() {
      Bench bench = new Bench(s -> s.minimumCalls(300).consecutiveFailures(0));
      bench.calls(100, SUCCESS);
      bench.calls(199, FAILURE);
      assertThat(bench.state()).isEqualTo(CLOSED);
      bench.call(FAILURE);
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void aCountWindowIsItsOwnMeasureOfWhatIsRecent() {
      Bench bench = new Bench(s -> s.windowType(BreakerConfig.WindowType.COUNT).windowSize(1_000));
      bench.calls(1_000, SUCCESS);
      bench.calls(499, FAILURE);
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void slowFailuresInARowOpenABusyBreaker() {
      Bench bench = Bench.withDefaults();
      bench.calls(1_000, SUCCESS);
      for (int i = 0; i < 4; i++) {
        bench.call(FAILURE, Duration.ofSeconds(2));
      }
      bench.call(SUCCESS);
      for (int i = 0; i < 4; i++) {
        bench.call(FAILURE, Duration.ofSeconds(2));
      }
      assertThat(bench.state()).as("a success in between").isEqualTo(CLOSED);
      bench.call(FAILURE, Duration.ofSeconds(2));
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().lastTrip().reason())
          .isEqualTo("5 failures in a row after 2000 ms or more");
    }

    @Test
    void callsThatADeadlineEndsAreSlowThoughItEndsThemSooner() {
      Bench bench = new Bench(s -> s.callTimeout(Duration.ofMillis(300)));
      bench.calls(1_000, SUCCESS);
      for (int i = 0; i < 5; i++) {
        assertThat(bench.state()).isEqualTo(CLOSED);
        bench.call(FAILURE, Duration.ofMillis(300));
      }
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().lastTrip().reason())
          .isEqualTo("5 failures in a row after 300 ms or more");
      assertThat(bench.breaker.snapshot().slow()).isEqualTo(5);
    }

    @Test
    void oneSlowFailureIsEnoughWhereOthersFoundNoPlaceAllTheTime() {
      Bench bench = new Bench(s -> s.maxConcurrentCalls(2));
      bench.calls(1_000, SUCCESS);
      bench.breaker.tick();
      long start = bench.clock.get();
      long first = bench.acquire();
      bench.acquire();
      for (int i = 0; i < 4; i++) {
        bench.pass(MILLI);
        assertThat(bench.acquire()).isEqualTo(CircuitBreaker.FULL);
      }
      bench.pass(Duration.ofSeconds(2));
      bench.breaker.complete(first, FAILURE, start, null);
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().lastTrip().reason())
          .isEqualTo("1 failure in a row after 2000 ms or more, and 4 calls found no place");
    }

    @Test
    void aSuccessThatCompletesTheMinimumOfCallsIsSeenByTheTick() {
      Bench bench = new Bench(settings -> settings.consecutiveFailures(0));
      bench.calls(10, FAILURE);
      bench.calls(10, SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);

      bench.breaker.tick();

      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void ignoredCallsCountForNothing() {
      Bench bench = Bench.withDefaults();
      bench.calls(4, FAILURE);
      bench.calls(100, IGNORED);
      assertThat(bench.breaker.snapshot().window()).isEqualTo(new WindowCounts(4, 4, 0));
      bench.call(FAILURE);
      assertThat(bench.state())
          .as("an ignored call does not break a row of failures")
          .isEqualTo(OPEN);
    }

    @Test
    void failuresThatLeftTheWindowAreForgotten() {
      Bench bench = new Bench(settings -> settings.consecutiveFailures(0));
      bench.calls(19, FAILURE);
      bench.pass(Duration.ofSeconds(10));
      bench.call(FAILURE);
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.breaker.snapshot().window().calls()).isEqualTo(1);
    }

    @Test
    void halfOpenAndOpenCanBeToldFromElsewhere() {
      Bench bench = Bench.withDefaults();
      bench.apply(HALF_OPEN, Duration.ZERO, 2, "b", "probing");
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      bench.apply(CLOSED, Duration.ZERO, 0, "b", "healed");
      bench.apply(OPEN, Duration.ofSeconds(3), 2, "b", "down");
      assertThat(bench.story())
          .isEqualTo("CLOSED>HALF_OPEN/REMOTE HALF_OPEN>CLOSED/REMOTE CLOSED>OPEN/REMOTE");
      assertThat(bench.breaker.snapshot().remainingNanos()).isEqualTo(3_000_000_000L);
      assertThat(bench.breaker.snapshot().consecutiveOpens()).isEqualTo(2);
    }

    @Test
    void nonsenseFromElsewhereIsBounded() {
      Bench bench = Bench.withDefaults();
      bench.apply(OPEN, Duration.ofSeconds(Long.MAX_VALUE), Integer.MAX_VALUE, "b", "nonsense");
      assertThat(bench.breaker.snapshot().remainingNanos())
          .isEqualTo(Duration.ofSeconds(60).toNanos());
      bench.pass(Duration.ofSeconds(60));
      bench.call(FAILURE);
      assertThat(bench.breaker.snapshot().consecutiveOpens()).isEqualTo(1_000_000);
    }

    @Test
    void whatWasDecidedBeforeATransitionHereIsNotAppliedAfterIt() {
      Bench bench = Bench.withDefaults();
      long before = bench.breaker.snapshot().sequence();
      bench.trip();
      assertThat(bench.breaker.apply(before, CLOSED, Duration.ZERO, 0, "b", "healed")).isFalse();
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void closedFromElsewhereEmptiesTheWindowAndTellsNobody() {
      Bench bench = Bench.withDefaults();
      bench.calls(4, FAILURE);
      bench.apply(CLOSED, Duration.ZERO, 0, "b", "healed");
      assertThat(bench.breaker.snapshot().window().calls()).isZero();
      bench.call(FAILURE);
      assertThat(bench.story()).isEmpty();
      assertThat(bench.state()).isEqualTo(CLOSED);
    }
  }

  @Nested
  class FromOpen {

    @Test
    void refusesUntilTheDeadlineAndProbesFromThenOn() {
      Bench bench = Bench.withDefaults().trip();
      bench.pass(Duration.ofSeconds(5).minus(MILLI));
      bench.breaker.tick();
      assertThat(bench.refused()).isTrue();
      assertThat(bench.breaker.refusal(bench.clock.get()))
          .isEqualTo(new Refusal("inventory", "OPEN", 1_000_000));

      bench.pass(MILLI);

      assertThat(bench.breaker.refuses(bench.clock.get())).isFalse();
      assertThat(bench.refused()).isFalse();
      assertThat(bench.story()).isEqualTo("CLOSED>OPEN/LOCAL OPEN>HALF_OPEN/TIMER");
    }

    @Test
    void theTickMakesWayForProbesWithoutTraffic() {
      Bench bench = Bench.withDefaults().trip();
      bench.pass(Duration.ofSeconds(5));
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
    }

    @Test
    void anOperatorCanProbeNowOrReset() {
      Bench bench = Bench.withDefaults().trip();
      assertThat(bench.breaker.probeNow("kim", "deployed")).isTrue();
      assertThat(bench.breaker.probeNow("kim", "deployed")).as("not open any more").isFalse();
      bench.breaker.reset("kim", "all is well");
      assertThat(bench.story())
          .isEqualTo("CLOSED>OPEN/LOCAL OPEN>HALF_OPEN/OPERATOR HALF_OPEN>CLOSED/OPERATOR");
      assertThat(bench.heard.get(1).by()).isEqualTo("kim");
    }

    @Test
    void closedFromElsewhereCloses() {
      Bench bench = Bench.withDefaults().trip();
      bench.apply(CLOSED, Duration.ZERO, 0, "b", "healed");
      assertThat(bench.story()).endsWith("OPEN>CLOSED/REMOTE");
      assertThat(bench.refused()).isFalse();
    }

    @Test
    void openFromElsewhereMovesTheDeadlineWithinBoundsAndTellsNobody() {
      Bench bench = Bench.withDefaults().trip();
      bench.apply(OPEN, Duration.ofDays(300), 3, "b", "still down");
      assertThat(bench.breaker.snapshot().remainingNanos())
          .isEqualTo(Duration.ofSeconds(60).toNanos());
      assertThat(bench.story()).isEqualTo("CLOSED>OPEN/LOCAL");
      bench.apply(OPEN, Duration.ofSeconds(-9), 3, "b", "over");
      assertThat(bench.refused()).isFalse();
    }

    @Test
    void staysOpenTwiceAsLongEachTimeUpToTheMaximum() {
      Bench bench = Bench.withDefaults().trip();
      long[] seconds = {10, 20, 40, 60, 60};
      for (long expected : seconds) {
        bench.pass(Duration.ofNanos(bench.breaker.snapshot().remainingNanos()));
        bench.call(FAILURE);
        assertThat(bench.breaker.snapshot().remainingNanos())
            .isEqualTo(Duration.ofSeconds(expected).toNanos());
      }
      assertThat(bench.breaker.snapshot().consecutiveOpens()).isEqualTo(6);
    }

    @Test
    void startsFromTheShortTimeAgainOnceItHasClosed() {
      Bench bench = Bench.withDefaults().tripAndWait();
      bench.call(FAILURE);
      bench.pass(Duration.ofSeconds(10));
      bench.calls(3, SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);
      bench.trip();
      assertThat(bench.breaker.snapshot().remainingNanos())
          .isEqualTo(Duration.ofSeconds(5).toNanos());
    }
  }

  @Nested
  class FromHalfOpen {

    @Test
    void closesAfterEnoughSuccessesWithAnEmptyWindow() {
      Bench bench = Bench.withDefaults().tripAndWait();
      bench.calls(2, SUCCESS);
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      bench.call(SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.breaker.snapshot().window()).isEqualTo(WindowCounts.EMPTY);
      assertThat(bench.story()).endsWith("HALF_OPEN>CLOSED/LOCAL");
    }

    @Test
    void opensAgainAtTheFirstFailedProbe() {
      Bench bench = Bench.withDefaults().tripAndWait();
      bench.calls(2, SUCCESS);
      bench.call(FAILURE);
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().evidence().reason())
          .isEqualTo("probe failed: java.lang.IllegalStateException");
      assertThat(bench.breaker.snapshot().lastTrip().reason())
          .as("why it opened in the first place")
          .isEqualTo("5 consecutive failures");
    }

    @Test
    void opensAgainAtASlowProbe() {
      Bench bench = Bench.withDefaults().tripAndWait();
      long permit = bench.acquire();
      bench.complete(permit, SUCCESS, Duration.ofSeconds(2));
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().evidence().reason()).isEqualTo("probe failed: slow");
    }

    @ParameterizedTest
    @CsvSource({"0, 5, 1", "0.2, 5, 1", "0.3, 5, 2", "0.4, 5, 2", "1, 5, 5", "0.07, 100, 7"})
    void toleratesFailedProbesBelowTheConfiguredRate(
        double rate, int probes, int failuresToReopen) {
      Bench bench = new Bench(s -> s.probes(probes).probeFailureRateThreshold(rate)).tripAndWait();
      for (int i = 1; i < failuresToReopen; i++) {
        bench.call(FAILURE);
        assertThat(bench.state()).isEqualTo(HALF_OPEN);
      }
      bench.call(FAILURE);
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void anIgnoredProbeGivesItsPermitBackAndProvesNothing() {
      Bench bench = new Bench(s -> s.probes(1)).tripAndWait();
      for (int i = 0; i < 10; i++) {
        bench.call(IGNORED);
        assertThat(bench.state()).isEqualTo(HALF_OPEN);
      }
    }

    @Test
    void letsNoMoreProbesBeUnderWayThanConfigured() {
      Bench bench = Bench.withDefaults().tripAndWait();
      for (int i = 0; i < 5; i++) {
        assertThat(bench.refused()).isFalse();
      }
      assertThat(bench.breaker.refuses(bench.clock.get())).isTrue();
      assertThat(bench.refused()).isTrue();
      assertThat(bench.breaker.refusal(bench.clock.get()))
          .isEqualTo(new Refusal("inventory", "HALF_OPEN", 2_000_000_000L));
    }

    @Test
    void aProbeThatHangsHasFailedAfterTheSlowDurationAndOpensTheBreakerAgain() {
      // given a dependency that swallows every probe
      Bench bench = Bench.withDefaults().tripAndWait();
      long[] hung = new long[5];
      for (int i = 0; i < hung.length; i++) {
        hung[i] = bench.acquire();
      }
      bench.pass(Duration.ofSeconds(2).minus(MILLI));
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      assertThat(bench.refused()).isTrue();

      // when
      bench.pass(MILLI);
      bench.breaker.tick();

      // then it opens for twice as long, and what the hung probes say later counts for nothing
      assertThat(bench.state()).isEqualTo(OPEN);
      assertThat(bench.breaker.snapshot().evidence().reason())
          .isEqualTo("probe failed: no answer within 2000 ms");
      assertThat(bench.breaker.snapshot().remainingNanos())
          .isEqualTo(Duration.ofSeconds(10).toNanos());
      for (long permit : hung) {
        bench.complete(permit, SUCCESS);
      }
      assertThat(bench.breaker.snapshot().late()).isEqualTo(5);

      // and when the dependency has healed, it closes
      bench.pass(Duration.ofSeconds(10));
      bench.calls(3, SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void theNextCallFindsAHungProbeWithoutATick() {
      Bench bench = Bench.withDefaults().tripAndWait();
      bench.acquire();
      bench.pass(Duration.ofSeconds(2));
      assertThat(bench.refused()).isTrue();
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void hungProbesNeverPileUpBeyondTheirNumber() {
      // given a dependency that hangs for two minutes
      Bench bench = Bench.withDefaults().tripAndWait();
      int granted = 0;
      int opened = 0;
      for (int i = 0; i < 1_200; i++) {
        granted += bench.refused() ? 0 : 1;
        bench.pass(Duration.ofMillis(100));
        bench.breaker.tick();
      }
      opened = (int) bench.breaker.snapshot().opened();

      // then each half-open period cost five calls at most, and they come ever more seldom
      assertThat(opened).isBetween(4, 6);
      assertThat(granted).isLessThanOrEqualTo(5 * opened);
    }

    @Test
    void whereAHungProbeIsToleratedItsPlaceGoesToAnother() {
      Bench bench =
          new Bench(s -> s.probes(2).probeSuccesses(1).probeFailureRateThreshold(1)).tripAndWait();
      long hung = bench.acquire();
      bench.pass(Duration.ofSeconds(2));
      long second = bench.acquire();
      long third = bench.acquire();
      assertThat(second).isNotEqualTo(CircuitBreaker.REFUSED);
      assertThat(third).isNotEqualTo(CircuitBreaker.REFUSED);

      bench.complete(hung, SUCCESS);
      assertThat(bench.state()).as("it cannot speak for its place").isEqualTo(HALF_OPEN);
      bench.complete(second, SUCCESS);
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void slowButHealthyProbesCloseABreakerThatAllowsThem() {
      Bench bench = new Bench(s -> s.slowCallDuration(Duration.ofSeconds(10))).tripAndWait();
      for (int i = 0; i < 3; i++) {
        long permit = bench.acquire();
        bench.pass(Duration.ofSeconds(3));
        bench.breaker.tick();
        bench.complete(permit, SUCCESS, Duration.ofSeconds(3));
      }
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    @Test
    void aProbeCompletedTwiceCountsOnce() {
      Bench bench = Bench.withDefaults().tripAndWait();
      long permit = bench.acquire();
      for (int i = 0; i < 10; i++) {
        bench.complete(permit, SUCCESS);
      }
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
    }

    @Test
    void openAndClosedCanBeToldFromElsewhere() {
      Bench bench = Bench.withDefaults().tripAndWait();
      bench.apply(HALF_OPEN, Duration.ZERO, 1, "b", "probing too");
      bench.apply(OPEN, Duration.ofSeconds(7), 2, "b", "probe failed");
      assertThat(bench.state()).isEqualTo(OPEN);
      bench.pass(Duration.ofSeconds(7));
      bench.breaker.tick();
      bench.apply(CLOSED, Duration.ZERO, 0, "b", "healed");
      assertThat(bench.story())
          .isEqualTo(
              "CLOSED>OPEN/LOCAL OPEN>HALF_OPEN/TIMER HALF_OPEN>OPEN/REMOTE OPEN>HALF_OPEN/TIMER"
                  + " HALF_OPEN>CLOSED/REMOTE");
    }
  }

  @Nested
  class LateOutcomes {

    @Test
    void failuresOfCallsFromBeforeDoNotReopenAHalfOpenBreaker() {
      Bench bench = Bench.withDefaults();
      long early = bench.acquire();
      bench.tripAndWait();
      bench.complete(early, FAILURE);
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      assertThat(bench.breaker.snapshot().late()).isEqualTo(1);
    }

    @Test
    void successesOfCallsFromBeforeDoNotCloseAHalfOpenBreaker() {
      Bench bench = Bench.withDefaults();
      long[] early = {bench.acquire(), bench.acquire(), bench.acquire()};
      bench.tripAndWait();
      for (long permit : early) {
        bench.complete(permit, SUCCESS);
      }
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      assertThat(bench.breaker.snapshot().successes()).as("totals").isEqualTo(3);
    }

    @Test
    void outcomesOfAnEarlierClosedPeriodDoNotCountInTheNext() {
      Bench bench = Bench.withDefaults();
      long[] early = new long[20];
      for (int i = 0; i < early.length; i++) {
        early[i] = bench.acquire();
      }
      bench.tripAndWait();
      bench.calls(3, SUCCESS);
      for (long permit : early) {
        bench.complete(permit, FAILURE);
      }
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.breaker.snapshot().window().calls()).isZero();
    }

    @Test
    void probesOfAnEarlierHalfOpenPeriodDoNotCountInTheNext() {
      Bench bench = Bench.withDefaults().tripAndWait();
      long early = bench.acquire();
      bench.call(FAILURE);
      bench.pass(Duration.ofSeconds(10));
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      bench.complete(early, FAILURE);
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
    }
  }
}
