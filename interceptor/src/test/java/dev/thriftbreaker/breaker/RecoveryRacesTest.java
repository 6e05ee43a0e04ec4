package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two threads within the same few instructions on the way from open to closed: what may come of it
 * is spelled out, and anything else is wrong. A call that ends while its state does is judged by
 * that state, or late, or by a state that has lost its say already; never by the next one.
 */
class RecoveryRacesTest {

  private static final int ROUNDS = 3_000;
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private static final String GRANTED = "granted";

  private static String answer(long permit) {
    return permit < 0 ? "refused" : GRANTED;
  }

  /** The transitions since the last but one of a list as long as that. */
  private static String story(Bench bench, int known) {
    bench.breaker.dispatch();
    StringBuilder story = new StringBuilder();
    for (Transition transition : bench.heard.subList(known, bench.heard.size())) {
      story.append(transition.from()).append('>').append(transition.to()).append(' ');
    }
    return story.toString();
  }

  private static int known(Bench bench) {
    bench.breaker.dispatch();
    return bench.heard.size();
  }

  private static String late(Bench bench) {
    return "late " + bench.breaker.snapshot().late();
  }

  private static void assertNothingIsInFlight(Bench bench) {
    BreakerSnapshot end = bench.breaker.snapshot();
    assertThat(end.inFlight()).isZero();
    assertThat(end.acquired()).isEqualTo(end.successes() + end.failures() + end.ignored());
  }

  // ---- the ramp

  /** At the beginning of its ramp, which no early probe and no second success is needed for. */
  private static Bench ramping(UnaryOperator<BreakerConfig.Builder> settings) {
    Bench bench =
        new Bench(s -> settings.apply(s.probes(1).probeSuccesses(1).rampInterval(INTERVAL)));
    bench.tripAndWait().call(Outcome.SUCCESS);
    assertThat(bench.state()).isEqualTo(BreakerState.RAMPING);
    return bench;
  }

  private static double share(Bench bench) {
    return bench.breaker.snapshot().share();
  }

  @Test
  void oneCallTooManyOnTheRampIsMadeGoodByTheNextOnes() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = ramping(s -> s.rampStart(0.5));
          return new HeadOn.Race() {
            private long first;
            private long second;

            @Override
            public void first() {
              first = bench.acquire();
            }

            @Override
            public void second() {
              second = bench.acquire();
            }

            @Override
            public String outcome() {
              int racing = (first < 0 ? 0 : 1) + (second < 0 ? 0 : 1);
              int all = racing;
              for (int i = 0; i < 10; i++) {
                all += bench.refused() ? 0 : 1;
              }
              assertThat(bench.breaker.snapshot().inFlight()).isEqualTo(all);
              return racing + " of 2, " + all + " of 12";
            }
          };
        },
        "1 of 2, 6 of 12",
        "2 of 2, 6 of 12");
  }

  @Test
  void aFailureAtTheEndOfAStepIsJudgedOnceAtMost() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = ramping(s -> s.rampStart(0.25));
          long permit = bench.acquire();
          bench.pass(INTERVAL);
          return new HeadOn.Race() {
            @Override
            public void first() {
              bench.complete(permit, Outcome.FAILURE);
            }

            @Override
            public void second() {
              bench.breaker.tick();
            }

            @Override
            public String outcome() {
              String shares = share(bench) + ", then ";
              bench.pass(INTERVAL);
              bench.breaker.tick();
              assertNothingIsInFlight(bench);
              assertThat(bench.breaker.snapshot().failures())
                  .isEqualTo(bench.breaker.config().consecutiveFailures() + 1);
              return shares + share(bench);
            }
          };
        },
        "0.25, then 0.5", // in the step that ends
        "0.5, then 0.25", // in the one that begins
        "0.5, then 1.0"); // between the look at the step and its end
  }

  @Test
  void aCallThatBeginsAtTheEndOfAStepBelongsToOneOfTheTwo() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = ramping(s -> s.rampStart(0.25));
          bench.call(Outcome.SUCCESS);
          bench.pass(INTERVAL);
          return new HeadOn.Race() {
            private long permit;

            @Override
            public void first() {
              permit = bench.acquire();
            }

            @Override
            public void second() {
              bench.breaker.tick();
            }

            @Override
            public String outcome() {
              int passed = 0;
              for (int i = 0; i < 8; i++) {
                passed += bench.refused() ? 0 : 1;
              }
              return answer(permit) + " at " + share(bench) + ", then " + passed + " of 8";
            }
          };
        },
        "refused at 0.5, then 4 of 8", // by the first step, which was full
        "refused at 0.5, then 5 of 8", // the same, and counted by the second
        "granted at 0.5, then 4 of 8"); // by the second
  }

  @ParameterizedTest
  @CsvSource({"SUCCESS", "FAILURE"})
  void aCallThatEndsWhileTheRampDoesIsNotJudgedByTheClosedBreaker(Outcome outcome)
      throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = ramping(s -> s.rampStart(0.5));
          long permit = bench.acquire();
          bench.pass(INTERVAL);
          return new HeadOn.Race() {
            @Override
            public void first() {
              bench.complete(permit, outcome);
            }

            @Override
            public void second() {
              bench.breaker.tick();
            }

            @Override
            public String outcome() {
              assertNothingIsInFlight(bench);
              boolean ramping = bench.state() == BreakerState.RAMPING;
              long window = bench.breaker.snapshot().window().calls();
              return outcome
                  + ": "
                  + bench.state()
                  + (ramping ? "" : " with " + window)
                  + ", "
                  + late(bench);
            }
          };
        },
        "SUCCESS: CLOSED with 0, late 0",
        "SUCCESS: CLOSED with 0, late 1",
        "FAILURE: RAMPING, late 0", // an interval that was not healthy
        "FAILURE: CLOSED with 0, late 0",
        "FAILURE: CLOSED with 0, late 1");
  }

  /** At a share of a half the ramp is over with its step, at a quarter it goes on. */
  @ParameterizedTest
  @CsvSource({"0.5", "0.25"})
  void aTripAndTheEndOfAStepAreNeverBothDone(double start) throws Exception {
    String[] allowed =
        start == 0.5
            ? new String[] {"RAMPING>OPEN ", "RAMPING>CLOSED "}
            : new String[] {"RAMPING>OPEN "};
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = ramping(s -> s.rampStart(start).consecutiveFailures(1));
          long permit = bench.acquire();
          bench.pass(INTERVAL);
          int known = known(bench);
          return new HeadOn.Race() {
            @Override
            public void first() {
              bench.complete(permit, Outcome.FAILURE);
            }

            @Override
            public void second() {
              bench.breaker.tick();
            }

            @Override
            public String outcome() {
              assertNothingIsInFlight(bench);
              return story(bench, known);
            }
          };
        },
        allowed);
  }

  // ---- early probes

  private static Bench open(UnaryOperator<BreakerConfig.Builder> settings) {
    return new Bench(s -> settings.apply(s.probes(1).earlyProbeInterval(INTERVAL))).trip();
  }

  @Test
  void anEarlyProbeThatSucceedsAtTheEndOfTheOpenTimeDoesNotEndTheHalfOpenState() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = open(s -> s.probeSuccesses(1));
          bench.pass(INTERVAL);
          long early = bench.acquire();
          bench.pass(bench.breaker.config().openDuration());
          int known = known(bench);
          return new HeadOn.Race() {
            private long permit;

            @Override
            public void first() {
              bench.complete(early, Outcome.SUCCESS);
            }

            @Override
            public void second() {
              permit = bench.acquire();
            }

            @Override
            public String outcome() {
              String outcome = story(bench, known) + answer(permit) + ", " + late(bench);
              bench.complete(permit, Outcome.SUCCESS);
              assertNothingIsInFlight(bench);
              assertThat(bench.state()).isEqualTo(BreakerState.CLOSED);
              return outcome;
            }
          };
        },
        "OPEN>CLOSED granted, late 0",
        "OPEN>HALF_OPEN granted, late 0", // taken by the open state, which was over then
        "OPEN>HALF_OPEN granted, late 1");
  }

  @Test
  void earlyProbesThatSucceedAtOnceAreBothCounted() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = open(s -> s.probeSuccesses(3));
          bench.pass(INTERVAL);
          bench.call(Outcome.SUCCESS);
          long one = bench.acquire();
          bench.pass(bench.breaker.config().openDuration().dividedBy(2));
          long other = bench.acquire();
          assertThat(other).isNotNegative();
          int known = known(bench);
          return new HeadOn.Race() {
            @Override
            public void first() {
              bench.complete(one, Outcome.SUCCESS);
            }

            @Override
            public void second() {
              bench.complete(other, Outcome.SUCCESS);
            }

            @Override
            public String outcome() {
              assertNothingIsInFlight(bench);
              return story(bench, known) + late(bench);
            }
          };
        },
        "OPEN>CLOSED late 0");
  }

  @Test
  void anEarlyProbeThatSucceedsAndTwoCallsThatWantTheNextOneAdmitOne() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = open(s -> s.probeSuccesses(3));
          bench.pass(INTERVAL);
          long early = bench.acquire();
          return new HeadOn.Race() {
            private long first;
            private long second;

            @Override
            public void first() {
              bench.complete(early, Outcome.SUCCESS);
              first = bench.acquire();
            }

            @Override
            public void second() {
              second = bench.acquire();
            }

            @Override
            public String outcome() {
              long inFlight = bench.breaker.snapshot().inFlight();
              return answer(first) + ", " + answer(second) + ", " + inFlight + " in flight";
            }
          };
        },
        "granted, refused, 1 in flight",
        "refused, granted, 1 in flight");
  }

  // ---- half-open

  @Test
  void aProbeThatEndsWhileItsTimeDoesEitherSucceedsOrFails() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.probes(1).probeSuccesses(1)).tripAndWait();
          long permit = bench.acquire();
          bench.pass(bench.breaker.config().slowCallDuration());
          int known = known(bench);
          return new HeadOn.Race() {
            @Override
            public void first() {
              bench.complete(permit, Outcome.SUCCESS); // as if it had begun only now
            }

            @Override
            public void second() {
              bench.breaker.tick();
            }

            @Override
            public String outcome() {
              assertNothingIsInFlight(bench);
              return story(bench, known) + late(bench);
            }
          };
        },
        "HALF_OPEN>CLOSED late 0",
        "HALF_OPEN>OPEN late 1");
  }

  @Test
  void theLastSuccessAndAFailureAtOnceMakeOneTransition() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.probes(3).probeSuccesses(2)).tripAndWait();
          bench.call(Outcome.SUCCESS);
          long last = bench.acquire();
          long other = bench.acquire();
          int known = known(bench);
          return new HeadOn.Race() {
            @Override
            public void first() {
              bench.complete(last, Outcome.SUCCESS);
            }

            @Override
            public void second() {
              bench.complete(other, Outcome.FAILURE);
            }

            @Override
            public String outcome() {
              assertNothingIsInFlight(bench);
              WindowCounts window = bench.breaker.snapshot().window();
              return story(bench, known) + late(bench) + ", window " + window.calls();
            }
          };
        },
        "HALF_OPEN>CLOSED late 0, window 0",
        "HALF_OPEN>CLOSED late 1, window 0",
        "HALF_OPEN>OPEN late 0, window 0",
        "HALF_OPEN>OPEN late 1, window 0");
  }

  @Test
  void aPlaceThatLapsesWhileItsProbeEndsIsFreeOnce() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          // given two probes of which one may fail, and the first has failed to end in time
          Bench bench =
              new Bench(s -> s.probes(2).probeSuccesses(2).probeFailureRateThreshold(1))
                  .tripAndWait();
          long slow = bench.acquire();
          bench.pass(bench.breaker.config().slowCallDuration());
          return new HeadOn.Race() {
            private long next;
            private long afterNext;

            @Override
            public void first() {
              bench.complete(slow, Outcome.IGNORED);
            }

            @Override
            public void second() {
              next = bench.acquire();
              afterNext = bench.acquire();
            }

            @Override
            public String outcome() {
              boolean third = !bench.refused();
              long late = bench.breaker.snapshot().late();
              return answer(next) + ", " + answer(afterNext) + ", " + third + ", late " + late;
            }
          };
        },
        "granted, granted, false, late 0",
        "granted, granted, false, late 1");
  }
}
