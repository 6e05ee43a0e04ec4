package dev.thriftbreaker.fleet.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.StateStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.RedisClient;

/** An instance of so many breakers that reading them all takes a while. */
class ManyBreakersTest {

  private static final int BREAKERS = 1_200;
  private static final Duration LONG = Duration.ofSeconds(30);

  private static RedisProcess redis;
  private final List<CircuitBreaker> breakers = breakers();

  @BeforeAll
  static void startRedis() {
    redis = RedisProcess.start();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @BeforeEach
  void empty() {
    try (RedisClient client = redis.client()) {
      client.flushAll();
    }
  }

  private static List<CircuitBreaker> breakers() {
    List<CircuitBreaker> breakers = new ArrayList<>();
    for (int i = 0; i < BREAKERS; i++) {
      CircuitBreaker[] self = new CircuitBreaker[1];
      self[0] =
          new CircuitBreaker(
              "dependency" + i,
              BreakerConfig.builder().build(),
              System::nanoTime,
              () -> 0.5,
              () -> self[0].dispatch());
      breakers.add(self[0]);
    }
    return breakers;
  }

  private static void trip(CircuitBreaker breaker) {
    for (int i = 0; i < 5; i++) {
      long now = breaker.now();
      breaker.complete(breaker.tryAcquire(now), Outcome.FAILURE, now, null);
    }
  }

  /** The store, and what happens before each part of a reading. */
  private static StateStore store(Consumer<Collection<?>> beforePart) {
    StateStore real = new RedisStore(redis.uri());
    return (StateStore)
        Proxy.newProxyInstance(
            StateStore.class.getClassLoader(),
            new Class<?>[] {StateStore.class},
            (proxy, called, arguments) -> {
              if (called.getName().equals("readAll")) {
                beforePart.accept((Collection<?>) arguments[1]);
              }
              try {
                return called.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Test
  void allAreReadInPartsBeforeAnythingIsWritten() {
    List<Integer> parts = new CopyOnWriteArrayList<>();
    List<String> states = new CopyOnWriteArrayList<>();
    trip(breakers.get(0));
    trip(breakers.get(BREAKERS - 1));
    try (RedisClient client = redis.client();
        FleetSync sync =
            new FleetSync(
                store(
                    part -> {
                      parts.add(part.size());
                      states.add(String.valueOf(client.hget("tb:{shop/dependency0}", "st")));
                    }),
                "shop",
                "a",
                breakers)) {
      sync.start();
      await().atMost(LONG).until(() -> sync.status().reconciles() > 1);
      assertThat(parts.subList(0, 3)).containsExactly(500, 500, 200);
      assertThat(states.subList(0, 3)).containsOnly("null");
      assertThat(states.get(3)).isEqualTo("OPEN");
    }
  }

  @Test
  void anOpeningIsWrittenBetweenTwoPartsOfAReading() {
    CircuitBreaker last = breakers.get(BREAKERS - 1);
    List<String> states = new CopyOnWriteArrayList<>();
    FleetSync[] self = new FleetSync[1];
    try (RedisClient client = redis.client();
        FleetSync sync =
            new FleetSync(
                store(
                    part -> {
                      if (self[0].status().reconciles() == 1) {
                        states.add(
                            String.valueOf(client.hget("tb:{shop/" + last.name() + "}", "st")));
                        if (last.snapshot().state() == BreakerState.CLOSED) {
                          trip(last);
                        }
                      }
                    }),
                "shop",
                "a",
                breakers)) {
      self[0] = sync;
      sync.start();
      await().atMost(LONG).until(() -> sync.status().reconciles() > 1);
      assertThat(states).containsExactly("null", "OPEN", "OPEN");
    }
  }
}
