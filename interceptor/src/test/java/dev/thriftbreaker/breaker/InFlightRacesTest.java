package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that end while they are looked at, and places that many want at once. */
class InFlightRacesTest {

  private static final int ROUNDS = 8_000;
  private static final int THREADS = 8;
  private static final Duration HUNG = Duration.ofSeconds(2).plusNanos(InFlight.GRACE_NANOS);

  private final ExecutorService pool = Executors.newFixedThreadPool(THREADS);

  @AfterEach
  void stop() {
    pool.shutdownNow();
  }

  /** Calls begun on one thread: the first four in its cell, the fifth in a slot that all share. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5})
  void aCallThatEndsWhileTheWatchFindsItHangingCountsOnce(int calls) throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          Bench bench = Bench.withDefaults();
          long start = bench.clock.get();
          List<Long> permits = new ArrayList<>();
          for (int i = 0; i < calls; i++) {
            permits.add(bench.acquire());
          }
          bench.pass(HUNG);
          return new HeadOn.Round() {
            @Override
            public void first() {
              bench.breaker.complete(permits.get(calls - 1), Outcome.SUCCESS, start, null);
            }

            @Override
            public void second() {
              bench.breaker.countHung((JudgingState) bench.breaker.state(), bench.clock.get());
            }

            @Override
            public void check() {
              bench.breaker.countHung((JudgingState) bench.breaker.state(), bench.clock.get());
              BreakerSnapshot snapshot = bench.breaker.snapshot();
              assertThat(snapshot.window()).isEqualTo(new WindowCounts(calls, 0, calls));
              assertThat(snapshot.slow()).isEqualTo(1);
              assertThat(snapshot.inFlight()).isEqualTo(calls - 1);
            }
          };
        });
  }

  @Test
  void aWatchThatIsSlowDoesNotClaimACallAgainAfterTheNextOfItsSlot() {
    // given a slot whose call the watch has seen, but not claimed yet
    Bench bench = Bench.withDefaults();
    long first = bench.clock.get();
    long permit = bench.acquire();
    int slot = Permits.slot(permit);
    bench.pass(HUNG);

    // when the call ends, and a later one of the same slot hangs and ends too
    bench.breaker.complete(permit, Outcome.SUCCESS, first, null);
    long second = bench.clock.get();
    long next = bench.acquire();
    assertThat(Permits.slot(next)).isEqualTo(slot);
    bench.pass(HUNG);
    bench.breaker.complete(next, Outcome.SUCCESS, second, null);

    // then
    assertThat(bench.breaker.inFlight().claim(slot, first)).isFalse();
    assertThat(bench.breaker.inFlight().claim(slot, second)).isFalse();
  }

  @Test
  void twoThreadsGetTwoSlotsOfThoseThatAllShare() throws Exception {
    InFlight inFlight = new InFlight(new CellTable(owned -> {}));
    HeadOn.run(
        ROUNDS,
        () ->
            new HeadOn.Round() {
              private int first;
              private int second;

              @Override
              public void first() {
                first = inFlight.begin(null, 7);
              }

              @Override
              public void second() {
                second = inFlight.begin(null, 8);
              }

              @Override
              public void check() {
                assertThat(first).isNotEqualTo(second).isNotEqualTo(InFlight.NO_SLOT);
                inFlight.end(first);
                inFlight.end(second);
                inFlight.forEach(
                    (slot, start, thread) -> {
                      throw new AssertionError("left in slot " + slot);
                    });
              }
            });
  }

  @Test
  void twoThreadsRacingForTheLastPlaceNeverBothGetIt() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.maxConcurrentCalls(3));
          bench.acquire();
          bench.acquire();
          return new HeadOn.Round() {
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
            public void check() {
              assertThat(List.of(first, second)).containsOnlyOnce(CircuitBreaker.FULL);
              assertThat(bench.breaker.snapshot().inFlight()).isEqualTo(3);
            }
          };
        });
  }

  @Test
  void twoThreadsRacingForAnEarlyProbeNeverBothGetIt() throws Exception {
    HeadOn.run(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.earlyProbeInterval(Duration.ofMillis(250))).trip();
          bench.pass(Duration.ofMillis(250));
          return new HeadOn.Round() {
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
            public void check() {
              assertThat(List.of(first, second)).containsOnlyOnce(CircuitBreaker.REFUSED);
            }
          };
        });
  }

  @Test
  void noMoreCallsAreEverInFlightThanTheLimitSays() throws Exception {
    Bench bench = new Bench(s -> s.maxConcurrentCalls(3));
    AtomicInteger within = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    List<Future<?>> all = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      all.add(
          pool.submit(
              () -> {
                for (int i = 0; i < 50_000; i++) {
                  long permit = bench.acquire();
                  if (permit >= 0) {
                    most.accumulateAndGet(within.incrementAndGet(), Math::max);
                    within.decrementAndGet();
                    bench.complete(permit, Outcome.SUCCESS);
                  }
                }
              }));
    }
    for (Future<?> future : all) {
      future.get();
    }
    assertThat(most.get()).isBetween(1, 3);
    assertThat(bench.breaker.snapshot().inFlight()).isZero();
  }

  /**
   * Calls begin and end, some nested, some on another thread, with every outcome, while time
   * passes, the watch looks, operators act and settings change. Then everything must be back.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void afterAnyStormNothingIsInFlightAndEveryPlaceIsFree(long seed) throws Exception {
    Workers workers = new Workers(() -> 12);
    Bench bench =
        new Bench(
            s ->
                s.rampInterval(Duration.ofMillis(20))
                    .earlyProbeInterval(Duration.ofMillis(10))
                    .openDuration(Duration.ofMillis(100))
                    .slowCallDuration(Duration.ofMillis(30)),
            workers);
    workers.look();
    CircuitBreaker breaker = bench.breaker;
    ConcurrentLinkedQueue<Runnable> elsewhere = new ConcurrentLinkedQueue<>();
    AtomicBoolean over = new AtomicBoolean();
    List<Future<?>> callers = new ArrayList<>();
    for (int t = 0; t < THREADS - 2; t++) {
      SplittableRandom random = new SplittableRandom(seed * 100 + t);
      callers.add(
          pool.submit(
              () -> {
                for (int i = 0; i < 40_000; i++) {
                  call(bench, random, elsewhere, 0);
                }
              }));
    }
    Future<?> finisher =
        pool.submit(
            () -> {
              while (!over.get() || !elsewhere.isEmpty()) {
                Runnable next = elsewhere.poll();
                if (next != null) {
                  next.run();
                }
              }
            });
    Future<?> watch =
        pool.submit(
            () -> {
              SplittableRandom random = new SplittableRandom(seed);
              while (!over.get()) {
                bench.pass(Duration.ofMillis(random.nextInt(8)));
                breaker.tick();
                act(bench, random);
              }
            });
    for (Future<?> caller : callers) {
      caller.get();
    }
    over.set(true);
    finisher.get();
    watch.get();

    breaker.release("test", "over");
    BreakerSnapshot end = breaker.snapshot();
    assertThat(end.inFlight()).isZero();
    breaker
        .inFlight()
        .forEach(
            (slot, start, thread) -> {
              throw new AssertionError("left in slot " + slot);
            });
    assertThat(end.acquired()).isEqualTo(end.successes() + end.failures() + end.ignored());

    // every probe's place is free, and every place of the bulkhead
    breaker.reset("test", "closed");
    breaker.configure(breaker.config().toBuilder().maxConcurrentCalls(6).probes(5).build());
    breaker.tick();
    List<Long> permits = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      permits.add(bench.acquire());
    }
    assertThat(permits).allMatch(permit -> permit >= 0);
    assertThat(bench.acquire()).isEqualTo(CircuitBreaker.FULL);
    permits.forEach(permit -> bench.complete(permit, Outcome.SUCCESS));
    assertThat(breaker.snapshot().inFlight()).isZero();
  }

  private static void call(
      Bench bench, SplittableRandom random, ConcurrentLinkedQueue<Runnable> elsewhere, int depth) {
    CircuitBreaker breaker = bench.breaker;
    long start = breaker.now();
    if (random.nextInt(4) == 0) {
      breaker.refuses(start); // a door
    }
    long permit = breaker.tryAcquire(start, random.nextInt(8) != 0);
    if (permit < 0) {
      breaker.refusal(permit, start);
      return;
    }
    while (depth < 6 && random.nextInt(4) == 0) {
      call(bench, random, elsewhere, depth + 1);
    }
    Outcome outcome = Outcome.values()[random.nextInt(3)];
    if (random.nextInt(5) == 0) {
      elsewhere.add(() -> breaker.complete(permit, outcome, start, null));
    } else {
      breaker.complete(permit, outcome, start, null);
    }
  }

  private static void act(Bench bench, SplittableRandom random) {
    CircuitBreaker breaker = bench.breaker;
    switch (random.nextInt(40)) {
      case 0 -> breaker.reset("alice", "storm");
      case 1 -> breaker.probeNow("alice", "storm");
      case 2, 3, 4 ->
          breaker.override(
              new ModeOverride(
                  Mode.values()[1 + random.nextInt(3)],
                  bench.clock.get() + Duration.ofMillis(10).toNanos(),
                  "alice",
                  "storm",
                  false));
      case 5 ->
          breaker.configure(
              breaker.config().toBuilder()
                  .maxConcurrentCalls(random.nextInt(8))
                  .probes(1 + random.nextInt(5))
                  .build());
      case 6 ->
          breaker.apply(
              breaker.snapshot().sequence(),
              BreakerState.values()[random.nextInt(4)],
              Duration.ofMillis(20),
              1,
              "other",
              "storm");
      default -> breaker.snapshot();
    }
  }
}
