package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
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
    bench.calls(2, Outcome.SUCCESS);
    bench.call(Outcome.IGNORED);
    bench.trip();
    assertThat(bench.refused()).isTrue();
    assertThat(heard)
        .containsExactly(
            "SUCCESS slow",
            "SUCCESS",
            "SUCCESS",
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
    try (Housekeeper housekeeper = new Housekeeper("test", new Workers(null), false)) {
      housekeeper.start();
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
        breaker.complete(breaker.tryAcquire(now), Outcome.FAILURE, now, null);
      }
      blocked.await();
      await().until(() -> breaker.snapshot().state() == BreakerState.HALF_OPEN);
      unblock.countDown();
    }
    await()
        .until(() -> Thread.getAllStackTraces().keySet().stream().noneMatch(ListenersTest::ours));
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void sneakily(Throwable thrown) throws E {
    throw (E) thrown;
  }

  @Test
  void aListenerThatThrowsACheckedExceptionOrInterruptsItselfStopsNobody() {
    List<BreakerState> heard = new CopyOnWriteArrayList<>();
    try (Housekeeper housekeeper = new Housekeeper("test", new Workers(null), false)) {
      housekeeper.start();
      CircuitBreaker breaker = housekeeper.breaker("inventory", BreakerConfig.DEFAULTS);
      breaker.addListener(
          (Transition transition) -> {
            Thread.currentThread().interrupt();
            ListenersTest.<RuntimeException>sneakily(new IOException("checked"));
          });
      breaker.addListener((Transition transition) -> heard.add(transition.to()));
      breaker.addListener(
          new CallListener() {
            @Override
            public void onCompleted(
                String name, Outcome outcome, boolean slow, long nanos, Throwable error) {
              ListenersTest.<RuntimeException>sneakily(new IOException("checked"));
            }
          });
      for (int i = 0; i < 5; i++) {
        long now = breaker.now();
        breaker.complete(breaker.tryAcquire(now), Outcome.FAILURE, now, null);
      }
      await().until(() -> heard.contains(BreakerState.OPEN));
      breaker.reset("kim", "again");
      await().until(() -> heard.contains(BreakerState.CLOSED));
    }
  }

  @Test
  void closeTellsWhatHappenedBeforeAndDoesNotWaitForAListenerThatBlocks() throws Exception {
    CountDownLatch unblock = new CountDownLatch(1);
    List<Transition> heard = new CopyOnWriteArrayList<>();
    Housekeeper housekeeper = new Housekeeper("test", new Workers(null), false);
    housekeeper.start();
    CircuitBreaker calm = housekeeper.breaker("calm", BreakerConfig.DEFAULTS);
    calm.addListener((Transition transition) -> heard.add(transition));
    calm.probeNow("kim", "no-op");
    calm.apply(0, BreakerState.OPEN, Duration.ofSeconds(9), 1, "b", "down");
    housekeeper.close();
    assertThat(heard).hasSize(1);

    Housekeeper blocked = new Housekeeper("test", new Workers(null), false);
    blocked.start();
    for (String name : List.of("a", "b")) {
      CircuitBreaker breaker = blocked.breaker(name, BreakerConfig.DEFAULTS);
      breaker.addListener(
          (Transition transition) -> {
            try {
              unblock.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      breaker.apply(0, BreakerState.OPEN, Duration.ofSeconds(9), 1, "b", "down");
    }
    Thread closing = new Thread(blocked::close);
    closing.start();
    closing.join(10_000);
    assertThat(closing.isAlive()).isFalse();
    unblock.countDown();
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
