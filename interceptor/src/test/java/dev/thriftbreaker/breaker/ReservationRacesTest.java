package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.CircuitBreaker.REFUSED;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Reservations made, begun, given back and taken over at the same moment. */
@Timeout(60)
class ReservationRacesTest {

  private static final int ROUNDS = 4_000;
  private static final Duration INTERVAL = Duration.ofMillis(250);

  /** A half-open breaker with so many places. */
  private static Bench halfOpen(int probes) {
    return new Bench(s -> s.probes(probes)).tripAndWait();
  }

  private static Bench dueForAnEarlyProbe() {
    Bench bench = new Bench(s -> s.earlyProbeInterval(INTERVAL)).trip();
    bench.pass(INTERVAL);
    return bench;
  }

  /** The first call of a ramp may pass, the second may not. */
  private static Bench ramping() {
    Bench bench = new Bench(s -> s.rampInterval(INTERVAL)).tripAndWait();
    bench.calls(3, Outcome.SUCCESS);
    return bench;
  }

  /** Two requests at the door for one place. */
  private static final class OneReserves implements HeadOn.Round {
    private final Bench bench;
    private long first;
    private long second;

    OneReserves(Bench bench) {
      this.bench = bench;
    }

    @Override
    public void first() {
      first = bench.reserve();
    }

    @Override
    public void second() {
      second = bench.reserve();
    }

    @Override
    public void check() {
      assertThat(List.of(first, second)).containsOnlyOnce(REFUSED);
      long permit = bench.begin(Math.max(first, second));
      assertThat(permit).isPositive();
      bench.complete(permit, Outcome.IGNORED);
    }
  }

  @Test
  void twoRequestsRacingForOneProbeNeverBothPassTheDoor() throws Exception {
    HeadOn.run(ROUNDS, () -> new OneReserves(halfOpen(1)));
  }

  @Test
  void twoRequestsRacingForOneTurnNeverBothPassTheDoor() throws Exception {
    HeadOn.run(ROUNDS, () -> new OneReserves(dueForAnEarlyProbe()));
  }

  @Test
  void twoRequestsRacingForOneCallOfTheRampNeverBothPassTheDoor() throws Exception {
    HeadOn.run(ROUNDS, () -> new OneReserves(ramping()));
  }

  /** The call of the request itself, and one that takes over what it can get. */
  private static final class OneCalls implements HeadOn.Round {
    private final Bench bench;
    private final long reservation;
    private long first;
    private long second;

    OneCalls(Bench bench) {
      this.bench = bench;
      reservation = bench.reserve();
    }

    @Override
    public void first() {
      first = bench.begin(reservation);
    }

    @Override
    public void second() {
      second = bench.acquire();
    }

    @Override
    public void check() {
      assertThat(List.of(first, second)).containsOnlyOnce(REFUSED);
      assertThat(bench.breaker.snapshot().inFlight()).isEqualTo(1);
      bench.complete(Math.max(first, second), Outcome.IGNORED);
      assertThat(bench.breaker.snapshot().late()).isZero();
    }
  }

  @Test
  void aPlaceThatIsBegunAndTakenOverAtOnceGoesToOneCall() throws Exception {
    HeadOn.run(ROUNDS, () -> new OneCalls(halfOpen(1)));
  }

  @Test
  void aTurnThatIsBegunAndTakenOverAtOnceGoesToOneCall() throws Exception {
    HeadOn.run(ROUNDS, () -> new OneCalls(dueForAnEarlyProbe()));
  }

  @Test
  void aPlaceThatLapsesWhileItsCallBeginsGoesToItOrToAnother() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          Bench bench = halfOpen(1);
          long reservation = bench.reserve();
          bench.pass(bench.breaker.config().slowCallDuration());
          return new HeadOn.Round() {
            private long permit;
            private long other;

            @Override
            public void first() {
              permit = bench.begin(reservation);
            }

            @Override
            public void second() {
              bench.breaker.tick();
              other = bench.reserve();
            }

            @Override
            public void check() {
              // it may take over what the other has reserved, and then the other has nothing
              assertThat(permit).isPositive();
              assertThat(bench.state()).isEqualTo(BreakerState.HALF_OPEN);
              if (other != REFUSED) {
                assertThat(bench.begin(other)).isEqualTo(REFUSED);
              }
              bench.complete(permit, Outcome.IGNORED);
              assertThat(bench.breaker.snapshot().late()).isZero();
              assertThat(bench.reserve()).isPositive();
            }
          };
        });
  }

  @Test
  void aPlaceThatIsGivenBackWhileItIsTakenOverIsFreeOnceAfterwards() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          Bench bench = halfOpen(1);
          long reservation = bench.reserve();
          return new HeadOn.Round() {
            private long permit;

            @Override
            public void first() {
              bench.breaker.giveBack(reservation);
            }

            @Override
            public void second() {
              permit = bench.acquire();
            }

            @Override
            public void check() {
              if (permit >= 0) {
                assertThat(bench.reserve()).isEqualTo(REFUSED);
                bench.complete(permit, Outcome.IGNORED);
              }
              assertThat(bench.reserve()).isPositive();
              assertThat(bench.reserve()).isEqualTo(REFUSED);
            }
          };
        });
  }

  @Test
  void afterAStormOfReservationsEveryPlaceIsBack() throws Exception {
    int threads = 4;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      for (int round = 0; round < 30; round++) {
        Bench bench =
            new Bench(s -> s.probes(3).earlyProbeInterval(INTERVAL).rampInterval(INTERVAL));
        storm(bench, pool, threads, round);
        assertEveryPlaceIsBack(bench);
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private static void storm(Bench bench, ExecutorService pool, int threads, int round)
      throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(threads);
    AtomicInteger turns = new AtomicInteger();
    List<Future<?>> all = new ArrayList<>();
    for (int thread = 0; thread < threads; thread++) {
      SplittableRandom random = new SplittableRandom(31L * round + thread);
      all.add(
          pool.submit(
              () -> {
                barrier.await();
                for (int i = 0; i < 2_000; i++) {
                  request(bench, random);
                  if (turns.getAndIncrement() % 50 == 0) {
                    move(bench, random);
                  }
                }
                return null;
              }));
    }
    for (Future<?> one : all) {
      one.get();
    }
  }

  private static void request(Bench bench, SplittableRandom random) {
    CircuitBreaker breaker = bench.breaker;
    long reservation = breaker.reserve(breaker.now());
    long start = breaker.now();
    long permit;
    switch (random.nextInt(4)) {
      case 0 -> {
        breaker.giveBack(reservation);
        return;
      }
      case 1 -> {
        permit = breaker.tryAcquire(start);
        breaker.giveBack(reservation);
      }
      default -> permit = breaker.begin(reservation, start, true);
    }
    if (permit >= 0) {
      breaker.complete(permit, Outcome.values()[random.nextInt(3)], start, null);
    }
  }

  private static void move(Bench bench, SplittableRandom random) {
    bench.pass(Duration.ofMillis(random.nextInt(400)));
    BreakerState[] states = {BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED};
    bench.breaker.apply(
        bench.breaker.snapshot().sequence(),
        states[random.nextInt(3)],
        Duration.ofSeconds(1),
        1,
        "test",
        "storm");
    bench.breaker.tick();
  }

  private static void assertEveryPlaceIsBack(Bench bench) {
    BreakerSnapshot end = bench.breaker.snapshot();
    assertThat(end.inFlight()).isZero();
    assertThat(end.acquired()).isEqualTo(end.successes() + end.failures() + end.ignored());
    switch (bench.state()) {
      case HALF_OPEN -> {
        List<Long> permits = new ArrayList<>();
        for (long one = bench.reserve(); one != REFUSED; one = bench.reserve()) {
          permits.add(bench.begin(one));
        }
        assertThat(permits).hasSizeGreaterThanOrEqualTo(3).allMatch(permit -> permit >= 0);
      }
      case OPEN -> {
        bench.pass(Duration.ofSeconds(3)); // early probes come more rarely in a long open time
        assertThat(bench.begin(bench.reserve())).isPositive();
      }
      case RAMPING -> {
        bench.pass(INTERVAL);
        bench.breaker.tick();
        int passed = 0;
        double share = bench.breaker.snapshot().share();
        for (int i = 0; i < 1_000; i++) {
          if (bench.breaker.refuses(bench.clock.get())) {
            bench.breaker.countRefusal(bench.breaker.refusal(bench.clock.get()));
          } else {
            bench.breaker.begin(bench.reserve(), bench.clock.get(), false);
            passed++;
          }
        }
        assertThat(passed).isBetween((int) (share * 1_000) - 1, (int) (share * 1_000) + 1);
      }
      case CLOSED -> assertThat(bench.reserve()).isEqualTo(CircuitBreaker.NO_PLACE_NEEDED);
    }
  }
}
