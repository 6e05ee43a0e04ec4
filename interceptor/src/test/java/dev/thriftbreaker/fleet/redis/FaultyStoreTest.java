package dev.thriftbreaker.fleet.redis;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.Cause;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.LinkStatus.State;
import dev.thriftbreaker.fleet.StateStore;
import dev.thriftbreaker.fleet.StoreException;
import dev.thriftbreaker.fleet.StoreException.Kind;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.RedisClient;

/** A Redis whose answers are lost at the worst moment, or that holds what nobody expects. */
class FaultyStoreTest {

  private static final String KEY = "tb:{shop/inventory}";
  private static final String OVERRIDE = KEY + ":override";
  private static final Duration LONG = Duration.ofSeconds(15);

  private static RedisProcess redis;
  private RedisClient client;
  private final List<Instance> instances = new ArrayList<>();

  @BeforeAll
  static void startRedis() {
    redis = RedisProcess.start();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @BeforeEach
  void connect() {
    client = redis.client();
    client.flushAll();
  }

  @AfterEach
  void disconnect() {
    instances.forEach(Instance::close);
    client.close();
  }

  /** What happens in place of one method of the store. */
  private interface Fault {
    Object happen(Object[] arguments, Call real);
  }

  private interface Call {
    Object go();
  }

  private static StateStore store(String method, Fault fault) {
    return faulty(new RedisStore(redis.uri()), method, fault);
  }

  private static StateStore faulty(StateStore real, String method, Fault fault) {
    return (StateStore)
        Proxy.newProxyInstance(
            StateStore.class.getClassLoader(),
            new Class<?>[] {StateStore.class},
            (proxy, called, arguments) -> {
              Call call =
                  () -> {
                    try {
                      return called.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                      throw (RuntimeException) e.getCause();
                    } catch (IllegalAccessException e) {
                      throw new AssertionError(e);
                    }
                  };
              return called.getName().equals(method) ? fault.happen(arguments, call) : call.go();
            });
  }

  private static StoreException lost() {
    return new StoreException(Kind.UNREACHABLE, "read timed out", null);
  }

  private Instance start(String name) {
    return start(new RedisStore(redis.uri()), name).awaitReady();
  }

  private Instance start(StateStore store, String name) {
    return start(store, name, System::nanoTime);
  }

  private Instance start(StateStore store, String name, LongSupplier clock) {
    Instance instance = Instance.start(store, name, clock, config -> {});
    instances.add(instance);
    return instance;
  }

  private void awaitStored(String key, String field, String value) {
    await(key + " " + field + " " + value)
        .atMost(LONG)
        .until(() -> value.equals(client.hget(key, field)));
  }

  private static void awaitReads(Instance instance, int more) {
    long reads = instance.status().reconciles();
    await().atMost(LONG).until(() -> instance.status().reconciles() >= reads + more);
  }

  // ---- answers that are lost

  @Test
  void anOverrideThatIsTriedAgainDoesNotUndoAReleaseMadeSince() {
    Instance b = start("b");
    AtomicInteger tries = new AtomicInteger();
    StateStore lossy =
        store(
            "override",
            (arguments, real) -> {
              Object answer = real.go();
              if (tries.getAndIncrement() == 0) {
                b.awaitMode(Mode.FORCED_OPEN);
                b.sync.release("inventory", "bob", "no");
                throw lost();
              }
              return answer;
            });
    Instance a = start(lossy, "a").awaitReady();

    assertThatThrownBy(
            () -> a.sync.override("inventory", Mode.FORCED_OPEN, Duration.ofHours(1), "ann", "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("inventory: stored, but somebody decided otherwise since (no override)");

    assertThat(tries).hasValue(2);
    assertThat(client.hgetAll(OVERRIDE)).containsEntry("mode", "NONE").containsEntry("by", "bob");
    a.awaitMode(Mode.AUTO);
    b.awaitMode(Mode.AUTO);
  }

  @Test
  void anOverrideWhoseAnswerWasLostIsStoredOnceAndConfirmedByTheNextTry() {
    AtomicInteger tries = new AtomicInteger();
    StateStore lossy =
        store(
            "override",
            (arguments, real) -> {
              Object answer = real.go();
              if (tries.getAndIncrement() == 0) {
                throw lost();
              }
              return answer;
            });
    Instance a = start(lossy, "a").awaitReady();

    a.sync.override("inventory", Mode.SHADOW, Duration.ofHours(1), "ann", "x");

    assertThat(a.mode()).isEqualTo(Mode.SHADOW);
    assertThat(client.xlen(KEY + ":audit")).isEqualTo(1);
  }

  @Test
  void aRefusalAfterALostAnswerDoesNotSayThatNothingChanged() {
    AtomicInteger tries = new AtomicInteger();
    StateStore lossy =
        store(
            "override",
            (arguments, real) -> {
              if (tries.getAndIncrement() == 0) {
                real.go();
                throw lost();
              }
              throw new StoreException(Kind.READ_ONLY, "READONLY", null);
            });
    Instance a = start(lossy, "a").awaitReady();

    assertThatThrownBy(
            () -> a.sync.override("inventory", Mode.SHADOW, Duration.ofHours(1), "ann", "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("inventory: not confirmed: READONLY");
  }

  @Test
  void aTripWhoseAnswerWasLostGivesWayToALaterClosed() {
    Instance b = start("b");
    AtomicInteger tries = new AtomicInteger();
    StateStore lossy =
        store(
            "write",
            (arguments, real) -> {
              Object answer = real.go();
              if (tries.getAndIncrement() == 0) {
                b.awaitState(OPEN);
                b.breaker.reset("bob", "fixed");
                awaitStored(KEY, "st", "CLOSED");
                throw lost();
              }
              return answer;
            });
    Instance a = start(lossy, "a").awaitReady();

    a.trip();

    a.awaitState(CLOSED);
    a.awaitWritten();
    assertThat(client.hget(KEY, "ep")).isEqualTo(String.valueOf(a.epoch()));
    assertThat(client.hget(KEY, "st")).isEqualTo("CLOSED");
    assertThat(b.state()).isEqualTo(CLOSED);
  }

  @Test
  void aTimerDoesNotOverruleAFleetThatClosed() {
    Instance a = start("a");
    AtomicLong clock = new AtomicLong(1);
    StateStore deaf =
        store(
            "subscribe",
            (arguments, real) -> {
              throw new StoreException(Kind.UNREACHABLE, "no events", null);
            });
    AtomicBoolean blind = new AtomicBoolean();
    StateStore blindToo =
        faulty(
            deaf,
            "readAll",
            (arguments, real) -> {
              if (blind.get()) {
                throw lost();
              }
              return real.go();
            });
    Instance b = start(blindToo, "b", clock::get);
    a.trip();
    b.awaitState(OPEN);
    blind.set(true);
    b.awaitLink(State.DEGRADED);
    a.probeAndClose();
    awaitStored(KEY, "st", "CLOSED");

    clock.addAndGet(TimeUnit.SECONDS.toNanos(60));
    b.breaker.tick();
    blind.set(false);

    b.awaitState(CLOSED);
    await().atMost(LONG).until(() -> b.status().pendingWrites() == 0);
    assertThat(client.hget(KEY, "st")).isEqualTo("CLOSED");
    assertThat(b.status().writes()).isZero();
    assertThat(a.state()).isEqualTo(CLOSED);
  }

  // ---- what the store lost

  @Test
  void aReleaseThatWasLostIsWrittenAgain() {
    Instance a = start("a");
    a.sync.override("inventory", Mode.FORCED_OPEN, Duration.ofHours(1), "ann", "x");
    a.sync.release("inventory", "bob", "over");
    String version = client.hget(OVERRIDE, "ver");

    client.flushAll();

    awaitStored(OVERRIDE, "mode", "NONE");
    assertThat(client.hget(OVERRIDE, "ver")).isEqualTo(version);
  }

  // ---- what later versions wrote

  @ParameterizedTest
  @ValueSource(strings = {"mode", "v"})
  void anOverrideOfALaterVersionIsLeftAlone(String field) {
    Instance a = start("a");
    a.sync.override("inventory", Mode.SHADOW, Duration.ofHours(1), "ann", "x");
    client.hset(OVERRIDE, "by", "later");
    client.hset(OVERRIDE, field, field.equals("v") ? "2" : "LIMITED");
    Map<String, String> later = client.hgetAll(OVERRIDE);

    a.awaitAlarm("inventory: the stored override is ignored");
    awaitReads(a, 2);

    assertThatThrownBy(() -> a.sync.release("inventory", "ann", "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("inventory: nothing changed: ");
    assertThat(client.hgetAll(OVERRIDE)).isEqualTo(later);
    assertThat(a.mode()).isEqualTo(Mode.SHADOW);
    a.awaitAlarm("inventory: the stored override is ignored");
  }

  @Test
  void aStateOfALaterVersionIsLeftAlone() {
    Instance a = start("a");
    a.trip();
    a.awaitWritten();
    client.hset(KEY, "st", "MELTED");
    Map<String, String> later = client.hgetAll(KEY);

    a.awaitAlarm("inventory: the stored state is ignored");
    awaitReads(a, 2);
    a.breaker.reset("ann", "try");
    await().atMost(LONG).until(() -> a.status().pendingWrites() == 0);

    assertThat(client.hgetAll(KEY)).isEqualTo(later);
  }

  // ---- poison

  @Test
  void anEpochOfAFarFutureDoesNotStopTheFleet() {
    client.hset(
        KEY,
        Map.of(
            "v",
            "1",
            "ep",
            "9007199254740991",
            "st",
            "CLOSED",
            "since",
            "1",
            "until",
            "0",
            "n",
            "0"));
    client.hset(OVERRIDE, Map.of("ver", "9007199254740991", "mode", "NONE", "exp", "0"));
    Instance a = start("a");
    Instance b = start("b");

    a.trip();
    b.awaitState(OPEN);
    a.sync.override("inventory", Mode.SHADOW, Duration.ofHours(1), "ann", "x");
    b.awaitMode(Mode.SHADOW);

    assertThat(Long.parseLong(client.hget(KEY, "ep"))).isLessThan(9_007_199_254_740_991L);
    assertThat(a.epoch()).isEqualTo(b.epoch());
  }

  // ---- a newer CLOSED

  @Test
  void aNewerClosedOfTheFleetEmptiesTheWindowOfAClosedBreaker() {
    Instance a = start("a");
    for (int i = 0; i < 4; i++) {
      a.fail();
    }

    client.hset(
        KEY,
        Map.of(
            "v", "1", "ep", "5", "st", "CLOSED", "since", "1", "until", "0", "n", "0", "by", "b"));
    await().atMost(LONG).until(() -> a.epoch() == 5);

    a.fail();
    assertThat(a.state()).isEqualTo(CLOSED);
    assertThat(a.breaker.snapshot().cause()).isEqualTo(Cause.REMOTE);
    assertThat(a.transitions).isEmpty();
    for (int i = 0; i < 4; i++) {
      a.fail();
    }
    assertThat(a.state()).isEqualTo(OPEN);
  }

  // ---- alarms

  @Test
  void aKeyThatCannotBeWrittenIsAnAlarmUntilItCan() {
    client.set(KEY, "no hash");
    Instance a = start("a");
    a.trip();
    a.awaitAlarm("inventory: not written");

    client.del(KEY);
    a.breaker.reset("ann", "again");

    await().atMost(LONG).until(() -> a.status().alarms().isEmpty());
  }

  // ---- the link

  @Test
  void aSubscriptionThatIsDroppedAtOnceIsNotTriedInAStorm() {
    AtomicInteger subscriptions = new AtomicInteger();
    AtomicBoolean well = new AtomicBoolean();
    StateStore dropping =
        store(
            "subscribe",
            (arguments, real) -> {
              if (well.get()) {
                return real.go();
              }
              subscriptions.incrementAndGet();
              ((StateStore.Events) arguments[1]).subscribed();
              throw new StoreException(Kind.UNREACHABLE, "dropped", null);
            });
    Instance a = start(dropping, "a");

    a.awaitAlarm("events of the fleet are not received");

    // each wait is up to twice as long as the one before
    int before = subscriptions.get();
    awaitReads(a, 2);
    assertThat(subscriptions.get() - before).isLessThanOrEqualTo(3);
    well.set(true);
    await().atMost(LONG).until(() -> a.status().alarms().isEmpty());
    assertThat(a.status().subscribed()).isTrue();
  }

  @Test
  void anOptionalQuestionThatFailsCostsNothing() {
    long until = System.currentTimeMillis() + 60_000;
    client.hset(
        KEY,
        Map.of(
            "v",
            "1",
            "ep",
            "9",
            "st",
            "OPEN",
            "since",
            "1",
            "until",
            String.valueOf(until),
            "n",
            "1"));
    AtomicInteger asked = new AtomicInteger();
    StateStore curt =
        store(
            "warnings",
            (arguments, real) -> {
              asked.incrementAndGet();
              throw new StoreException(Kind.UNREACHABLE, "closed on CONFIG", null);
            });

    Instance a = start(curt, "a").awaitReady();

    a.awaitState(OPEN);
    awaitReads(a, 1);
    assertThat(asked).hasValue(1);
  }

  @Test
  void noPermissionForOneBreakerLeavesTheOthersInAgreement() {
    redis.acl(
        "SETUSER partly reset resetchannels on >pw ~tb:{shop/payments}* &tb:* -@all +evalsha +eval"
            + " +hmget +hset +xadd +publish +subscribe +unsubscribe +time +ping +client|setname");
    CircuitBreaker inventory = breaker("inventory");
    CircuitBreaker payments = breaker("payments");
    StateStore store = new RedisStore(URI.create("redis://partly:pw@127.0.0.1:" + redis.port()));
    try (FleetSync sync = new FleetSync(store, "shop", "a", List.of(inventory, payments))) {
      sync.start();
      trip(inventory);
      await()
          .atMost(LONG)
          .until(() -> sync.status().alarms().toString().contains("no permission to write"));
      trip(payments);

      awaitStored("tb:{shop/payments}", "st", "OPEN");
      assertThat(sync.status().pendingWrites()).isEqualTo(1);
      assertThat(sync.status().alarms().toString())
          .contains("inventory: the stored state is ignored: ")
          .contains("inventory: the stored override is ignored: ")
          .doesNotContain("payments: ");
    }
  }

  private static CircuitBreaker breaker(String name) {
    return new CircuitBreaker(
        name, BreakerConfig.builder().build(), System::nanoTime, () -> 0.5, () -> {});
  }

  private static void trip(CircuitBreaker breaker) {
    for (int i = 0; i < 5; i++) {
      long now = breaker.now();
      breaker.complete(breaker.tryAcquire(now), Outcome.FAILURE, now, null);
    }
    breaker.dispatch();
  }
}
