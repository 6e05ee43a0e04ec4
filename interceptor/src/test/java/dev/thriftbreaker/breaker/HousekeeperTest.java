package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class HousekeeperTest {

  @Nested
  class ABreakerThatNobodyCalls {

    private final Bench bench = Bench.withDefaults();

    private void aQuietSecond() {
      bench.pass(Duration.ofSeconds(1));
      bench.breaker.tick();
    }

    private void rest() {
      aQuietSecond();
      aQuietSecond();
      assertThat(bench.breaker.rest()).isTrue();
    }

    @Test
    void restsWhenHardlyAnybodyCalledSinceTheTickBefore() {
      bench.call(Outcome.SUCCESS);
      bench.call(Outcome.SUCCESS);
      bench.breaker.tick();
      assertThat(bench.breaker.rest()).as("called twice").isFalse();
      bench.call(Outcome.SUCCESS);
      bench.breaker.tick();
      assertThat(bench.breaker.rest()).as("called once").isTrue();
      assertThat(bench.woken).isZero();
    }

    @Test
    void costsOneTickForEachCallIfTheseAreFar() {
      rest();
      for (int i = 1; i <= 3; i++) {
        bench.call(Outcome.SUCCESS);
        assertThat(bench.woken).isEqualTo(i);
        bench.breaker.tick();
        assertThat(bench.breaker.rest()).isTrue();
      }
    }

    @Test
    void isWokenByACallAndOnce() {
      rest();
      bench.call(Outcome.SUCCESS);
      bench.call(Outcome.SUCCESS);
      assertThat(bench.woken).isEqualTo(1);
    }

    @Test
    void isWokenByAnOperator() {
      rest();
      bench.breaker.reset("alice", "why not");
      assertThat(bench.woken).isEqualTo(1);
    }

    @Test
    void doesNotRestWhileACallIsInFlight() {
      bench.acquire();
      aQuietSecond();
      aQuietSecond();
      assertThat(bench.breaker.rest()).isFalse();
      assertThat(bench.woken).isZero();
    }

    @Test
    void doesNotRestWhileItsWindowHoldsFailures() {
      bench.call(Outcome.FAILURE);
      aQuietSecond();
      aQuietSecond();
      assertThat(bench.breaker.rest()).isFalse();
      bench.pass(Duration.ofSeconds(10));
      aQuietSecond();
      aQuietSecond();
      assertThat(bench.breaker.rest()).isTrue();
    }

    @Test
    void doesNotRestWhileItIsOpenOrOverridden() {
      bench.trip();
      aQuietSecond();
      aQuietSecond();
      assertThat(bench.breaker.rest()).isFalse();
    }

    /** A call that begins while the breaker goes to rest: one of the two sees the other. */
    @Test
    void neverRestsWithACallInFlight() throws Exception {
      HeadOn.run(
          4_000,
          () -> {
            Bench quiet = Bench.withDefaults();
            for (int i = 0; i < 2; i++) {
              quiet.pass(Duration.ofSeconds(1));
              quiet.breaker.tick();
            }
            return new HeadOn.Round() {
              private boolean rests;

              @Override
              public void first() {
                quiet.acquire();
              }

              @Override
              public void second() {
                rests = quiet.breaker.rest();
              }

              @Override
              public void check() {
                assertThat(quiet.woken).isEqualTo(rests ? 1 : 0);
              }
            };
          });
    }
  }

  @Test
  void aBreakerThatRestedIsTickedAgainOnceItIsCalled() throws Exception {
    try (Housekeeper housekeeper = new Housekeeper("rest", new Workers(null), false)) {
      housekeeper.start();
      CircuitBreaker breaker =
          housekeeper.breaker(
              "inventory",
              BreakerConfig.builder()
                  .slowCallDuration(Duration.ofMillis(100))
                  .consecutiveFailures(1)
                  .build());
      await().atMost(Duration.ofSeconds(20)).until(breaker::isResting);

      breaker.tryAcquire(breaker.now()); // and it hangs

      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> breaker.snapshot().state() == BreakerState.OPEN);
    }
  }

  @Nested
  class ACoarseClock {

    private final Housekeeper housekeeper = new Housekeeper("coarse", new Workers(null), true);

    @BeforeEach
    void start() {
      housekeeper.start();
    }

    @AfterEach
    void close() {
      housekeeper.close();
    }

    @Test
    void goesWithTheExactOneAndNeverBack() {
      CircuitBreaker breaker = housekeeper.breaker("inventory", BreakerConfig.DEFAULTS);
      long before = System.nanoTime();
      await().until(() -> breaker.now() - before > 0);
      long last = breaker.now();
      for (int i = 0; i < 1_000_000; i++) {
        long now = breaker.now();
        assertThat(now - last).isNotNegative();
        last = now;
      }
      assertThat(System.nanoTime() - last).isNotNegative();
    }

    @Test
    void countsCallsLikeTheExactOne() {
      CircuitBreaker breaker = housekeeper.breaker("inventory", BreakerConfig.DEFAULTS);
      for (int i = 0; i < 1_000; i++) {
        long start = breaker.now();
        breaker.complete(breaker.tryAcquire(start), Outcome.SUCCESS, start, null);
      }
      assertThat(breaker.snapshot().successes()).isEqualTo(1_000);
      assertThat(breaker.snapshot().window().calls()).isEqualTo(1_000);
      assertThat(breaker.latency().count()).isEqualTo(1_000);
      assertThat(breaker.snapshot().inFlight()).isZero();
    }
  }
}
