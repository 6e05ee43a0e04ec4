package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static dev.thriftbreaker.breaker.Outcome.FAILURE;
import static dev.thriftbreaker.breaker.Outcome.IGNORED;
import static dev.thriftbreaker.breaker.Outcome.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Calls that do not end, under a clock that only the test moves. */
class HungCallsTest {

  private static final Duration SLOW = Duration.ofSeconds(2);
  private static final Duration GRACE = Duration.ofNanos(InFlight.GRACE_NANOS);

  private static long[] begin(Bench bench, int calls) {
    long[] permits = new long[calls];
    for (int i = 0; i < calls; i++) {
      permits[i] = bench.acquire();
      assertThat(permits[i]).isNotNegative();
    }
    return permits;
  }

  private static void passAndTick(Bench bench, Duration time) {
    bench.pass(time);
    bench.breaker.tick();
  }

  private static void endSlow(Bench bench, long permit, Outcome outcome, long startNanos) {
    bench.breaker.complete(permit, outcome, startNanos, null);
  }

  @Test
  void callsThatHangOpenTheBreakerWhileTheyHang() {
    // given a busy, healthy dependency whose next calls do not end
    Bench bench = Bench.withDefaults();
    bench.calls(1_000, SUCCESS);
    begin(bench, 5);

    // when
    passAndTick(bench, SLOW);
    assertThat(bench.state()).as("within the grace").isEqualTo(CLOSED);
    passAndTick(bench, GRACE);

    // then
    assertThat(bench.state()).isEqualTo(OPEN);
    Evidence evidence = bench.breaker.snapshot().lastTrip();
    assertThat(evidence.reason())
        .isEqualTo("5 calls hang for 2000 ms or more, no call has ended since");
    assertThat(evidence.hungCalls()).isEqualTo(5);
    assertThat(evidence.slowCalls()).isEqualTo(5);
    assertThat(evidence.calls()).isEqualTo(1_005);
    assertThat(evidence.oldestCalls())
        .hasSize(5)
        .allSatisfy(
            call -> {
              assertThat(call.thread()).isEqualTo(Thread.currentThread().getName());
              assertThat(call.ageNanos()).isEqualTo(SLOW.plus(GRACE).toNanos());
            });
    assertThat(bench.breaker.snapshot().hung()).isEqualTo(5);
  }

  @Test
  void theEvidenceNamesWhereAThreadHangs() throws Exception {
    Bench bench = new Bench(s -> s.consecutiveFailures(1));
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread worker =
        new Thread(
            () -> {
              bench.acquire();
              hanging.countDown();
              Reserving.reserve(end);
            },
            "worker-7");
    worker.start();
    hanging.await();
    while (worker.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }

    passAndTick(bench, SLOW.plus(GRACE));

    end.countDown();
    worker.join();
    assertThat(bench.breaker.snapshot().lastTrip().oldestCalls())
        .singleElement()
        .satisfies(
            call -> {
              assertThat(call.thread()).isEqualTo("worker-7");
              // no guard on this thread: the outermost frame that is not the JDK's
              assertThat(call.method()).startsWith("HungCallsTest");
              assertThat(call).hasToString(call.method() + " on worker-7 for 2001 ms");
            });
  }

  private static final class Reserving {
    static void reserve(CountDownLatch end) {
      try {
        end.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Test
  void tooFewCallsThatHangDoNotOpenIt() {
    Bench bench = Bench.withDefaults();
    begin(bench, 4);
    passAndTick(bench, SLOW.plus(GRACE));
    passAndTick(bench, Duration.ofSeconds(20));
    assertThat(bench.state()).isEqualTo(CLOSED);
    assertThat(bench.breaker.snapshot().hung()).isEqualTo(4);
  }

  @Test
  void callsThatFoundNoPlaceBecauseOfOneThatHangsAreWitnesses() {
    // given a limit so low that only one call can hang
    Bench bench = new Bench(s -> s.maxConcurrentCalls(1));
    begin(bench, 1);
    passAndTick(bench, SLOW);
    for (int i = 0; i < 3; i++) {
      assertThat(bench.acquire()).isEqualTo(CircuitBreaker.FULL);
    }
    passAndTick(bench, GRACE);
    assertThat(bench.state()).as("1 hangs, 3 refused").isEqualTo(CLOSED);

    // when
    assertThat(bench.acquire()).isEqualTo(CircuitBreaker.FULL);
    bench.breaker.tick();

    // then
    assertThat(bench.state()).as("1 hangs, 4 refused").isEqualTo(OPEN);
    assertThat(bench.breaker.snapshot().lastTrip().reason())
        .isEqualTo(
            "1 call hangs for 2000 ms or more and 4 found no place, no call has ended since");
  }

  @Test
  void refusalsFromBeforeTheLastCallEndedAreNoWitnesses() {
    Bench bench = new Bench(s -> s.maxConcurrentCalls(2));
    long[] permits = begin(bench, 2);
    for (int i = 0; i < 10; i++) {
      bench.acquire();
    }
    bench.pass(GRACE);
    bench.complete(permits[0], SUCCESS);
    bench.breaker.tick();

    passAndTick(bench, SLOW.plus(GRACE));

    assertThat(bench.state()).isEqualTo(CLOSED);
  }

  @Test
  void oneCallThatEndsAmongThoseThatHangKeepsItClosed() {
    Bench bench = Bench.withDefaults();
    bench.calls(100, SUCCESS);
    begin(bench, 10);
    bench.pass(Duration.ofSeconds(1));
    bench.call(SUCCESS);

    passAndTick(bench, Duration.ofSeconds(1).plus(GRACE));
    assertThat(bench.state()).isEqualTo(CLOSED);

    passAndTick(bench, Duration.ofSeconds(1));
    assertThat(bench.state()).as("none since").isEqualTo(OPEN);
  }

  @Test
  void aLargeShareOfHungCallsOpensByTheSlowCallRate() {
    // given so few calls that the hung ones are four fifths of them, and others still end
    Bench bench = Bench.withDefaults();
    bench.calls(4, SUCCESS);
    begin(bench, 16);
    bench.pass(SLOW);
    bench.call(IGNORED);

    passAndTick(bench, GRACE);

    assertThat(bench.state()).isEqualTo(OPEN);
    assertThat(bench.breaker.snapshot().lastTrip().reason())
        .startsWith("slow call rate 0.80 of 20");
  }

  @Test
  void aHungCallCountsOnceAndNotAgainWhenItEnds() {
    for (Outcome outcome : List.of(SUCCESS, FAILURE, IGNORED)) {
      Bench bench = Bench.withDefaults();
      bench.calls(100, SUCCESS);
      long start = bench.clock.get();
      long[] permits = begin(bench, 4);
      passAndTick(bench, SLOW.plus(GRACE));
      passAndTick(bench, GRACE);
      assertThat(bench.breaker.snapshot().window()).isEqualTo(new WindowCounts(104, 0, 4));

      for (long permit : permits) {
        endSlow(bench, permit, outcome, start);
      }
      bench.breaker.tick();

      BreakerSnapshot snapshot = bench.breaker.snapshot();
      assertThat(snapshot.window()).as("%s", outcome).isEqualTo(new WindowCounts(104, 0, 4));
      assertThat(snapshot.hung()).isEqualTo(4);
      assertThat(snapshot.late()).isZero();
      assertThat(snapshot.inFlight()).isZero();
      assertThat(snapshot.slow()).isEqualTo(outcome == IGNORED ? 0 : 4);
    }
  }

  @Test
  void hungCallsThatFailAreFailuresInARow() {
    // given a watch that sees each of them hang before it fails, as with a timeout of the same time
    Bench bench = Bench.withDefaults();
    for (int i = 0; i < 5; i++) {
      assertThat(bench.state()).isEqualTo(CLOSED);
      long start = bench.clock.get();
      long permit = bench.acquire();
      passAndTick(bench, SLOW.plus(GRACE));
      bench.breaker.complete(permit, FAILURE, start, new IllegalStateException("timed out"));
    }

    assertThat(bench.state()).isEqualTo(OPEN);
    Evidence evidence = bench.breaker.snapshot().lastTrip();
    assertThat(evidence.reason()).isEqualTo("5 consecutive failures");
    assertThat(evidence.calls()).isEqualTo(5);
    assertThat(evidence.slowCalls()).isEqualTo(5);
    assertThat(evidence.topErrors()).containsEntry("java.lang.IllegalStateException", 5L);
    assertThat(bench.breaker.snapshot().failures()).isEqualTo(5);
    assertThat(bench.breaker.snapshot().late()).isZero();
  }

  @Test
  void aHungCallThatEndsWellEndsTheRow() {
    Bench bench = Bench.withDefaults();
    bench.calls(4, FAILURE);
    long start = bench.clock.get();
    long permit = bench.acquire();
    passAndTick(bench, SLOW.plus(GRACE));
    endSlow(bench, permit, SUCCESS, start);

    bench.calls(4, FAILURE);
    assertThat(bench.state()).isEqualTo(CLOSED);
    bench.call(FAILURE);
    assertThat(bench.state()).isEqualTo(OPEN);
  }

  @Test
  void aSlowCallThatEndsBeforeTheWatchSeesItIsNotCountedByTheWatch() {
    Bench bench = Bench.withDefaults();
    long start = bench.clock.get();
    long[] permits = begin(bench, 6);
    bench.pass(SLOW.plus(GRACE));
    for (long permit : permits) {
      endSlow(bench, permit, SUCCESS, start);
    }
    bench.breaker.tick();
    assertThat(bench.breaker.snapshot().window()).isEqualTo(new WindowCounts(6, 0, 6));
    assertThat(bench.breaker.snapshot().hung()).isZero();
  }

  @Test
  void callsFromBeforeAPeriodDoNotCountInIt() {
    Bench bench = Bench.withDefaults();
    begin(bench, 5);
    passAndTick(bench, SLOW.plus(GRACE));
    assertThat(bench.state()).isEqualTo(OPEN);

    bench.breaker.reset("alice", "try again");
    passAndTick(bench, Duration.ofSeconds(5));

    assertThat(bench.state()).isEqualTo(CLOSED);
    assertThat(bench.breaker.snapshot().window().calls()).isZero();
    assertThat(bench.breaker.snapshot().inFlight()).isEqualTo(5);
  }

  @Test
  void withoutConsecutiveFailuresTheMinimumOfCallsMustHang() {
    Bench bench = new Bench(s -> s.consecutiveFailures(0).minimumCalls(30));
    begin(bench, 29);
    passAndTick(bench, SLOW.plus(GRACE));
    assertThat(bench.state()).isEqualTo(CLOSED);

    begin(bench, 1);
    passAndTick(bench, SLOW.plus(GRACE));
    assertThat(bench.state()).isEqualTo(OPEN);
  }

  @Test
  void aChangedSlowCallDurationHoldsForCallsInFlight() {
    Bench bench = Bench.withDefaults();
    begin(bench, 5);
    passAndTick(bench, Duration.ofMillis(50));
    bench.breaker.configure(
        bench.breaker.config().toBuilder().slowCallDuration(Duration.ofMillis(40)).build());
    bench.breaker.tick();
    assertThat(bench.state()).isEqualTo(OPEN);
  }

  // ---- a JVM that stands still

  /** A breaker with a heart that the test beats. */
  private static final class Beating {
    final Heartbeat heartbeat = new Heartbeat();
    final Bench bench = new Bench(s -> s, Workers.NONE, heartbeat);

    void live(Duration time) {
      for (long left = time.toMillis(); left > 0; left -= 50) {
        bench.pass(Duration.ofMillis(Math.min(50, left)));
        beat();
      }
    }

    void beat() {
      heartbeat.beat(bench.clock.get(), Duration.ofMillis(50).toNanos());
      bench.breaker.tick();
    }
  }

  @Test
  void timeInWhichTheJvmStoodStillIsNotHeldAgainstCalls() {
    // given calls in flight in a JVM that is stopped for longer than a slow call takes
    Beating jvm = new Beating();
    jvm.live(Duration.ofSeconds(1));
    long start = jvm.bench.clock.get();
    long[] permits = begin(jvm.bench, 20);
    jvm.bench.pass(Duration.ofSeconds(3));

    // when half of them end before the next beat and half after it
    for (int i = 0; i < 10; i++) {
      endSlow(jvm.bench, permits[i], SUCCESS, start);
    }
    jvm.beat();
    for (int i = 10; i < 15; i++) {
      endSlow(jvm.bench, permits[i], SUCCESS, start);
    }

    // then
    assertThat(jvm.bench.state()).isEqualTo(CLOSED);
    assertThat(jvm.bench.breaker.snapshot().slow()).isZero();
    assertThat(jvm.bench.breaker.snapshot().hung()).isZero();

    // and those that hang on get the full time from there
    jvm.live(Duration.ofMillis(1_950));
    assertThat(jvm.bench.state()).isEqualTo(CLOSED);
    jvm.live(Duration.ofMillis(150));
    assertThat(jvm.bench.state()).isEqualTo(OPEN);
  }

  @Test
  void aBeatThatIsALittleLateIsNoStandstill() {
    Beating jvm = new Beating();
    jvm.beat();
    begin(jvm.bench, 5);
    for (int i = 0; i < 15; i++) {
      jvm.bench.pass(Duration.ofMillis(140));
      jvm.beat();
    }
    assertThat(jvm.bench.state()).isEqualTo(OPEN);
  }

  @Test
  void moreCallsThanAThreadHasPlacesForAreWatchedAllTheSame() {
    Bench bench = new Bench(s -> s.consecutiveFailures(100));
    begin(bench, 100);
    passAndTick(bench, SLOW.plus(GRACE));
    assertThat(bench.state()).isEqualTo(OPEN);
    assertThat(bench.breaker.snapshot().lastTrip().hungCalls()).isEqualTo(100);
  }

  @Test
  void slotsAreUsedAgain() {
    Bench bench = Bench.withDefaults();
    for (int round = 0; round < 5_000; round++) {
      List<Long> permits = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        permits.add(bench.acquire());
        assertThat(Permits.slot(permits.get(i))).isNotEqualTo(InFlight.NO_SLOT);
      }
      permits.forEach(permit -> bench.complete(permit, SUCCESS));
    }
    assertThat(bench.breaker.snapshot().inFlight()).isZero();
  }
}
