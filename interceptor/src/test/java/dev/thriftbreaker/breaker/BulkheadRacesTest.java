package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two threads within the same few instructions at the limit of calls in flight: what may come of it
 * is spelled out, and afterwards every place is free.
 */
class BulkheadRacesTest {

  private static final int ROUNDS = 3_000;

  private static String answer(long permit) {
    return permit == CircuitBreaker.FULL ? "full" : permit < 0 ? "refused" : "granted";
  }

  private static void completeIfGranted(Bench bench, long... permits) {
    for (long permit : permits) {
      if (permit >= 0) {
        bench.complete(permit, Outcome.SUCCESS);
      }
    }
  }

  /** How many calls get in under a limit that is set now; then they leave. */
  private static int places(Bench bench, int limit) {
    bench.breaker.configure(bench.breaker.config().toBuilder().maxConcurrentCalls(limit).build());
    List<Long> granted = new ArrayList<>();
    for (long permit = bench.acquire(); permit >= 0; permit = bench.acquire()) {
      granted.add(permit);
    }
    granted.forEach(permit -> bench.complete(permit, Outcome.SUCCESS));
    assertThat(bench.breaker.snapshot().inFlight()).isZero();
    return granted.size();
  }

  /** Four threads and one dependency, so two calls; each stands there before it looks. */
  @Test
  void twoCallsThatSeeEachOtherNeverBothGetTheLastPlaceOfAnAutomaticLimit() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Workers workers = new Workers(() -> 4);
          Bench bench = new Bench(s -> s, workers);
          workers.look();
          bench.pass(Duration.ofMillis(1));
          long held = bench.acquire();
          bench.pass(Duration.ofSeconds(1)); // in which no call has ended
          assertThat(bench.breaker.bulkhead().limit()).isEqualTo(2);
          return new HeadOn.Race() {
            private long first;
            private long second;
            private final AtomicInteger ready = new AtomicInteger();

            private long acquireAtOnce() {
              bench
                  .breaker
                  .cells()
                  .find(Thread.currentThread()); // to make a thread's cell takes longer than a call
              ready.incrementAndGet();
              for (int spins = 0; ready.get() < 2; spins++) {
                if (spins > 5_000) {
                  Thread.yield();
                }
              }
              return bench.acquire();
            }

            @Override
            public void first() {
              first = acquireAtOnce();
            }

            @Override
            public void second() {
              second = acquireAtOnce();
            }

            @Override
            public String outcome() {
              String outcome = answer(first) + ", " + answer(second);
              completeIfGranted(bench, held, first, second);
              assertThat(places(bench, 3)).isEqualTo(3);
              return outcome;
            }
          };
        },
        "granted, full",
        "full, granted",
        "full, full");
  }

  @Test
  void aCallThatComesWhenTheLastOneLeavesGetsItsPlaceOrNotAndNoPlaceIsLost() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.maxConcurrentCalls(2));
          long held = bench.acquire();
          long leaves = bench.acquire();
          return new HeadOn.Race() {
            private long permit;

            @Override
            public void first() {
              bench.complete(leaves, Outcome.SUCCESS);
            }

            @Override
            public void second() {
              permit = bench.acquire();
            }

            @Override
            public String outcome() {
              String outcome = answer(permit) + ", " + bench.breaker.snapshot().inFlight();
              completeIfGranted(bench, held, permit);
              return outcome + " in flight, then " + places(bench, 2) + " places";
            }
          };
        },
        "granted, 2 in flight, then 2 places",
        "full, 1 in flight, then 2 places");
  }

  @Test
  void callsThatAreRefusedWhileOthersLeaveTakeNoPlaceWithThem() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.maxConcurrentCalls(1));
          long held = bench.acquire();
          return new HeadOn.Race() {
            private long first;
            private long second;

            @Override
            public void first() {
              first = bench.acquire();
              bench.complete(held, Outcome.SUCCESS);
            }

            @Override
            public void second() {
              second = bench.acquire();
            }

            @Override
            public String outcome() {
              String outcome = answer(first) + ", " + answer(second);
              completeIfGranted(bench, first, second);
              return outcome + ", then " + places(bench, 2) + " places";
            }
          };
        },
        "full, full, then 2 places",
        "full, granted, then 2 places");
  }

  /** From one setting to the other while a call, or two, come and go. */
  @ParameterizedTest
  @CsvSource({"0, 2", "2, 0", "1, 2", "2, 1"})
  void aLimitThatChangesWhileCallsComeAndGoLosesNoPlace(int before, int after) throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench = new Bench(s -> s.maxConcurrentCalls(before));
          BreakerConfig next = bench.breaker.config().toBuilder().maxConcurrentCalls(after).build();
          long leaves = bench.acquire();
          return new HeadOn.Race() {
            private long permit;

            @Override
            public void first() {
              permit = bench.acquire();
              bench.complete(leaves, Outcome.SUCCESS);
              completeIfGranted(bench, permit);
            }

            @Override
            public void second() {
              bench.breaker.configure(next);
            }

            @Override
            public String outcome() {
              boolean mayBeFull = before == 1 || after == 1;
              assertThat(permit >= 0 || mayBeFull).isTrue();
              return places(bench, 3) + " places";
            }
          };
        },
        "3 places");
  }

  @Test
  void aProbeThatIsCountedThoughThereIsNoRoomLeavesItsPlaceWhenTheBreakerCloses() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Bench bench =
              new Bench(s -> s.maxConcurrentCalls(1).probes(2).probeSuccesses(1)).tripAndWait();
          long probe = bench.acquire();
          return new HeadOn.Race() {
            private long permit;

            @Override
            public void first() {
              bench.complete(probe, Outcome.SUCCESS);
            }

            @Override
            public void second() {
              permit = bench.acquire();
            }

            @Override
            public String outcome() {
              String outcome = bench.state() + ", " + answer(permit);
              completeIfGranted(bench, permit);
              return outcome + ", then " + places(bench, 2) + " places";
            }
          };
        },
        "CLOSED, granted, then 2 places");
  }

  /** More threads than the server has, so that some wait for others to end, and some in vain. */
  @Test
  void aStormOfCallsThatWaitForAPlaceLeavesNobodyInFlight() throws Exception {
    AtomicLong pauses = new AtomicLong();
    AtomicReference<Bench> made = new AtomicReference<>();
    Workers workers =
        new Workers(
            () -> 5,
            nanos -> {
              pauses.incrementAndGet();
              made.get().clock.addAndGet(nanos);
              Thread.yield();
            });
    Bench bench = new Bench(s -> s.consecutiveFailures(0).failureRateThreshold(1), workers);
    made.set(bench);
    workers.look();
    AtomicLong granted = new AtomicLong();
    AtomicLong full = new AtomicLong();

    List<CompletableFuture<Void>> callers = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(8);
    for (int caller = 0; caller < 8; caller++) {
      int seed = caller;
      callers.add(
          CompletableFuture.runAsync(
              () -> {
                SplittableRandom random = new SplittableRandom(seed);
                for (int i = 0; i < ROUNDS; i++) {
                  long permit = bench.acquire();
                  if (permit == CircuitBreaker.FULL) {
                    full.incrementAndGet();
                    continue;
                  }
                  assertThat(permit).isNotNegative();
                  granted.incrementAndGet();
                  bench.clock.addAndGet(random.nextInt(40_000_000));
                  Thread.yield();
                  bench.complete(permit, Outcome.values()[random.nextInt(3)]);
                }
              },
              threads));
    }
    for (CompletableFuture<Void> caller : callers) {
      caller.get(60, TimeUnit.SECONDS);
    }
    threads.shutdown();

    BreakerSnapshot snapshot = bench.breaker.snapshot();
    assertThat(pauses.get()).as("pauses").isPositive();
    assertThat(full.get()).isPositive().isEqualTo(snapshot.refusedFull());
    assertThat(granted.get() + full.get()).isEqualTo(8L * ROUNDS);
    assertThat(snapshot.acquired()).isEqualTo(granted.get());
    assertThat(snapshot.successes() + snapshot.failures() + snapshot.ignored())
        .isEqualTo(granted.get());
    assertThat(snapshot.inFlight()).isZero();
    assertThat(places(bench, 3)).isEqualTo(3);
  }
}
