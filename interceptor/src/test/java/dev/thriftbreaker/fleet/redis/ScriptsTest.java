package dev.thriftbreaker.fleet.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.fleet.FleetOverride;
import dev.thriftbreaker.fleet.FleetState;
import dev.thriftbreaker.fleet.StateStore.Answer;
import dev.thriftbreaker.fleet.StateStore.Kept;
import dev.thriftbreaker.fleet.StateStore.OverrideChange;
import dev.thriftbreaker.fleet.StateStore.StateChange;
import dev.thriftbreaker.fleet.StoreException;
import java.util.List;
import java.util.Map;
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

/** Every branch of the scripts, on a real server. */
class ScriptsTest {

  private static final String KEY = "tb:{shop/inventory}";
  private static final String AUDIT = KEY + ":audit";
  private static final String OVERRIDE = KEY + ":override";

  private static RedisProcess redis;
  private RedisClient client;
  private RedisStore store;

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
    store = new RedisStore(redis.uri());
  }

  @AfterEach
  void disconnect() {
    store.close();
    client.close();
  }

  private Answer<FleetState> write(String request, long seen, BreakerState state) {
    return store.write("shop", change(request, seen, state));
  }

  private static StateChange change(String request, long seen, BreakerState state) {
    return new StateChange(
        "inventory", request, seen, state, 40, 5_000, 2, "a", "LOCAL", "rate 60 % & më", "a");
  }

  private Answer<FleetOverride> decide(String request, long seen, Mode mode) {
    return store.override(
        "shop", new OverrideChange("inventory", request, seen, mode, 60_000, "ann", "drill", "a"));
  }

  private Kept read() {
    return store.readAll("shop", List.of("inventory")).get("inventory");
  }

  private long serverMillis() {
    List<?> time = (List<?>) client.eval("return redis.call('TIME')", List.of(), List.of());
    return Long.parseLong(time.get(0).toString()) * 1_000
        + Long.parseLong(time.get(1).toString()) / 1_000;
  }

  // ---- transitions

  @Test
  void aFreshKeyStartsAtOneForANewcomer() {
    long before = serverMillis();
    Answer<FleetState> answer = write("s-1", 0, BreakerState.OPEN);
    long after = serverMillis();

    assertThat(answer.accepted()).isTrue();
    assertThat(answer.warning()).isEmpty();
    Map<String, String> fields = client.hgetAll(KEY);
    assertThat(fields)
        .containsEntry("v", "1")
        .containsEntry("ep", "1")
        .containsEntry("st", "OPEN")
        .containsEntry("n", "2")
        .containsEntry("by", "a")
        .containsEntry("cause", "LOCAL")
        .containsEntry("why", "rate 60 % & më")
        .containsEntry("rids", "s-1");
    assertThat(Long.parseLong(fields.get("since"))).isBetween(before - 41, after - 40);
    assertThat(Long.parseLong(fields.get("until"))).isBetween(before + 4_999, after + 5_000);
    assertThat(client.ttl(KEY)).isEqualTo(-1);
    assertThat(answer.current().value().remainingMillis()).isBetween(4_000L, 5_000L);
    assertThat(read().state().value().epoch()).isEqualTo(1);
    assertThat(read().state().value().why()).isEqualTo("rate 60 % & më");
  }

  @Test
  void aFreshKeyStartsAboveWhatASurvivorKnows() {
    long ahead = serverMillis() + 1_000_000;

    assertThat(write("s-1", ahead, BreakerState.OPEN).current().value().epoch())
        .isEqualTo(ahead + 1);
  }

  @Test
  void eachTransitionHasAHigherEpochAlsoIfTheClockIsBehind() {
    write("s-1", 0, BreakerState.OPEN);
    long before = serverMillis();

    long second = write("s-2", 1, BreakerState.HALF_OPEN).current().value().epoch();
    assertThat(second).isGreaterThanOrEqualTo(before);

    long ahead = serverMillis() + 80_000_000;
    client.hset(KEY, "ep", String.valueOf(ahead));
    FleetState third = write("s-3", ahead, BreakerState.CLOSED).current().value();
    assertThat(third.epoch()).isEqualTo(ahead + 1);
    assertThat(client.hget(KEY, "ep")).isEqualTo(String.valueOf(ahead + 1));
    assertThat(client.hget(KEY, "until")).isEqualTo("0");
    assertThat(client.hget(KEY, "rids")).isEqualTo("s-3 s-2 s-1");
  }

  @ParameterizedTest
  @CsvSource({
    "CLOSED, OPEN, true",
    "HALF_OPEN, OPEN, true",
    "OPEN, OPEN, false",
    "CLOSED, HALF_OPEN, false",
    "OPEN, HALF_OPEN, false",
    "HALF_OPEN, HALF_OPEN, false",
    "OPEN, CLOSED, false",
    "HALF_OPEN, CLOSED, false"
  })
  void onStaleKnowledgeOnlyATripIsAccepted(
      BreakerState stored, BreakerState written, boolean accepted) {
    write("s-1", 0, stored);
    long epoch = write("s-2", 1, stored).current().value().epoch();

    Answer<FleetState> answer = write("s-3", 1, written);

    assertThat(answer.accepted()).isEqualTo(accepted);
    if (accepted) {
      assertThat(answer.current().value().epoch()).isGreaterThan(epoch);
    } else {
      assertThat(answer.current().value().epoch()).isEqualTo(epoch);
      assertThat(answer.current().value().state()).isEqualTo(stored);
      assertThat(client.xlen(AUDIT)).isEqualTo(2);
    }
  }

  @Test
  void aTryThatWasExecutedIsNotExecutedAgain() {
    write("s-1", 0, BreakerState.OPEN);
    Answer<FleetState> again = write("s-1", 0, BreakerState.OPEN);

    assertThat(again.accepted()).isTrue();
    assertThat(again.current().value().epoch()).isEqualTo(1);
    assertThat(client.xlen(AUDIT)).isEqualTo(1);

    // also after somebody else went on from there
    FleetState next = write("t-1", 1, BreakerState.CLOSED).current().value();
    Answer<FleetState> late = write("s-1", 0, BreakerState.OPEN);

    assertThat(late.accepted()).isTrue();
    assertThat(late.current().value().epoch()).isEqualTo(next.epoch());
    assertThat(late.current().value().state()).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void onlyTheLatestRequestsAreRemembered() {
    long epoch = 0;
    for (int i = 1; i <= 12; i++) {
      epoch = write("s-" + i, epoch, BreakerState.OPEN).current().value().epoch();
    }

    assertThat(client.hget(KEY, "rids")).isEqualTo("s-12 s-11 s-10 s-9 s-8 s-7 s-6 s-5");
    // one that begins like a remembered one is another one
    assertThat(write("s-1", 0, BreakerState.OPEN).accepted()).isFalse();
  }

  @Test
  void aLaterLayoutIsNotTouched() {
    client.hset(KEY, Map.of("v", "2", "ep", "1", "st", "CLOSED"));

    Answer<FleetState> written = write("s-1", 5, BreakerState.OPEN);
    Answer<FleetState> repaired = store.repair("shop", "inventory", state(9), "a");

    assertThat(written.accepted()).isFalse();
    assertThat(written.current().foreign()).isTrue();
    assertThat(repaired.accepted()).isFalse();
    assertThat(client.hgetAll(KEY)).isEqualTo(Map.of("v", "2", "ep", "1", "st", "CLOSED"));
  }

  @ParameterizedTest
  @CsvSource({
    "ep, x",
    "ep, 1e3",
    "ep, 9007199254740992",
    "ep, 9007199254740991",
    "ep, 8000000000000",
    "ep, -5",
    "st, x",
    "since, x",
    "until, ''",
    "n, y"
  })
  void whatIsDamagedIsHealedByTheNextWriteOrRepair(String field, String value) {
    write("s-1", 0, BreakerState.CLOSED);
    client.hset(KEY, field, value);
    assertThat(read().state().problem()).isNotBlank();

    assertThat(write("s-2", 1, BreakerState.OPEN).accepted()).isTrue();
    assertThat(read().state().value().state()).isEqualTo(BreakerState.OPEN);

    client.hset(KEY, field, value);
    assertThat(store.repair("shop", "inventory", state(9), "a").accepted()).isTrue();
    assertThat(read().state().value().epoch()).isEqualTo(9);
  }

  @Test
  void fieldsOfOthersInTheHashStay() {
    client.hset(KEY, "r:b", "10:2:OK:99");
    write("s-1", 0, BreakerState.OPEN);

    assertThat(client.hget(KEY, "r:b")).isEqualTo("10:2:OK:99");
    assertThat(client.hget(KEY, "ep")).isEqualTo("1");
  }

  @Test
  void theAuditTellsWhatHappenedAndIsBounded() {
    write("s-1", 0, BreakerState.OPEN);
    decide("s-o1", 0, Mode.SHADOW);
    store.repair("shop", "inventory", state(9), "b");

    List<StreamEntry> entries = client.xrange(AUDIT, (StreamEntryID) null, null);
    assertThat(entries).hasSize(3);
    assertThat(entries.get(0).getFields())
        .containsEntry("kind", "state")
        .containsEntry("ep", "1")
        .containsEntry("from", "")
        .containsEntry("to", "OPEN")
        .containsEntry("by", "a")
        .containsEntry("why", "rate 60 % & më")
        .containsEntry("instance", "a");
    assertThat(entries.get(1).getFields())
        .containsEntry("kind", "override")
        .containsEntry("to", "SHADOW")
        .containsEntry("by", "ann");
    assertThat(entries.get(2).getFields())
        .containsEntry("kind", "repair")
        .containsEntry("from", "OPEN")
        .containsEntry("instance", "b");

    long epoch = 9;
    for (int i = 0; i < 1_300; i++) {
      epoch = write("t-" + i, epoch, BreakerState.OPEN).current().value().epoch();
    }
    assertThat(client.xlen(AUDIT)).isBetween(1_000L, 1_200L);
  }

  @Test
  void aStateIsStoredThoughItsAuditCannotBe() {
    client.set(AUDIT, "not a stream");

    Answer<FleetState> answer = write("s-1", 0, BreakerState.OPEN);

    assertThat(answer.accepted()).isTrue();
    assertThat(answer.warning()).startsWith("audit not written: ").contains("WRONGTYPE");
    assertThat(read().state().value().state()).isEqualTo(BreakerState.OPEN);
  }

  @Test
  void aKeyOfAnotherTypeIsLeftAloneAndTheOthersAreRead() {
    client.set(KEY, "what");
    client.hset(OVERRIDE, Map.of("ver", "3", "mode", "NONE", "exp", "0"));

    assertThat(read().state().foreign()).isTrue();
    assertThat(read().override().value().version()).isEqualTo(3);
    assertThatThrownBy(() -> write("s-1", 0, BreakerState.OPEN))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.BROKEN));
  }

  @Test
  void aServerThatForgotTheScriptsIsTold() {
    write("s-1", 0, BreakerState.OPEN);
    client.scriptFlush();

    assertThat(write("s-2", 1, BreakerState.HALF_OPEN).accepted()).isTrue();
  }

  @Test
  void aNameOfALaterVersionIsNotTouched() {
    write("s-1", 0, BreakerState.CLOSED);
    client.hset(KEY, "st", "MELTED");
    client.hset(OVERRIDE, Map.of("ver", "3", "mode", "LIMITED"));

    assertThat(read().state().foreign()).isTrue();
    assertThat(read().override().foreign()).isTrue();
    assertThat(write("s-2", 5, BreakerState.OPEN).accepted()).isFalse();
    assertThat(store.repair("shop", "inventory", state(9), "a").accepted()).isFalse();
    Answer<FleetOverride> decided = decide("s-o1", 9, Mode.SHADOW);
    assertThat(decided.accepted()).isFalse();
    assertThat(decided.current().foreign()).isTrue();
    FleetOverride lost = new FleetOverride(7, Mode.SHADOW, 9_000, "ann", "drill", "s-o1");
    assertThat(store.repairOverride("shop", "inventory", lost, "a").accepted()).isFalse();
    assertThat(client.hget(KEY, "st")).isEqualTo("MELTED");
    assertThat(client.hgetAll(OVERRIDE)).isEqualTo(Map.of("ver", "3", "mode", "LIMITED"));
  }

  // ---- repairs

  private static FleetState state(long epoch) {
    return new FleetState(
        epoch, BreakerState.OPEN, 1_000, 3_000, 4, "b", "LOCAL", "was lost", "s-9 s-8");
  }

  @Test
  void aRepairAppliesOnlyIfStrictlyNewer() {
    assertThat(store.repair("shop", "inventory", state(5), "a").accepted()).isTrue();
    FleetState repaired = read().state().value();
    assertThat(repaired.epoch()).isEqualTo(5);
    assertThat(repaired.state()).isEqualTo(BreakerState.OPEN);
    assertThat(repaired.remainingMillis()).isBetween(2_000L, 3_000L);
    assertThat(repaired.ageMillis()).isBetween(1_000L, 2_000L);
    assertThat(repaired.consecutiveOpens()).isEqualTo(4);
    assertThat(repaired.requests()).isEqualTo("s-9 s-8");

    assertThat(store.repair("shop", "inventory", state(5), "b").accepted()).isFalse();
    Answer<FleetState> older = store.repair("shop", "inventory", state(4), "b");
    assertThat(older.accepted()).isFalse();
    assertThat(older.current().value().epoch()).isEqualTo(5);
    assertThat(store.repair("shop", "inventory", state(6), "b").accepted()).isTrue();
  }

  // ---- overrides

  @Test
  void anOverrideIsComparedAndSetByVersion() {
    long before = serverMillis();
    FleetOverride first = decide("s-o1", 0, Mode.FORCED_OPEN).current().value();

    assertThat(first.version()).isGreaterThanOrEqualTo(before);
    assertThat(first.mode()).isEqualTo(Mode.FORCED_OPEN);
    assertThat(first.remainingMillis()).isBetween(59_000L, 60_000L);
    assertThat(client.hgetAll(OVERRIDE))
        .containsEntry("by", "ann")
        .containsEntry("why", "drill")
        .containsEntry("rids", "s-o1")
        .containsKey("at");

    Answer<FleetOverride> blind = decide("t-o1", 0, Mode.SHADOW);
    assertThat(blind.accepted()).isFalse();
    assertThat(blind.current().value())
        .usingRecursiveComparison()
        .ignoringFields("remainingMillis")
        .isEqualTo(first);

    Answer<FleetOverride> seeing = decide("t-o2", first.version(), Mode.SHADOW);
    assertThat(seeing.accepted()).isTrue();
    assertThat(seeing.current().value().version()).isGreaterThan(first.version());
  }

  @Test
  void anOverrideIsStoredOnceHoweverOftenItIsTried() {
    long version = decide("s-o1", 0, Mode.FORCED_OPEN).current().value().version();
    Answer<FleetOverride> again = decide("s-o1", 0, Mode.FORCED_OPEN);

    assertThat(again.accepted()).isTrue();
    assertThat(again.current().value().version()).isEqualTo(version);
    assertThat(client.xlen(AUDIT)).isEqualTo(1);
  }

  @Test
  void anOverrideThatWasExecutedIsNotExecutedAgainAfterSomebodyReleasedIt() {
    long version = decide("s-o1", 0, Mode.FORCED_OPEN).current().value().version();
    long released = decide("t-o1", version, Mode.AUTO).current().value().version();

    Answer<FleetOverride> late = decide("s-o1", 0, Mode.FORCED_OPEN);

    assertThat(late.accepted()).isTrue();
    assertThat(late.current().value().version()).isEqualTo(released);
    assertThat(late.current().value().mode()).isEqualTo(Mode.AUTO);
    assertThat(client.hget(OVERRIDE, "rids")).isEqualTo("t-o1 s-o1");
  }

  @Test
  void aReleaseIsANewerVersionAndDeletesNothing() {
    long version = decide("s-o1", 0, Mode.FORCED_OPEN).current().value().version();
    FleetOverride released = decide("s-o2", version, Mode.AUTO).current().value();

    assertThat(released.version()).isGreaterThan(version);
    assertThat(released.mode()).isEqualTo(Mode.AUTO);
    assertThat(client.hget(OVERRIDE, "mode")).isEqualTo("NONE");
  }

  @Test
  void anOverrideIsRepairedOnlyIfStrictlyNewer() {
    FleetOverride lost = new FleetOverride(7, Mode.SHADOW, 9_000, "ann", "drill", "s-o1");

    assertThat(store.repairOverride("shop", "inventory", lost, "a").accepted()).isTrue();
    assertThat(read().override().value().version()).isEqualTo(7);
    assertThat(read().override().value().remainingMillis()).isBetween(8_000L, 9_000L);
    assertThat(store.repairOverride("shop", "inventory", lost, "a").accepted()).isFalse();

    client.hset(OVERRIDE, "ver", "9007199254740991");
    assertThat(read().override().problem()).isNotBlank();
    assertThat(store.repairOverride("shop", "inventory", lost, "a").accepted()).isTrue();
    client.hset(OVERRIDE, "mode", "x");
    assertThat(store.repairOverride("shop", "inventory", lost, "a").accepted()).isTrue();
    assertThat(client.hget(OVERRIDE, "mode")).isEqualTo("SHADOW");
  }

  @Test
  void anEvictionPolicyThatLosesStateIsWarnedOf() {
    assertThat(store.warnings()).isEmpty();
    client.configSet("maxmemory-policy", "allkeys-lru");
    try {
      assertThat(store.warnings()).singleElement().asString().contains("allkeys-lru");
    } finally {
      client.configSet("maxmemory-policy", "noeviction");
    }
  }
}
