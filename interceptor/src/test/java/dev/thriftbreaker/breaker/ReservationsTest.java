package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.HALF_OPEN;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static dev.thriftbreaker.breaker.BreakerState.RAMPING;
import static dev.thriftbreaker.breaker.CircuitBreaker.FULL;
import static dev.thriftbreaker.breaker.CircuitBreaker.NO_PLACE_NEEDED;
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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Places that a door takes for calls to come, under a clock that only the test moves. */
class ReservationsTest {

  private static final Duration INTERVAL = Duration.ofMillis(250);
  private static final Duration SLOW = BreakerConfig.builder().build().slowCallDuration();

  private static List<Long> reserveUntilRefused(Bench bench) {
    List<Long> all = new ArrayList<>();
    for (long one = bench.reserve(); one != REFUSED; one = bench.reserve()) {
      assertThat(one).isPositive();
      all.add(one);
    }
    return all;
  }

  /** Nothing of reservations is seen, nor does anything stay. */
  private static void assertUntouched(BreakerSnapshot snapshot) {
    assertThat(snapshot.inFlight()).isZero();
    assertThat(snapshot.refused()).isZero();
    assertThat(snapshot.late()).isZero();
  }

  // ---- where none is needed

  @Test
  void aClosedBreakerLetsAllPassAndReservesNothing() {
    Bench bench = Bench.withDefaults();
    assertThat(bench.breaker.letsAllPass(bench.clock.get())).isTrue();
    assertThat(bench.reserve()).isEqualTo(NO_PLACE_NEEDED);
    bench.breaker.giveBack(NO_PLACE_NEEDED);
    assertUntouched(bench.breaker.snapshot());
  }

  @Test
  void aClosedBreakerThatIsFullDoesNotLetAllPass() {
    Bench bench = new Bench(s -> s.maxConcurrentCalls(1));
    bench.acquire();
    assertThat(bench.breaker.letsAllPass(bench.clock.get())).isFalse();
    assertThat(bench.breaker.refuses(bench.clock.get())).isTrue();
  }

  @ParameterizedTest
  @EnumSource(names = {"FORCED_CLOSED", "SHADOW"})
  void nothingIsReservedWhereAnOperatorLetsAllPass(Mode mode) {
    Bench bench = new Bench(s -> s.probes(1)).tripAndWait();
    override(bench, mode);
    assertThat(bench.breaker.letsAllPass(bench.clock.get())).isFalse();
    assertThat(bench.reserve()).isEqualTo(NO_PLACE_NEEDED);
    assertThat(bench.reserve()).isEqualTo(NO_PLACE_NEEDED);
  }

  @Test
  void nothingIsReservedWhereAnOperatorLetsNonePass() {
    Bench bench = Bench.withDefaults();
    override(bench, Mode.FORCED_OPEN);
    assertThat(bench.breaker.letsAllPass(bench.clock.get())).isFalse();
    assertThat(bench.reserve()).isEqualTo(REFUSED);
  }

  private static void override(Bench bench, Mode mode) {
    long until = bench.clock.get() + Duration.ofMinutes(1).toNanos();
    bench.breaker.override(new ModeOverride(mode, until, "alice", "test", false));
  }

  @ParameterizedTest
  @EnumSource(names = {"FORCED_OPEN", "FORCED_CLOSED", "SHADOW"})
  void anOverrideBetweenDoorAndCallDecidesAndThePlaceIsBack(Mode mode) {
    Bench bench = new Bench(s -> s.probes(1)).tripAndWait();
    long reservation = bench.reserve();
    override(bench, mode);

    long permit = bench.begin(reservation);
    if (mode == Mode.FORCED_OPEN) {
      assertThat(permit).isEqualTo(REFUSED);
    } else {
      bench.complete(permit, IGNORED);
    }

    bench.breaker.release("alice", "over");
    assertThat(bench.breaker.snapshot().inFlight()).isZero();
    assertThat(bench.reserve()).isPositive();
  }

  // ---- in each state

  @Nested
  class OfAHalfOpenBreaker {

    private final Bench bench = new Bench(s -> s.probes(5)).tripAndWait();

    @Test
    void asManyAreReservedAsThereAreProbesAndEachGetsItsPermit() {
      List<Long> reserved = reserveUntilRefused(bench);
      assertThat(reserved).hasSize(5).doesNotHaveDuplicates();
      assertThat(bench.breaker.refuses(bench.clock.get())).isTrue();
      for (long one : reserved) {
        bench.complete(bench.begin(one), SUCCESS);
      }
      assertThat(bench.state()).isEqualTo(CLOSED);
      assertThat(bench.breaker.snapshot().acquired()).isEqualTo(10);
    }

    @Test
    void whatIsGivenBackIsFreeAndCountsForNothing() {
      reserveUntilRefused(bench).forEach(bench.breaker::giveBack);
      assertUntouched(bench.breaker.snapshot());
      assertThat(bench.breaker.snapshot().window()).isEqualTo(WindowCounts.EMPTY);
      assertThat(reserveUntilRefused(bench)).hasSize(5);
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
    }

    @Test
    void timeBeforeTheCallIsNotTheCalls() {
      // given a handler that works for nearly as long as a probe may take, and a probe that does
      long reservation = bench.reserve();
      bench.pass(SLOW.minusMillis(1));
      bench.breaker.tick();
      long permit = bench.begin(reservation);
      bench.pass(SLOW.minusMillis(1));
      bench.breaker.tick();

      // then
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      bench.complete(permit, SUCCESS, SLOW.minusMillis(1));
      assertThat(bench.breaker.snapshot().window()).isEqualTo(new WindowCounts(1, 0, 0));
    }

    @Test
    void aProbeThatWasReservedLapsesAsAnyOther() {
      bench.begin(bench.reserve());
      bench.pass(SLOW);
      bench.breaker.tick();
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @Test
    void aHandlerThatNeverCallsNeitherFailsNorWedges() {
      List<Long> dawdling = reserveUntilRefused(bench);
      bench.pass(SLOW);
      bench.breaker.tick();

      // the places are free, and nobody says that a probe failed
      assertThat(bench.state()).isEqualTo(HALF_OPEN);
      assertThat(bench.breaker.snapshot().window()).isEqualTo(WindowCounts.EMPTY);
      List<Long> others = reserveUntilRefused(bench);
      assertThat(others).hasSize(5);

      // and what the late ones do touches none of the others'
      dawdling.forEach(bench.breaker::giveBack);
      assertThat(bench.reserve()).isEqualTo(REFUSED);
      others.forEach(one -> assertThat(bench.begin(one)).isPositive());
    }

    @Test
    void aCallThatComesAfterItsReservationLapsedAsksAnew() {
      long late = bench.reserve();
      bench.pass(SLOW);
      bench.breaker.tick();
      List<Long> others = reserveUntilRefused(bench);
      others.forEach(bench::begin);
      assertThat(bench.begin(late)).as("no place is left").isEqualTo(REFUSED);
      assertThat(bench.breaker.snapshot().refused()).isEqualTo(1);
    }

    @Test
    void aCallWithoutAReservationTakesOneOver() {
      // given a door that gave all places to requests that call on threads of their own
      List<Long> reserved = reserveUntilRefused(bench);

      // when
      List<Long> permits = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        permits.add(bench.acquire());
      }

      // then there are no more probes than places, whoever makes them
      assertThat(permits).allMatch(permit -> permit >= 0).doesNotHaveDuplicates();
      assertThat(bench.acquire()).isEqualTo(REFUSED);
      assertThat(bench.begin(reserved.get(0))).isEqualTo(REFUSED);
      reserved.forEach(bench.breaker::giveBack);
      assertThat(bench.reserve()).as("they are under way").isEqualTo(REFUSED);
      permits.forEach(permit -> bench.complete(permit, IGNORED));
      assertThat(reserveUntilRefused(bench)).hasSize(5);
    }

    @Test
    void nothingIsTakenOverOnceAProbeThatLapsedHasEndedTheState() {
      bench.begin(bench.reserve());
      bench.pass(SLOW.dividedBy(2));
      reserveUntilRefused(bench);
      bench.pass(SLOW.dividedBy(2));
      assertThat(bench.acquire()).isEqualTo(REFUSED);
      assertThat(bench.state()).isEqualTo(OPEN);
    }

    @ParameterizedTest
    @EnumSource(names = {"OPEN", "HALF_OPEN", "CLOSED"})
    void aReservationOfAnEarlierStateIsVoid(BreakerState next) {
      List<Long> reserved = reserveUntilRefused(bench);
      bench.breaker.reset("alice", "test");
      if (next != CLOSED) {
        bench.apply(next, Duration.ofMinutes(1), 1, "test", "test");
      }

      // then a call asks the present state
      List<Long> permits = reserved.stream().limit(4).map(bench::begin).toList();
      assertThat(permits).allMatch(permit -> permit >= 0 == (next != OPEN));
      bench.breaker.giveBack(reserved.get(4));
      if (next == HALF_OPEN) {
        assertThat(bench.acquire()).isPositive();
        assertThat(bench.acquire()).isEqualTo(REFUSED);
      }
      permits.stream().filter(p -> p >= 0).forEach(p -> bench.complete(p, IGNORED));
      assertThat(bench.breaker.snapshot().late()).as("they are its own").isZero();
    }

    @Test
    void theDoorThatFindsTheOpenTimeOverReservesTheFirstProbe() {
      Bench open = new Bench(s -> s.probes(1)).trip();
      open.pass(Duration.ofSeconds(5));
      long reservation = open.reserve();
      assertThat(reservation).isPositive();
      assertThat(open.state()).isEqualTo(HALF_OPEN);
      assertThat(open.reserve()).isEqualTo(REFUSED);
      open.pass(SLOW.minusMillis(1));
      assertThat(open.begin(reservation)).isPositive();
    }
  }

  @Nested
  class OfAnOpenBreaker {

    private final Bench bench = new Bench(s -> s.earlyProbeInterval(INTERVAL)).trip();

    @Test
    void oneIsReservedEachInterval() {
      assertThat(bench.reserve()).isEqualTo(REFUSED);
      bench.pass(INTERVAL);
      long first = bench.reserve();
      assertThat(first).isPositive();
      assertThat(bench.reserve()).isEqualTo(REFUSED);
      bench.pass(INTERVAL);
      assertThat(reserveUntilRefused(bench)).hasSize(1);
      bench.complete(bench.begin(first), SUCCESS);
      assertThat(bench.breaker.snapshot().window()).isEqualTo(new WindowCounts(1, 0, 0));
    }

    @Test
    void aTurnThatIsGivenBackIsTheNextOnesAtOnce() {
      bench.pass(INTERVAL);
      bench.breaker.giveBack(bench.reserve());
      assertUntouchedBy(1);
      long again = bench.reserve();
      assertThat(again).isPositive();
      assertThat(bench.reserve()).isEqualTo(REFUSED);
    }

    @Test
    void aTurnThatIsGivenBackAfterTheNextOneWasHadIsOver() {
      bench.pass(INTERVAL);
      long first = bench.reserve();
      bench.pass(INTERVAL);
      assertThat(bench.reserve()).isPositive();
      bench.breaker.giveBack(first);
      assertThat(bench.reserve()).isEqualTo(REFUSED);
    }

    @Test
    void handlersThatDawdleDoNotMakeProbesRare() {
      // as many calls under way make the next one wait four times as long, reservations do not
      for (int i = 0; i < 10; i++) {
        bench.pass(INTERVAL);
        assertThat(bench.reserve()).as("turn %d", i).isPositive();
      }
      assertThat(bench.breaker.snapshot().window()).isEqualTo(WindowCounts.EMPTY);
    }

    @Test
    void aCallWithoutAReservationTakesOneTurnOver() {
      bench.pass(INTERVAL);
      long reservation = bench.reserve();
      long permit = bench.acquire();
      assertThat(permit).isPositive();
      assertThat(bench.acquire()).isEqualTo(REFUSED);
      assertThat(bench.begin(reservation)).isEqualTo(REFUSED);
      bench.breaker.giveBack(reservation);
      bench.complete(permit, FAILURE);
      assertThat(bench.reserve()).as("until the next is due").isEqualTo(REFUSED);
    }

    @Test
    void threeThatSucceedEndTheOpenTime() {
      bench.pass(INTERVAL);
      for (int i = 0; i < 3; i++) {
        bench.complete(bench.begin(bench.reserve()), SUCCESS);
      }
      assertThat(bench.state()).isEqualTo(CLOSED);
    }

    private void assertUntouchedBy(int givenBack) {
      assertUntouched(bench.breaker.snapshot());
      assertThat(bench.breaker.snapshot().window())
          .as("of %d", givenBack)
          .isEqualTo(WindowCounts.EMPTY);
    }
  }

  @Nested
  class OfARampingBreaker {

    private Bench ramping(double share) {
      Bench bench = new Bench(s -> s.rampInterval(INTERVAL).rampStart(share)).tripAndWait();
      bench.calls(3, SUCCESS);
      assertThat(bench.state()).isEqualTo(RAMPING);
      return bench;
    }

    /** So many requests at the door; returns what was reserved. */
    private List<Long> door(Bench bench, int requests) {
      List<Long> reserved = new ArrayList<>();
      for (int i = 0; i < requests; i++) {
        long now = bench.clock.get();
        boolean refuses = bench.breaker.refuses(now);
        long one = bench.reserve();
        assertThat(one == REFUSED).isEqualTo(refuses);
        if (refuses) {
          bench.breaker.countRefusal(bench.breaker.refusal(now));
        } else {
          reserved.add(one);
        }
      }
      return reserved;
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.25, 0.5, 0.8})
    void theShareIsReservedThoughNoHandlerHasCalledYet(double share) {
      Bench bench = ramping(share);
      List<Long> reserved = door(bench, 1_000);
      assertThat(reserved).hasSize((int) (share * 1_000));
      for (long one : reserved) {
        bench.complete(bench.begin(one), SUCCESS);
      }
      assertThat(door(bench, 1_000)).as("each counts once").hasSize((int) (share * 1_000));
    }

    @Test
    void whatIsGivenBackDoesNotDistortTheShare() {
      Bench bench = ramping(0.1);
      int calls = 0;
      int idle = 0;
      for (int i = 0; i < 1_000; i++) {
        // every second request that passes makes no call
        for (long one : door(bench, 1)) {
          if ((calls + idle) % 2 == 0) {
            bench.breaker.giveBack(one);
            idle++;
          } else {
            bench.begin(one);
            calls++;
          }
        }
      }
      long refused = bench.breaker.snapshot().refused();
      assertThat(calls + idle + refused).isEqualTo(1_000);
      assertThat(calls).isCloseTo(idle, within(1));
      assertThat((double) calls / (calls + refused)).isCloseTo(0.1, within(0.001));
    }

    @Test
    void aPlaceThatIsGivenBackIsTheNextOnesAtOnce() {
      Bench bench = ramping(0.1);
      long one = bench.reserve();
      assertThat(bench.reserve()).isEqualTo(REFUSED);
      bench.breaker.giveBack(one);
      assertThat(bench.reserve()).isPositive();
    }

    @Test
    void aReservationOutlivesItsStepAndDoesNotTouchTheNext() {
      Bench bench = ramping(0.1);
      long used = bench.reserve();
      door(bench, 9);
      long unused = bench.reserve();
      bench.pass(INTERVAL);
      bench.breaker.tick();
      assertThat(bench.breaker.snapshot().share()).isEqualTo(0.2);

      bench.breaker.giveBack(unused);
      bench.complete(bench.begin(used), SUCCESS);
      assertThat(door(bench, 100)).hasSize(20);
    }

    @Test
    void aCallWithoutAReservationIsNotRefusedForThatOfItsOwnRequest() {
      // given requests whose handlers call on threads of their own
      Bench bench = ramping(0.1);
      int passed = 0;
      for (int i = 0; i < 1_000; i++) {
        for (long one : door(bench, 1)) {
          bench.call(SUCCESS);
          bench.breaker.giveBack(one);
          passed++;
        }
      }
      assertThat(passed).isEqualTo(100);
    }

    @Test
    void aDependencyThatIsFullRefusesTheCall() {
      Bench bench =
          new Bench(s -> s.rampInterval(INTERVAL).rampStart(0.9).maxConcurrentCalls(1))
              .tripAndWait();
      bench.calls(3, SUCCESS);
      long permit = bench.begin(bench.reserve());
      bench.breaker.countRefusal(bench.breaker.refusal(bench.clock.get()));
      assertThat(bench.begin(bench.reserve())).isEqualTo(FULL);
      bench.complete(permit, SUCCESS);
      assertThat(bench.breaker.snapshot().inFlight()).isZero();
    }

    @Test
    void aPlaceThatIsReservedIsTakenFromTheBulkheadToo() {
      Bench bench =
          new Bench(s -> s.rampInterval(INTERVAL).rampStart(0.9).maxConcurrentCalls(2))
              .tripAndWait();
      bench.calls(3, SUCCESS);
      for (int i = 0; i < 20; i++) {
        bench.breaker.countRefusal(new Refusal("inventory", "RAMPING", 0)); // so many came
      }
      long first = bench.reserve();
      long inFlight = bench.begin(bench.reserve());
      assertThat(inFlight).isPositive();

      assertThat(bench.breaker.refuses(bench.clock.get())).isTrue();
      assertThat(bench.breaker.refusal(bench.clock.get()).reason()).isEqualTo("FULL");
      assertThat(bench.reserve()).isEqualTo(REFUSED);

      bench.breaker.giveBack(first);
      assertThat(bench.breaker.refuses(bench.clock.get())).isFalse();
      long second = bench.reserve();
      assertThat(bench.reserve()).isEqualTo(REFUSED);
      bench.complete(inFlight, SUCCESS);
      bench.complete(bench.begin(second), SUCCESS);
      assertThat(bench.breaker.snapshot().inFlight()).isZero();
    }
  }
}
