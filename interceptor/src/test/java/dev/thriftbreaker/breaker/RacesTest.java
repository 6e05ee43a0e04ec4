package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many rounds of threads let loose at once at the places where a race would show. */
class RacesTest {

  private static final int THREADS = 8;

  private final ExecutorService pool = Executors.newFixedThreadPool(THREADS);

  @AfterEach
  void stop() {
    pool.shutdownNow();
  }

  private <T> List<T> allAtOnce(Callable<T> work) throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(THREADS);
    List<Future<T>> futures = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      futures.add(
          pool.submit(
              () -> {
                barrier.await();
                return work.call();
              }));
    }
    List<T> results = new ArrayList<>();
    for (Future<T> future : futures) {
      results.add(future.get());
    }
    return results;
  }

  private static final int ROUNDS = 8_000;

  private static long granted(List<Long> permits) {
    return permits.stream().filter(p -> p != CircuitBreaker.REFUSED).distinct().count();
  }

  /** Both threads ask for a permit; one of them must get it. */
  private static final class OneGets implements HeadOn.Round {
    private final Bench bench;
    private long first;
    private long second;

    OneGets(Bench bench) {
      this.bench = bench;
    }

    @Override
    public void first() {
      first = bench.acquire();
    }

    @Override
    public void second() {
      second = bench.acquire();
    }

    @Override
    public void check() {
      assertThat(List.of(first, second)).containsOnlyOnce(CircuitBreaker.REFUSED);
      assertThat(bench.breaker.snapshot().sequence()).isEqualTo(2);
    }
  }

  @Test
  void twoThreadsRacingForOneProbeNeverBothGetIt() throws Exception {
    HeadOn.run(ROUNDS, () -> new OneGets(new Bench(s -> s.probes(1)).tripAndWait()));
  }

  @Test
  void twoThreadsThatFindTheOpenTimeOverShareOneProbe() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.probes(1)).trip();
          bench.pass(Duration.ofSeconds(5));
          return new OneGets(bench);
        });
  }

  @Test
  void aLapsedProbeFailsOnceAndItsPlaceGoesToOneThreadOnly() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          // one failed probe is tolerated, two are not
          Bench bench = new Bench(s -> s.probes(2).probeFailureRateThreshold(1)).tripAndWait();
          bench.acquire();
          bench.pass(Duration.ofSeconds(1));
          bench.acquire();
          bench.pass(Duration.ofSeconds(1));
          return new OneGets(bench);
        });
  }

  @Test
  void oneProbeCompletedByTwoThreadsCountsOnce() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.probeSuccesses(2)).tripAndWait();
          long permit = bench.acquire();
          return new HeadOn.Round() {
            @Override
            public void first() {
              bench.complete(permit, Outcome.SUCCESS);
            }

            @Override
            public void second() {
              bench.complete(permit, Outcome.SUCCESS);
            }

            @Override
            public void check() {
              assertThat(bench.state()).isEqualTo(BreakerState.HALF_OPEN);
            }
          };
        });
  }

  @Test
  void aSliceThatTwoThreadsBeginAtOnceLosesNoCall() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          TimeWindow window =
              new TimeWindow(new CellTable(owned -> {}), 1, Duration.ofSeconds(10).toNanos(), 0);
          return new HeadOn.Round() {
            @Override
            public void first() {
              window.recordBad(true, false, 0);
            }

            @Override
            public void second() {
              window.recordBad(true, false, 0);
            }

            @Override
            public void check() {
              assertThat(window.counts(0)).isEqualTo(new WindowCounts(2, 2, 0));
            }
          };
        });
  }

  @Test
  void twoCallsAtOnePlaceOfACountWindowLeaveTheSumsEqualToTheRing() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          CountWindow window = new CountWindow(1);
          window.recordBad(true, true, 0);
          return new HeadOn.Round() {
            @Override
            public void first() {
              window.recordBad(false, true, 0);
            }

            @Override
            public void second() {
              window.recordBad(false, true, 0);
            }

            @Override
            public void check() {
              assertThat(window.counts(0)).isEqualTo(new WindowCounts(1, 0, 1));
            }
          };
        });
  }

  @Test
  void manyThreadsGetExactlyThePermittedNumberOfProbes() throws Exception {
    for (int round = 0; round < 1_000; round++) {
      int probes = 1 + round % 3;
      Bench bench = new Bench(s -> s.probes(probes)).trip();
      bench.pass(Duration.ofSeconds(5));
      assertThat(granted(allAtOnce(bench::acquire))).isEqualTo(probes);
    }
  }

  @Test
  void oneOfManyThreadsMakesEachTransition() throws Exception {
    for (int round = 0; round < 2_000; round++) {
      Bench bench = Bench.withDefaults();
      bench.calls(4, Outcome.FAILURE);
      List<Long> permits = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        permits.add(bench.acquire());
      }
      AtomicInteger next = new AtomicInteger();
      allAtOnce(
          () -> {
            bench.complete(permits.get(next.getAndIncrement()), Outcome.FAILURE);
            return null;
          });
      assertThat(bench.story()).isEqualTo("CLOSED>OPEN/LOCAL");
      BreakerSnapshot snapshot = bench.breaker.snapshot();
      assertThat(snapshot.opened()).isEqualTo(1);
      assertThat(snapshot.failures()).isEqualTo(4 + THREADS);
    }
  }

  @Test
  void aPermitObjectCompletesOnceWhoeverCompletesIt() throws Exception {
    for (int round = 0; round < 500; round++) {
      Bench bench = Bench.withDefaults();
      Permit permit = bench.breaker.tryAcquire().orElseThrow();
      allAtOnce(
          () -> {
            permit.failure(null);
            permit.close();
            return null;
          });
      BreakerSnapshot snapshot = bench.breaker.snapshot();
      assertThat(snapshot.failures() + snapshot.ignored()).isEqualTo(1);
      assertThat(snapshot.inFlight()).isZero();
    }
  }

  @Test
  void aStormOfCallsAndOperatorsLosesNoPermitAndTellsEachTransitionOnceInOrder() throws Exception {
    // given a breaker whose clock runs fast, so that every state comes round often
    AtomicLong clock = new AtomicLong();
    List<Transition> heard = new ArrayList<>();
    CircuitBreaker breaker =
        new CircuitBreaker(
            "inventory",
            BreakerConfig.builder().minimumCalls(4).slowCallDuration(Duration.ofMillis(3)).build(),
            () -> clock.addAndGet(50_000),
            () -> 0.5,
            () -> {});
    breaker.addListener((Transition transition) -> heard.add(transition));

    // when calls, late completions, operators, ticks and dispatches all run at once
    AtomicInteger worker = new AtomicInteger();
    allAtOnce(
        () -> {
          int me = worker.getAndIncrement();
          SplittableRandom random = new SplittableRandom(me);
          List<Runnable> pending = new ArrayList<>();
          for (int i = 0; i < 20_000; i++) {
            long start = breaker.now();
            long permit = breaker.tryAcquire(start);
            if (permit != CircuitBreaker.REFUSED) {
              Outcome outcome = Outcome.values()[random.nextInt(3)];
              pending.add(() -> breaker.complete(permit, outcome, start, null));
            }
            if (pending.size() > random.nextInt(8)) {
              pending.remove(random.nextInt(pending.size())).run();
            }
            switch (random.nextInt(200)) {
              case 0 -> breaker.tick();
              case 1 -> breaker.reset("op", "storm");
              case 2 -> breaker.probeNow("op", "storm");
              case 3 ->
                  breaker.apply(
                      breaker.snapshot().sequence(),
                      BreakerState.OPEN,
                      Duration.ofMillis(2),
                      1,
                      "b",
                      "storm");
              case 4 ->
                  breaker.override(
                      new ModeOverride(
                          Mode.values()[1 + random.nextInt(3)],
                          breaker.now() + 5_000_000,
                          "op",
                          "storm",
                          false));
              case 5 -> breaker.release("op", "storm");
              default -> {}
            }
            if (random.nextInt(50) == 0) {
              breaker.dispatch();
            }
          }
          pending.forEach(Runnable::run);
          return null;
        });
    breaker.dispatch();

    // then
    BreakerSnapshot snapshot = breaker.snapshot();
    assertThat(snapshot.acquired())
        .isEqualTo(snapshot.successes() + snapshot.failures() + snapshot.ignored());
    assertThat(snapshot.opened()).isGreaterThan(10);
    assertThat(heard).hasSize((int) snapshot.sequence());
    for (int i = 0; i < heard.size(); i++) {
      Transition transition = heard.get(i);
      assertThat(transition.sequence()).isEqualTo(i + 1);
      if (i > 0) {
        assertThat(transition.from()).isEqualTo(heard.get(i - 1).to());
        assertThat(transition.fromMode()).isEqualTo(heard.get(i - 1).toMode());
      }
    }

    // and the permits of a new half-open period are all there
    breaker.release("op", "over");
    breaker.apply(breaker.snapshot().sequence(), BreakerState.OPEN, Duration.ZERO, 1, "b", "over");
    breaker.tick();
    long now = breaker.now();
    for (int i = 0; i < breaker.config().probes(); i++) {
      assertThat(breaker.tryAcquire(now)).isNotEqualTo(CircuitBreaker.REFUSED);
    }
    assertThat(breaker.tryAcquire(now)).isEqualTo(CircuitBreaker.REFUSED);
  }

  @Test
  void windowsLoseNoCountWhileThreadsRecord() throws Exception {
    CellTable cells = new CellTable(owned -> {});
    TimeWindow time = new TimeWindow(cells, 1, Duration.ofSeconds(10).toNanos(), 0);
    CountWindow count = new CountWindow(1_000);
    allAtOnce(
        () -> {
          Cell mine = cells.find(Thread.currentThread());
          for (int i = 0; i < 10_000; i++) {
            boolean failed = i % 2 == 0;
            boolean slow = i % 5 == 0;
            if (failed || slow) {
              time.recordBad(failed, slow, i * 900_000L);
              count.recordBad(failed, slow, 0);
            } else {
              time.recordGood(mine, i * 900_000L);
              count.recordGood(mine, 0);
            }
          }
          return null;
        });
    assertThat(time.counts(Duration.ofSeconds(9).toNanos()))
        .isEqualTo(new WindowCounts(THREADS * 10_000L, THREADS * 5_000L, THREADS * 2_000L));
    WindowCounts last = count.counts(0);
    assertThat(last.calls()).isEqualTo(1_000);
    // the sums must equal the ring, so a full turn of good calls brings them back to zero
    for (int i = 0; i < 1_000; i++) {
      count.recordGood(null, 0);
    }
    assertThat(count.counts(0)).isEqualTo(new WindowCounts(1_000, 0, 0));
  }
}
