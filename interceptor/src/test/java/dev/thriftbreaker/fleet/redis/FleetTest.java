package dev.thriftbreaker.fleet.redis;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.HALF_OPEN;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static dev.thriftbreaker.breaker.BreakerState.RAMPING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Cause;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.fleet.LinkStatus;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.resps.StreamEntry;

/** Several instances on one Redis that is well. */
class FleetTest {

  private static final String KEY = "tb:{shop/inventory}";

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

  private Instance start(String name) {
    return remember(Instance.start(redis.uri(), name)).awaitReady();
  }

  private Instance remember(Instance instance) {
    instances.add(instance);
    return instance;
  }

  private void restart(Instance instance) {
    instance.close();
    instances.remove(instance);
  }

  // ---- states

  @Test
  void eachTransitionOfOneIsSeenByTheOther() {
    Instance a = start("a");
    Instance b = start("b");

    a.trip();
    b.awaitState(OPEN);
    assertThat(b.breaker.snapshot().cause()).isEqualTo(Cause.REMOTE);
    assertThat(b.breaker.snapshot().evidence().reason()).isEqualTo("5 consecutive failures");
    assertThat(b.transitions).last().extracting(Transition::by).isEqualTo("a");
    assertThat(b.breaker.snapshot().remainingNanos())
        .isBetween(TimeUnit.SECONDS.toNanos(50), TimeUnit.SECONDS.toNanos(60));

    b.breaker.probeNow("ann", "try it");
    a.awaitState(HALF_OPEN);
    assertThat(a.transitions).last().extracting(Transition::by).isEqualTo("ann");

    a.fail();
    b.awaitState(OPEN);
    assertThat(b.breaker.snapshot().consecutiveOpens()).isEqualTo(2);

    b.probeAndClose();
    a.awaitState(CLOSED);
    a.awaitWritten();
    b.awaitWritten();

    assertThat(a.epoch()).isEqualTo(b.epoch()).isPositive();
    assertThat(a.status().alarms()).isEmpty();
    assertThat(b.status().alarms()).isEmpty();
    // what came from the fleet was not written again; closing may have swallowed half-open
    assertThat(a.status().writes()).isEqualTo(2);
    assertThat(b.status().writes()).isBetween(2L, 3L);
    assertThat(a.status().repairs() + b.status().repairs()).isZero();
  }

  @Test
  void whereOneRecoversAllBeginTheirRampAndNobodyWritesItsEnd() {
    AtomicLong clock = new AtomicLong();
    Instance a = ramping("a", clock);
    Instance b = ramping("b", clock);
    a.trip();
    b.awaitState(OPEN);

    // only a's calls try the dependency before the time
    for (int i = 0; i < 3; i++) {
      clock.addAndGet(TimeUnit.SECONDS.toNanos(2));
      a.succeed();
    }
    assertThat(a.state()).isEqualTo(RAMPING);
    assertThat(a.breaker.snapshot().evidence().reason()).isEqualTo("3 early probes succeeded");

    b.awaitState(RAMPING);
    assertThat(b.breaker.snapshot().cause()).isEqualTo(Cause.REMOTE);
    assertThat(b.breaker.snapshot().share()).isEqualTo(0.1);
    a.awaitWritten();
    assertThat(client.hget(KEY, "st")).isEqualTo("CLOSED");
    long epoch = a.epoch();

    for (int i = 0; i < 4; i++) {
      clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(250));
      a.breaker.tick();
      b.breaker.tick();
    }
    assertThat(List.of(a.state(), b.state())).containsOnly(CLOSED);
    a.awaitAnotherReconcile();
    b.awaitAnotherReconcile();
    assertThat(List.of(a.epoch(), b.epoch())).containsOnly(epoch);
    assertThat(client.hget(KEY, "ep")).isEqualTo(String.valueOf(epoch));
    assertThat(a.status().writes()).isEqualTo(2);
    assertThat(b.status().writes()).isZero();
    assertThat(List.of(a.state(), b.state())).containsOnly(CLOSED);
  }

  @Test
  void aTripDuringTheRampOpensAllAgainForTwiceAsLong() {
    AtomicLong clock = new AtomicLong();
    Instance a = ramping("a", clock);
    Instance b = ramping("b", clock);
    a.trip();
    b.awaitState(OPEN);
    b.breaker.probeNow("ann", "try it");
    for (int i = 0; i < 3; i++) {
      b.succeed();
    }
    a.awaitState(RAMPING);

    // one in ten of a's calls passes
    for (int i = 0; i < 60; i++) {
      a.fail();
    }

    assertThat(a.state()).isEqualTo(OPEN);
    b.awaitState(OPEN);
    assertThat(b.breaker.snapshot().consecutiveOpens()).isEqualTo(2);
    assertThat(b.breaker.snapshot().remainingNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(120));
  }

  /** One that has early probes and a ramp, as by default. */
  private Instance ramping(String name, AtomicLong clock) {
    return remember(
            Instance.start(
                redis.uri(),
                name,
                clock::get,
                config ->
                    config
                        .maxOpenDuration(Duration.ofSeconds(120))
                        .earlyProbeInterval(Duration.ofMillis(250))
                        .rampInterval(Duration.ofMillis(250))))
        .awaitReady();
  }

  @Test
  void resetByAnOperatorClosesTheFleet() {
    Instance a = start("a");
    Instance b = start("b");
    a.trip();
    b.awaitState(OPEN);

    b.breaker.reset("ann", "fixed");

    a.awaitState(CLOSED);
    assertThat(client.hget(KEY, "by")).isEqualTo("ann");
    assertThat(client.hget(KEY, "cause")).isEqualTo("OPERATOR");
  }

  @Test
  void aRestartedInstanceResumesAnOpenBreakerWithItsRemainingTime() {
    Instance a = start("a");
    long before = System.nanoTime();
    a.trip();
    long after = System.nanoTime();
    a.awaitWritten();
    restart(a);

    Instance again = remember(Instance.start(redis.uri(), "a"));
    assertThat(again.state()).isEqualTo(CLOSED); // start did not wait
    again.awaitState(OPEN);

    long ends = System.nanoTime() + again.breaker.snapshot().remainingNanos();
    long expected = TimeUnit.SECONDS.toNanos(60);
    long slack = TimeUnit.MILLISECONDS.toNanos(100);
    assertThat(ends).isBetween(before + expected - slack, after + expected + slack);
    assertThat(again.breaker.snapshot().consecutiveOpens()).isEqualTo(1);
    assertThat(again.status().writes()).isZero();
  }

  @Test
  void aRestartedInstanceFindsAnOpenTimeThatIsOverAndProbes() {
    Instance a = start("a");
    a.trip();
    a.awaitWritten();
    restart(a);
    client.hset(KEY, "until", "1");

    Instance again = start("a");
    again.awaitState(OPEN);
    again.breaker.tick();

    assertThat(again.state()).isEqualTo(HALF_OPEN);
    await().until(() -> client.hget(KEY, "st"), "HALF_OPEN"::equals);
  }

  @Test
  void anOpenTimeIsClampedToTheLongestAllowed() {
    Instance a = start("a");
    a.trip();
    a.awaitWritten();
    client.hset(KEY, "until", "9007199254740991");

    Instance b = start("b");
    b.awaitState(OPEN);

    assertThat(b.breaker.snapshot().remainingNanos())
        .isLessThanOrEqualTo(b.breaker.config().maxOpenDuration().toNanos());
  }

  @Test
  void anInstanceThatNeverSawTroubleWritesNothing() {
    Instance a = start("a");
    await().until(() -> a.status().reconciles() > 1);

    assertThat(client.dbSize()).isZero();
    assertThat(a.epoch()).isZero();
    assertThat(a.status().alarms()).isEmpty();
  }

  @Test
  void racingInstancesLeaveOneLinearHistory() throws Exception {
    List<Instance> racing = new ArrayList<>();
    AtomicLong clock = new AtomicLong();
    for (int i = 0; i < 4; i++) {
      racing.add(
          remember(
              Instance.start(
                  redis.uri(),
                  "i" + i,
                  clock::get,
                  config -> config.openDuration(Duration.ofSeconds(5)))));
    }
    racing.forEach(Instance::awaitReady);

    for (int round = 0; round < 5; round++) {
      together(racing, Instance::trip);
      racing.forEach(instance -> instance.awaitState(OPEN));
      racing.forEach(Instance::awaitWritten);
      awaitAgreement(racing);
      // the open time of all ends at the same moment, and all probe
      clock.addAndGet(TimeUnit.SECONDS.toNanos(61));
      together(racing, instance -> instance.breaker.tick());
      together(
          racing,
          instance -> {
            for (int i = 0; i < 3; i++) {
              instance.succeed();
            }
          });
      // those whose closing came too late probe once more
      await()
          .atMost(Duration.ofSeconds(10))
          .until(
              () -> {
                racing.forEach(Instance::succeed);
                return racing.stream().allMatch(instance -> instance.state() == CLOSED);
              });
      awaitAgreement(racing);
    }

    List<StreamEntry> history = client.xrange(KEY + ":audit", (StreamEntryID) null, null);
    long last = 0;
    String state = "";
    for (StreamEntry entry : history) {
      Map<String, String> fields = entry.getFields();
      assertThat(fields.get("kind")).isEqualTo("state");
      assertThat(Long.parseLong(fields.get("ep"))).isGreaterThan(last);
      assertThat(fields.get("from")).isEqualTo(state);
      last = Long.parseLong(fields.get("ep"));
      state = fields.get("to");
    }
    assertThat(state).isEqualTo("CLOSED");
    for (Instance instance : racing) {
      assertThat(instance.epoch()).isEqualTo(last);
      assertThat(instance.status().alarms()).isEmpty();
    }
  }

  private static void together(List<Instance> instances, Consumer<Instance> work) throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(instances.size());
    List<Thread> threads = new ArrayList<>();
    for (Instance instance : instances) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  barrier.await();
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
                work.accept(instance);
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private void awaitAgreement(List<Instance> instances) {
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> {
              HashSet<Object> seen = new HashSet<>();
              for (Instance instance : instances) {
                seen.add(instance.state() + " " + instance.epoch());
                if (instance.status().pendingWrites() > 0) {
                  return false;
                }
              }
              return seen.size() == 1
                  && seen.contains(client.hget(KEY, "st") + " " + client.hget(KEY, "ep"));
            });
  }

  @Test
  void aMissedEventIsMadeGoodByTheReconcile() {
    Instance a = start("a");
    client.hset(
        KEY,
        Map.of(
            "v",
            "1",
            "ep",
            "77",
            "st",
            "OPEN",
            "since",
            "1",
            "until",
            "9007199254740991",
            "n",
            "1"));

    a.awaitState(OPEN);
    assertThat(a.epoch()).isEqualTo(77);
  }

  // ---- overrides

  @Test
  void anOverrideSetOnOneIsSeenByTheOtherAndSurvivesBothRestarting() {
    Instance a = start("a");
    Instance b = start("b");

    a.sync.override(
        "inventory", Mode.FORCED_OPEN, Duration.ofMinutes(5), "ann", "vendor maintenance");

    ModeOverride here = a.breaker.snapshot().override();
    assertThat(here.mode()).isEqualTo(Mode.FORCED_OPEN);
    assertThat(here.fleet()).isTrue();
    b.awaitMode(Mode.FORCED_OPEN);
    assertThat(b.breaker.snapshot().override().by()).isEqualTo("ann");
    assertThat(b.breaker.snapshot().override().reason()).isEqualTo("vendor maintenance");

    restart(a);
    restart(b);
    Instance a2 = start("a").awaitMode(Mode.FORCED_OPEN);
    Instance b2 = start("b").awaitMode(Mode.FORCED_OPEN);
    long remaining = b2.breaker.snapshot().override().untilNanos() - System.nanoTime();
    assertThat(remaining)
        .isBetween(TimeUnit.SECONDS.toNanos(4 * 60), TimeUnit.SECONDS.toNanos(5 * 60));

    b2.sync.release("inventory", "bob", "over");
    assertThat(b2.mode()).isEqualTo(Mode.AUTO);
    a2.awaitMode(Mode.AUTO);
    restart(a2);
    Instance a3 = start("a");
    assertThat(a3.mode()).isEqualTo(Mode.AUTO);
  }

  @Test
  void anOverrideExpires() {
    AtomicLong clock = new AtomicLong();
    Instance a = remember(Instance.start(redis.uri(), "a", clock::get, config -> {})).awaitReady();

    a.sync.override("inventory", Mode.SHADOW, Duration.ofSeconds(2), "ann", "drill");
    assertThat(a.mode()).isEqualTo(Mode.SHADOW);
    clock.addAndGet(TimeUnit.SECONDS.toNanos(2));
    a.breaker.tick();
    assertThat(a.mode()).isEqualTo(Mode.AUTO);

    long version = Long.parseLong(client.hget(KEY + ":override", "ver"));
    Instance b = start("b");
    long reads = b.status().reconciles();
    await().until(() -> b.status().reconciles() > reads && a.status().reconciles() > 1);
    await() // for the server's clock, by which b goes
        .atMost(Duration.ofSeconds(15))
        .until(
            () -> {
              b.breaker.tick();
              return b.mode() == Mode.AUTO;
            });
    assertThat(a.mode()).isEqualTo(Mode.AUTO);
    assertThat(client.hget(KEY + ":override", "ver")).isEqualTo(String.valueOf(version));
  }

  @Test
  void underAnOverrideStatesGoOnBeingShared() {
    Instance a = start("a");
    Instance b = start("b");
    a.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(5), "ann", "drill");
    b.awaitMode(Mode.SHADOW);

    a.trip();

    b.awaitState(OPEN);
    assertThat(b.mode()).isEqualTo(Mode.SHADOW);
  }

  @Test
  void anOverrideOfOneInstanceIsNotSpreadAndGivesWayToTheFleetsWhenItEnds() {
    AtomicLong clock = new AtomicLong();
    Instance a = remember(Instance.start(redis.uri(), "a", clock::get, config -> {})).awaitReady();
    Instance b = start("b");
    b.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(5), "ann", "drill");
    a.awaitMode(Mode.SHADOW);

    long soon = TimeUnit.SECONDS.toNanos(1);
    a.breaker.override(new ModeOverride(Mode.FORCED_OPEN, soon, "bob", "only here", false));
    long reads = b.status().reconciles();
    await().until(() -> b.status().reconciles() > reads);
    assertThat(b.mode()).isEqualTo(Mode.SHADOW);
    assertThat(a.mode()).isEqualTo(Mode.FORCED_OPEN);

    clock.addAndGet(soon);
    a.breaker.tick();
    a.awaitMode(Mode.SHADOW);
  }

  @Test
  void aReleaseOfTheFleetDoesNotTouchAnOverrideOfOneInstance() {
    Instance a = start("a");
    Instance b = start("b");
    long later = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
    a.breaker.override(new ModeOverride(Mode.FORCED_OPEN, later, "bob", "only here", false));

    b.sync.release("inventory", "ann", "nothing to release");
    await().until(() -> a.status().events() > 0);
    long reads = a.status().reconciles();
    await().until(() -> a.status().reconciles() > reads);

    assertThat(a.mode()).isEqualTo(Mode.FORCED_OPEN);
  }

  @Test
  void aDecisionOnStaleKnowledgeChangesNothingAndSaysWhatThereIs() {
    Instance a = start("a");
    a.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(5), "ann", "drill");
    // one that a has not heard of
    String later = String.valueOf(Long.parseLong(client.hget(KEY + ":override", "ver")) + 60_000);
    client.hset(KEY + ":override", Map.of("ver", later, "mode", "FORCED_OPEN"));

    assertThatThrownBy(() -> a.sync.release("inventory", "bob", "over"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("inventory: nothing changed: somebody decided meanwhile (FORCED_OPEN by ann)");
    assertThat(a.mode()).isEqualTo(Mode.FORCED_OPEN);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "payments |SHADOW|PT1M|dependency: payments (expected: one of [inventory])",
        "inventory|AUTO  |PT1M|mode: AUTO (expected: FORCED_OPEN, FORCED_CLOSED or SHADOW)",
        "inventory|SHADOW|PT0S|howLong: PT0S (expected: a duration from 1 ms to 1 day)",
        "inventory|SHADOW|PT25H|howLong: PT25H (expected: a duration from 1 ms to 1 day)"
      })
  void aBadArgumentIsRefused(String dependency, Mode mode, Duration howLong, String message) {
    Instance a = start("a");

    assertThatThrownBy(() -> a.sync.override(dependency, mode, howLong, "ann", "drill"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  // ---- the rest

  @Test
  void theStatusTellsWhereWithoutCredentials() {
    Instance a = start("a");
    a.trip();
    a.awaitWritten();

    LinkStatus status = a.status();
    assertThat(status.address()).isEqualTo("redis://127.0.0.1:" + redis.port());
    assertThat(status.namespace()).isEqualTo("shop");
    assertThat(status.state()).isEqualTo(LinkStatus.State.UP);
    assertThat(status.subscribed()).isTrue();
    assertThat(status.lastSuccessWallMillis())
        .isBetween(System.currentTimeMillis() - 60_000, System.currentTimeMillis());
    assertThat(status.lastError()).isEmpty();
    assertThat(status.errors()).isZero();
    assertThat(status.writes()).isEqualTo(1);
    assertThat(status.pendingWrites()).isZero();
  }

  @Test
  void leastPrivilegeIsEnough() {
    redis.acl(
        "SETUSER breaker reset resetchannels on >p@ss ~tb:* &tb:* -@all +evalsha +eval +hmget"
            + " +hset +xadd +publish +subscribe +unsubscribe +time +ping +client|setname");
    URI login = URI.create("redis://breaker:p%40ss@127.0.0.1:" + redis.port());
    Instance a = remember(Instance.start(login, "a")).awaitReady();
    Instance b = remember(Instance.start(login, "b")).awaitReady();

    a.trip();
    b.awaitState(OPEN);
    b.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(5), "ann", "drill");
    a.awaitMode(Mode.SHADOW);
    client.flushAll();
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> "OPEN".equals(client.hget(KEY, "st")) && client.exists(KEY + ":override"));

    for (Instance instance : List.of(a, b)) {
      assertThat(instance.status().errors()).isZero();
      assertThat(instance.status().toString()).doesNotContain("p@ss").doesNotContain("p%40ss");
      assertThat(instance.status().alarms()).allMatch(alarm -> alarm.contains("the store lost"));
    }
  }

  @Test
  void aWrongPasswordIsAnAlarmWithoutThePassword() {
    URI login = URI.create("redis://nobody:secret@127.0.0.1:" + redis.port());
    Instance a = remember(Instance.start(login, "a"));

    a.awaitAlarm("WRONGPASS");
    a.awaitLink(LinkStatus.State.DEGRADED);
    a.trip();
    assertThat(a.state()).isEqualTo(OPEN);
    assertThatThrownBy(
            () -> a.sync.override("inventory", Mode.SHADOW, Duration.ofMinutes(5), "ann", "drill"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("nothing changed")
        .hasMessageNotContaining("secret");
    assertThat(a.status().toString()).doesNotContain("secret");
  }

  @Test
  void aUserWhoMayNotWriteStillReads() {
    redis.acl(
        "SETUSER reader reset resetchannels on >pw ~tb:* &tb:* -@all +evalsha +eval +hmget +time"
            + " +subscribe +ping +client|setname");
    Instance writer = start("writer");
    URI login = URI.create("redis://reader:pw@127.0.0.1:" + redis.port());
    Instance reader = remember(Instance.start(login, "reader")).awaitReady();

    reader.trip();
    reader.awaitAlarm("no permission to write");
    reader.awaitLink(LinkStatus.State.DEGRADED);
    assertThat(reader.status().pendingWrites()).isEqualTo(1);

    writer.breaker.probeNow("", ""); // not open: nothing
    writer.trip();
    await().until(() -> reader.epoch() == writer.epoch() && reader.epoch() > 0);
    await().until(() -> reader.status().pendingWrites() == 0);
    reader.awaitLink(LinkStatus.State.UP);
  }

  @Test
  void twoNamespacesDoNotMeet() {
    Instance a = start("a");
    BreakerState before = a.state();
    client.hset(
        "tb:{other/inventory}",
        Map.of("v", "1", "ep", "9", "st", "OPEN", "since", "1", "until", "99", "n", "1"));
    long reads = a.status().reconciles();
    await().until(() -> a.status().reconciles() > reads);

    assertThat(a.state()).isEqualTo(before);
  }
}
