package dev.thriftbreaker.fleet.redis;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.HALF_OPEN;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.fleet.LinkStatus.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.RedisClient;

/** Redis is absent, killed, hung, emptied, full of rubbish. */
class FaultTest {

  private static final String KEY = "tb:{shop/inventory}";
  private static final Duration LONG = Duration.ofSeconds(15);

  private RedisProcess redis;
  private final List<Instance> instances = new ArrayList<>();

  @AfterEach
  void end() {
    instances.forEach(Instance::close);
    redis.close();
  }

  private Instance start(String name) {
    Instance instance = Instance.start(redis.uri(), name);
    instances.add(instance);
    return instance;
  }

  private void close(Instance instance) {
    instance.close();
    instances.remove(instance);
  }

  private String field(String key, String name) {
    try (RedisClient client = redis.client()) {
      return client.hget(key, name);
    }
  }

  // ---- absent, killed, hung

  @Test
  void absentAtStartBreakersGoOnLocallyAndTheFirstContactSharesWhatIsStillTrue() {
    redis = RedisProcess.stopped();
    Instance a = start("a");
    Instance b = start("b");
    a.trip();
    assertThat(a.state()).isEqualTo(OPEN);
    a.awaitLink(State.DEGRADED);
    assertThat(a.status().lastSuccessWallMillis()).isZero();
    assertThat(a.status().lastError()).isNotBlank();
    await().until(() -> a.status().pendingWrites() == 1);
    assertThatThrownBy(
            () -> a.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(1), "ann", "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("inventory: nothing changed: no link to the fleet's store: ");
    assertThat(a.mode()).isEqualTo(Mode.AUTO);

    redis.restart();

    a.awaitReady();
    b.awaitReady();
    b.awaitState(OPEN);
    a.awaitWritten();
    assertThat(field(KEY, "st")).isEqualTo("OPEN");
    assertThat(a.status().alarms()).isEmpty();
  }

  @Test
  void killedAndStartedAgainEmptyTheSurvivorsWriteAgainWhatTheyKnow() {
    redis = RedisProcess.start();
    Instance a = start("a").awaitReady();
    Instance b = start("b").awaitReady();
    a.trip();
    b.awaitState(OPEN);
    b.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(5), "ann", "drill");
    a.awaitMode(Mode.SHADOW);
    a.awaitWritten();
    long epoch = a.epoch();

    redis.kill();
    a.awaitLink(State.DEGRADED);
    b.awaitLink(State.DEGRADED);
    assertThat(a.status().subscribed()).isFalse();
    assertThat(a.mode()).isEqualTo(Mode.SHADOW);

    redis.restart();
    a.awaitReady();
    b.awaitReady();

    await().atMost(LONG).until(() -> "OPEN".equals(field(KEY, "st")));
    await().atMost(LONG).until(() -> "SHADOW".equals(field(KEY + ":override", "mode")));
    assertThat(field(KEY, "ep")).isEqualTo(String.valueOf(epoch));
    assertThat(a.epoch()).isEqualTo(epoch);
    assertThat(b.epoch()).isEqualTo(epoch);
    assertThat(a.status().repairs() + b.status().repairs()).isEqualTo(2);
    assertThat(a.status().alarms().toString() + b.status().alarms())
        .contains("the store lost epoch " + epoch);
    assertThat(a.state()).isEqualTo(OPEN);
    assertThat(b.state()).isEqualTo(OPEN);
    // and the link works again in both directions
    b.breaker.probeNow("ann", "try it");
    a.awaitState(HALF_OPEN);
  }

  @Test
  void aRecoveryDuringAnOutageIsStoredAfterItAlsoIfItsRampIsOver() {
    redis = RedisProcess.start();
    AtomicLong clock = new AtomicLong();
    Instance a =
        Instance.start(
            redis.uri(), "a", clock::get, config -> config.rampInterval(Duration.ofMillis(250)));
    instances.add(a);
    a.awaitReady().trip();
    a.awaitWritten();
    redis.hang();
    a.awaitLink(State.DEGRADED);

    a.probeAndClose();
    for (int i = 0; i < 4; i++) {
      clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(250));
      a.breaker.tick();
    }
    assertThat(a.state()).isEqualTo(CLOSED);
    redis.resume();

    await().atMost(LONG).until(() -> "CLOSED".equals(field(KEY, "st")));
    assertThat(a.state()).isEqualTo(CLOSED);
  }

  @Test
  void hungAndResumedLosesNothing() {
    redis = RedisProcess.start();
    Instance a = start("a").awaitReady();
    Instance b = start("b").awaitReady();

    redis.hang();
    a.trip();
    assertThat(a.state()).isEqualTo(OPEN);
    a.awaitLink(State.DEGRADED);
    b.awaitLink(State.DEGRADED);
    assertThat(a.status().pendingWrites()).isEqualTo(1);
    long start = System.nanoTime();
    assertThatThrownBy(
            () -> a.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(1), "ann", "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("nothing changed");
    assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(5));

    redis.resume();

    a.awaitReady();
    b.awaitReady();
    b.awaitState(OPEN);
    a.awaitWritten();
    assertThat(a.epoch()).isEqualTo(b.epoch());
    // the writes that were thought to have failed were executed once at most
    try (RedisClient client = redis.client()) {
      assertThat(client.xlen(KEY + ":audit")).isEqualTo(1);
    }
    assertThat(a.status().alarms()).isEmpty();
  }

  @Test
  void flushedWhileAllAreConnectedTheStateComesBack() {
    redis = RedisProcess.start();
    Instance a = start("a").awaitReady();
    Instance b = start("b").awaitReady();
    a.trip();
    b.awaitState(OPEN);

    try (RedisClient client = redis.client()) {
      client.flushAll();
    }

    await().atMost(LONG).until(() -> "OPEN".equals(field(KEY, "st")));
    // the first to notice writes it again and so spares the other
    assertThat(a.status().alarms().toString() + b.status().alarms())
        .contains("the store lost epoch");
    assertThat(a.state()).isEqualTo(OPEN);
    assertThat(b.state()).isEqualTo(OPEN);
    await().atMost(LONG).until(() -> a.status().repairs() + b.status().repairs() == 1);
  }

  @Test
  void aNewcomerAfterALossDoesNotOutrankTheSurvivors() {
    redis = RedisProcess.start();
    Instance a = start("a").awaitReady();
    a.trip();
    a.probeAndClose();
    a.awaitWritten();
    await().until(() -> a.state() == CLOSED && "CLOSED".equals(field(KEY, "st")));
    long epoch = a.epoch();

    redis.hang(); // a may not be first
    a.awaitLink(State.DEGRADED);
    redis.kill();
    redis.restart();
    Instance newcomer = start("newcomer").awaitReady();
    newcomer.trip();
    newcomer.awaitWritten();

    // the newcomer's trip is at epoch 1, or above a's if a was faster to repair
    a.awaitReady();
    await()
        .atMost(LONG)
        .until(() -> a.epoch() == newcomer.epoch() && a.state() == newcomer.state());
    assertThat(a.epoch()).isGreaterThanOrEqualTo(epoch);
  }

  // ---- stale states

  @Test
  void aTripFromBeforeTheFleetMovedOnIsNotReplayed() {
    redis = RedisProcess.stopped();
    AtomicLong clock = new AtomicLong();
    Instance a = Instance.start(redis.uri(), "a", clock::get, config -> {});
    instances.add(a);
    a.trip();
    a.awaitLink(State.DEGRADED);
    clock.addAndGet(TimeUnit.SECONDS.toNanos(30));

    // meanwhile others, who had a link, closed it: 10 s ago
    redis.restart();
    try (RedisClient client = redis.client()) {
      client.hset(
          KEY,
          Map.of(
              "v", "1",
              "ep", String.valueOf(System.currentTimeMillis()),
              "st", "CLOSED",
              "since", String.valueOf(System.currentTimeMillis() - 10_000),
              "until", "0",
              "n", "0"));
    }

    a.awaitState(CLOSED);
    a.awaitReady();
    assertThat(a.status().pendingWrites()).isZero();
    assertThat(a.status().writes()).isZero();
    assertThat(field(KEY, "st")).isEqualTo("CLOSED");
  }

  @Test
  void aTripThatIsNewerThanTheFleetsStateIsWrittenAfterTheOutage() {
    redis = RedisProcess.start();
    Instance b = start("b").awaitReady();
    b.trip();
    b.probeAndClose();
    await().until(() -> "CLOSED".equals(field(KEY, "st")));
    AtomicLong clock = new AtomicLong();
    redis.hang();
    Instance a = Instance.start(redis.uri(), "a", clock::get, config -> {});
    instances.add(a);
    a.trip();
    a.awaitLink(State.DEGRADED);

    redis.resume();

    b.awaitState(OPEN);
    assertThat(a.state()).isEqualTo(OPEN);
  }

  // ---- a server that takes no writes

  @Test
  void aFullServerIsReadAndTheWriteFollowsWhenThereIsRoomAgain() {
    redis = RedisProcess.start();
    Instance a = start("a").awaitReady();
    Instance b = start("b").awaitReady();
    try (RedisClient client = redis.client()) {
      client.configSet("maxmemory", "1");
      a.trip();
      a.awaitLink(State.DEGRADED);
      assertThat(a.status().lastError()).contains("OOM");
      long reads = a.status().reconciles();
      await().atMost(LONG).until(() -> a.status().reconciles() > reads);
      assertThat(a.status().pendingWrites()).isEqualTo(1);
      assertThat(a.status().subscribed()).isTrue();
      assertThatThrownBy(
              () -> a.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(1), "ann", "x"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("nothing changed: ")
          .hasMessageContaining("OOM");

      client.configSet("maxmemory", "0");
    }

    b.awaitState(OPEN);
    a.awaitLink(State.UP);
    assertThat(a.status().pendingWrites()).isZero();
  }

  // ---- rubbish

  @ParameterizedTest
  @ValueSource(strings = {"ep", "st"})
  void rubbishInAFieldIsIgnoredAndHealed(String field) {
    redis = RedisProcess.start();
    Instance a = start("a").awaitReady();
    a.trip();
    a.awaitWritten();
    long epoch = a.epoch();
    long repairs = a.status().repairs();

    try (RedisClient client = redis.client()) {
      client.hset(KEY, field, "rubbish");
    }

    // its alarm stands only until it is healed, which may be the next moment
    await().atMost(LONG).until(() -> a.status().repairs() == repairs + 1);
    assertThat(field(KEY, field)).isNotEqualTo("rubbish");
    await().atMost(LONG).until(() -> a.status().alarms().isEmpty());
    assertThat(a.state()).isEqualTo(OPEN);
    assertThat(a.epoch()).isEqualTo(epoch);
    assertThat(a.status().state()).isEqualTo(State.UP);
  }

  @Test
  void rubbishEverywhereStopsNothing() {
    redis = RedisProcess.start();
    try (RedisClient client = redis.client()) {
      client.hset(KEY, Map.of("v", "99", "ep", "zz", "st", "MELTED"));
      client.set(KEY + ":override", "no hash");
      client.set(KEY + ":audit", "no stream");
      Instance a = start("a").awaitReady();
      a.awaitAlarm("v: 99 (expected: 1)");
      a.awaitAlarm("the stored override is ignored");
      for (String message :
          List.of(
              "",
              "rubbish",
              "a=%zz",
              "kind=state",
              "kind=state&dep=inventory&now=x",
              "kind=state&dep=inventory&now=5&ep=7&st=MELTED&v=1",
              "kind=state&dep=inventory&now=5&ep=7&st=OPEN&v=9",
              "kind=override&dep=inventory&now=5&ver=7&mode=AUTO&exp=9",
              "kind=weather&dep=inventory&now=5",
              "kind=state&dep=unknown&now=5&v=1&ep=7&st=OPEN&since=1&until=9&n=1")) {
        client.publish("tb:events:shop", message);
      }
      a.awaitAlarm("an event is ignored");

      a.trip();
      await().atMost(LONG).until(() -> a.status().pendingWrites() == 0);
      assertThat(client.hget(KEY, "v")).isEqualTo("99");
      assertThatThrownBy(
              () -> a.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(1), "ann", "x"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("nothing changed")
          .hasMessageContaining("WRONGTYPE");

      // a sound event still counts, and so does a healed key
      client.publish(
          "tb:events:shop",
          "kind=override&dep=inventory&now=5&ver=7&mode=FORCED_CLOSED&exp=90005&by=ann&why=x");
      a.awaitMode(Mode.FORCED_CLOSED);
      client.flushAll();
      a.breaker.reset("ann", "start again");
      await().atMost(LONG).until(() -> "CLOSED".equals(client.hget(KEY, "st")));
      await()
          .atMost(LONG)
          .until(() -> a.status().alarms().stream().noneMatch(alarm -> alarm.contains("stored")));
      assertThat(a.status().state()).isEqualTo(State.UP);
    }
  }

  @Test
  void aPolicyThatEvictsIsAnAlarm() {
    redis = RedisProcess.start("--maxmemory-policy", "allkeys-lru");

    start("a").awaitAlarm("maxmemory-policy: allkeys-lru");
  }

  // ---- the end

  enum Fault {
    NONE,
    ABSENT,
    KILLED,
    HUNG
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void closeEndsTheThreadsInBoundedTime(Fault fault) {
    redis = fault == Fault.ABSENT ? RedisProcess.stopped() : RedisProcess.start();
    String name = "closing-" + fault;
    Instance a = start(name);
    if (fault != Fault.ABSENT) {
      a.awaitReady();
    }
    if (fault == Fault.KILLED) {
      redis.kill();
    }
    if (fault == Fault.HUNG) {
      redis.hang();
    }
    a.trip();

    long start = System.nanoTime();
    a.close();
    long took = System.nanoTime() - start;

    assertThat(took).isLessThan(TimeUnit.SECONDS.toNanos(4)); // a bound, not a speed
    await()
        .atMost(Duration.ofSeconds(3))
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().contains(name)));
    assertThat(a.status().state()).isEqualTo(State.CLOSED);
    assertThat(a.state()).isEqualTo(OPEN);
    a.sync.close(); // again: nothing
    assertThatThrownBy(() -> a.sync.release("inventory", "ann", "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("inventory: nothing changed: not running");
    if (fault == Fault.NONE) {
      assertThat(field(KEY, "st")).isEqualTo("OPEN"); // flushed
      try (RedisClient client = redis.client()) {
        Object left = client.eval("return redis.call('PUBSUB', 'NUMSUB', 'tb:events:shop')[2]");
        assertThat(left).hasToString("0");
      }
    }
  }

  @Test
  void neverStartedClosesToo() {
    redis = RedisProcess.stopped();
    Instance a = start("a");
    close(a);
    a.sync.start(); // nothing

    assertThat(a.status().state()).isEqualTo(State.CLOSED);
  }
}
