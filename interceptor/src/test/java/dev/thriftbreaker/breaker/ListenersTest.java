package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ListenersTest {

  @Test
  void aListenerThatThrowsHarmsNeitherTheOthersNorTheBreaker() {
    Bench bench = new Bench(s -> s);
    List<Transition> second = new ArrayList<>();
    bench.breaker.addListener(
        (Transition transition) -> {
          throw new IllegalStateException("broken listener");
        });
    bench.breaker.addListener((Transition transition) -> second.add(transition));
    bench.trip();
    bench.breaker.dispatch();
    assertThat(bench.heard).hasSize(1).isEqualTo(second);
  }

  @Test
  void aCallListenerHearsOfEveryCallAndMayThrow() {
    Bench bench = new Bench(s -> s);
    List<String> heard = new ArrayList<>();
    bench.breaker.addListener(
        new CallListener() {
          @Override
          public void onCompleted(
              String breaker, Outcome outcome, boolean slow, long durationNanos, Throwable error) {
            heard.add(
                outcome + (slow ? " slow" : "") + (error == null ? "" : " " + error.getMessage()));
            throw new IllegalStateException("broken listener");
          }

          @Override
          public void onRefused(Refusal refusal) {
            heard.add("refused " + refusal.reason());
          }
        });
    bench.call(Outcome.SUCCESS, Duration.ofSeconds(2));
    bench.call(Outcome.IGNORED);
    bench.trip();
    assertThat(bench.refused()).isTrue();
    assertThat(heard)
        .containsExactly(
            "SUCCESS slow",
            "IGNORED",
            "FAILURE down",
            "FAILURE down",
            "FAILURE down",
            "FAILURE down",
            "FAILURE down",
            "refused OPEN");
  }

  @Test
  void theHousekeeperTicksAndTellsEvenWhileAListenerBlocks() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    CountDownLatch unblock = new CountDownLatch(1);
    try (Housekeeper housekeeper = new Housekeeper("test")) {
      CircuitBreaker breaker =
          housekeeper.breaker(
              "inventory", BreakerConfig.builder().openDuration(Duration.ofMillis(50)).build());
      breaker.addListener(
          (Transition transition) -> {
            blocked.countDown();
            try {
              unblock.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      for (int i = 0; i < 5; i++) {
        long now = breaker.now();
        breaker.complete(breaker.tryAcquire(now), Outcome.FAILURE, now, now, null);
      }
      blocked.await();
      await().until(() -> breaker.snapshot().state() == BreakerState.HALF_OPEN);
      unblock.countDown();
    }
    await()
        .until(() -> Thread.getAllStackTraces().keySet().stream().noneMatch(ListenersTest::ours));
  }

  private static boolean ours(Thread thread) {
    return thread.getName().matches("thrift-breaker-(tick|events)-test");
  }

  @Test
  void timeInOpenAndOpeningsAreCounted() {
    Bench bench = new Bench(s -> s).tripAndWait();
    bench.call(Outcome.FAILURE);
    bench.pass(Duration.ofSeconds(4));
    BreakerSnapshot snapshot = bench.breaker.snapshot();
    assertThat(snapshot.opened()).isEqualTo(2);
    assertThat(snapshot.openNanosTotal()).isEqualTo(Duration.ofSeconds(9).toNanos());
  }
}
