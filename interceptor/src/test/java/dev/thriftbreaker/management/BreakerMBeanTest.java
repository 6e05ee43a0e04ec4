package dev.thriftbreaker.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Setting;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import javax.management.AttributeChangeNotification;
import javax.management.JMX;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanFeatureInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.MBeanServer;
import javax.management.MBeanServerConnection;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import javax.management.remote.JMXConnector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The MBean of a breaker as a console sees it, through a remote connector. */
class BreakerMBeanTest {

  private static final String NAME =
      "dev.thriftbreaker:type=Breaker,server=checkout,name=inventory";

  private final Clocks clocks = new Clocks();
  private final MBeanServer mbeanServer = MBeanServerFactory.newMBeanServer();
  private final CircuitBreaker breaker =
      new CircuitBreaker(
          "inventory",
          BreakerConfig.builder().openJitter(0).build(),
          clocks.nanoClock(),
          () -> 0.5,
          () -> {});
  private Management management;
  private LoopbackConnector server;
  private JMXConnector connector;
  private MBeanServerConnection connection;
  private ObjectName name;
  private BreakerMXBean remote;

  @BeforeEach
  void connect() throws Exception {
    management = new Management("checkout", new MetricRegistry(), mbeanServer, clocks);
    management.breaker(breaker, null);
    server = LoopbackConnector.start(mbeanServer, Map.of());
    connector = server.connect();
    connection = connector.getMBeanServerConnection();
    name = new ObjectName(NAME);
    remote = JMX.newMXBeanProxy(connection, name, BreakerMXBean.class, true);
  }

  @AfterEach
  void disconnect() throws Exception {
    connector.close();
    server.close();
    management.close();
  }

  private void call(Outcome outcome, Duration time, Throwable error) {
    long start = breaker.now();
    long permit = breaker.tryAcquire(start);
    clocks.advance(time);
    breaker.complete(permit, outcome, start, error);
  }

  private void trip() {
    for (int i = 0; i < 5; i++) {
      call(Outcome.FAILURE, Duration.ofMillis(10), new IOException("down"));
    }
    breaker.dispatch();
  }

  // ---- attributes

  @Test
  void everyAttributeOfAFreshBreakerCanBeRead() throws Exception {
    for (MBeanAttributeInfo attribute : connection.getMBeanInfo(name).getAttributes()) {
      assertThat(connection.getAttribute(name, attribute.getName()))
          .as(attribute.getName())
          .isNotNull();
    }
    assertThat(remote.getName()).isEqualTo("inventory");
    assertThat(remote.getState()).isEqualTo("CLOSED");
    assertThat(remote.getSince()).isEqualTo("2026-03-01T12:00:00.000Z");
    assertThat(remote.getUntil()).isEmpty();
    assertThat(remote.getLastTrip()).isEmpty();
    assertThat(remote.getLastTripErrors()).isEmpty();
    assertThat(remote.getMode()).isEqualTo("AUTO");
    assertThat(remote.getModeUntil()).isEmpty();
    assertThat(remote.getHistory()).isEmpty();
    assertThat(remote.getConfigVersion()).isEqualTo(1);
    assertThat(remote.getSettings())
        .containsEntry("failureRateThreshold", "0.5")
        .hasSize(Setting.values().length);
  }

  @Test
  void anOpenBreakerTellsSinceWhenUntilWhenAndWhy() {
    trip();

    assertThat(remote.getState()).isEqualTo("OPEN");
    assertThat(remote.getStateCode()).isEqualTo(2);
    assertThat(remote.getStates())
        .isEqualTo(Map.of("CLOSED", 0, "HALF_OPEN", 0, "OPEN", 1, "RAMPING", 0));
    assertThat(remote.isRefusing()).isTrue();
    assertThat(remote.getSince()).isEqualTo("2026-03-01T12:00:00.050Z");
    assertThat(remote.getUntil()).isEqualTo("2026-03-01T12:00:05.050Z");
    assertThat(remote.getRetryAfterMillis()).isEqualTo(5000);
    assertThat(remote.getConsecutiveOpens()).isEqualTo(1);
    assertThat(remote.getCause()).isEqualTo("LOCAL");
    assertThat(remote.getReason()).isEqualTo("5 consecutive failures");
    assertThat(remote.getLastTrip()).isEqualTo(remote.getReason());
    assertThat(remote.getLastTripErrors()).containsEntry("java.io.IOException", 5L);
    assertThat(remote.getHistory())
        .containsExactly("2026-03-01T12:00:00.050Z CLOSED -> OPEN: 5 consecutive failures");
    assertThat(remote.getOpenedCount()).isEqualTo(1);

    clocks.advance(Duration.ofMillis(1200));
    assertThat(remote.getOpenMillisTotal()).isEqualTo(1200);
    assertThat(remote.getRetryAfterMillis()).isEqualTo(3800);
    assertThat(remote.getSince()).isEqualTo("2026-03-01T12:00:00.050Z");
    assertThat(remote.getUntil()).isEqualTo("2026-03-01T12:00:05.050Z");
  }

  @Test
  void countersAndLatencyAreThoseOfTheCalls() {
    call(Outcome.SUCCESS, Duration.ofMillis(100), null);
    call(Outcome.SUCCESS, Duration.ofSeconds(3), null);
    call(Outcome.FAILURE, Duration.ofMillis(100), new IOException("x"));
    call(Outcome.IGNORED, Duration.ofMillis(100), null);
    long underWay = breaker.tryAcquire(breaker.now());
    breaker.countRefusal(breaker.refusal(breaker.now()));

    assertThat(underWay).isNotEqualTo(CircuitBreaker.REFUSED);
    assertThat(remote.getCallCount()).isEqualTo(5);
    assertThat(remote.getSuccessCount()).isEqualTo(2);
    assertThat(remote.getFailureCount()).isEqualTo(1);
    assertThat(remote.getIgnoredCount()).isEqualTo(1);
    assertThat(remote.getSlowCount()).isEqualTo(1);
    assertThat(remote.getShedCount()).isEqualTo(1);
    assertThat(remote.getLateCount()).isZero();
    assertThat(remote.getInFlight()).isEqualTo(1);
    assertThat(remote.getWindowCalls()).isEqualTo(3);
    assertThat(remote.getFailureRate()).isEqualTo(1 / 3.0);
    assertThat(remote.getSlowCallRate()).isEqualTo(1 / 3.0);
    assertThat(remote.getLatency().getCount()).isEqualTo(3);
    assertThat(remote.getLatency().getP50Millis()).isBetween(94.0, 106.0);
    assertThat(remote.getLatency().getMaxMillis()).isBetween(2820.0, 3180.0);
  }

  @Test
  void anOpenBreakerRefusesAlsoWhileAnEarlyProbeMayPass() {
    trip();

    clocks.advance(Duration.ofSeconds(1));

    assertThat(breaker.refuses(breaker.now())).as("the next call").isFalse();
    assertThat(remote.isRefusing()).isTrue();
    assertThat(remote.getPassingShare()).isZero();
  }

  @Test
  void aRampingBreakerTellsTheShareThatPasses() {
    trip();
    clocks.advance(Duration.ofSeconds(5));
    for (int i = 0; i < 3; i++) {
      call(Outcome.SUCCESS, Duration.ofMillis(1), null);
    }

    assertThat(remote.getState()).isEqualTo("RAMPING");
    assertThat(remote.getStateCode()).isEqualTo(3);
    assertThat(remote.getPassingShare()).isEqualTo(0.1);
    assertThat(remote.isRefusing()).isTrue();
    assertThat(remote.getUntil()).isEmpty();

    clocks.advance(Duration.ofMillis(250));
    breaker.tick();
    assertThat(remote.getPassingShare()).isEqualTo(0.2);

    for (int i = 0; i < 3; i++) {
      clocks.advance(Duration.ofMillis(250));
      breaker.tick();
    }
    assertThat(remote.getState()).isEqualTo("CLOSED");
    assertThat(remote.getPassingShare()).isEqualTo(1);
    assertThat(remote.isRefusing()).isFalse();
  }

  @Test
  void callsThatHangAreShownWhileTheyDoAndWithTheTripTheyCaused() {
    for (int i = 0; i < 6; i++) {
      breaker.tryAcquire(breaker.now());
      clocks.advance(Duration.ofMillis(1));
    }
    String me = Thread.currentThread().getName();
    assertThat(remote.getOldestCalls())
        .containsExactly(
            "on " + me + " for 6 ms",
            "on " + me + " for 5 ms",
            "on " + me + " for 4 ms",
            "on " + me + " for 3 ms",
            "on " + me + " for 2 ms");
    assertThat(remote.getHungCount()).isZero();

    clocks.advance(Duration.ofSeconds(2));
    breaker.tick();

    assertThat(remote.getState()).isEqualTo("OPEN");
    assertThat(remote.getInFlight()).isEqualTo(6);
    assertThat(remote.getHungCount()).isEqualTo(6);
    assertThat(remote.getSlowCount()).isZero();
    assertThat(remote.getLastTrip()).startsWith("6 calls hang for 2000 ms or more");
    assertThat(remote.getLastTripHungCalls()).isEqualTo(6);
    assertThat(remote.getLastTripOldestCalls())
        .hasSize(5)
        .allMatch(call -> call.matches("BreakerMBeanTest.calls\\S+ on " + me + " for 200[2-6] ms"));

    clocks.advance(Duration.ofSeconds(1));
    assertThat(remote.getOldestCalls()[0]).matches("\\S+ on " + me + " for 3006 ms");
    assertThat(remote.getLastTripOldestCalls()[0]).endsWith(" for 2006 ms");
  }

  @Test
  void theLastTripIsAlsoOneThatEndedARampButNotAFailedProbe() {
    trip();
    remote.probeNow("again");
    call(Outcome.FAILURE, Duration.ofMillis(1), new IllegalStateException("not yet"));
    assertThat(remote.getReason()).startsWith("probe failed");
    assertThat(remote.getLastTrip()).isEqualTo("5 consecutive failures");

    breaker.apply(3, BreakerState.CLOSED, Duration.ZERO, 1, "fleet", "it is back");
    assertThat(remote.getState()).isEqualTo("RAMPING");
    long passed = breaker.tryAcquire(breaker.now());
    assertThat(passed).isPositive();
    remote.set("consecutiveFailures", "1", "hung calls are few");
    clocks.advance(Duration.ofMillis(2001));
    breaker.tick();

    assertThat(remote.getState()).isEqualTo("OPEN");
    assertThat(remote.getLastTrip()).startsWith("1 call hangs for 2000 ms or more");
    assertThat(remote.getLastTripHungCalls()).isEqualTo(1);
  }

  @Test
  void callsRefusedBecauseTooManyAreUnderWayAreToldApart() {
    assertThat(remote.getMaxConcurrentCalls()).as("no server, no limit").isZero();
    assertThat(remote.getMaxConcurrentCallsSetting()).isEqualTo("auto");
    remote.set("maxConcurrentCalls", "2", "fragile");
    for (int i = 0; i < 3; i++) {
      breaker.tryAcquire(breaker.now());
    }

    assertThat(remote.getMaxConcurrentCalls()).isEqualTo(2);
    assertThat(remote.getMaxConcurrentCallsSetting()).isEqualTo("2");
    assertThat(remote.getInFlight()).isEqualTo(2);
    assertThat(remote.getFullCount()).isEqualTo(1);
    assertThat(remote.getShedCount()).isEqualTo(1);
    assertThat(remote.isRefusing()).isTrue();
    assertThat(remote.getState()).isEqualTo("CLOSED");

    breaker.apply(0, BreakerState.OPEN, Duration.ofSeconds(5), 1, "fleet", "down");
    breaker.tryAcquire(breaker.now());
    assertThat(remote.getFullCount()).as("what an open one refuses is not FULL").isEqualTo(1);
    assertThat(remote.getShedCount()).isEqualTo(2);
  }

  @Test
  void aConsoleWithoutOurClassesReadsOpenTypesOnly() throws Exception {
    assertThat(connection.getAttribute(name, "Latency")).isInstanceOf(CompositeData.class);
    assertThat(connection.getAttribute(name, "States")).isInstanceOf(TabularData.class);
    assertThat(connection.getAttribute(name, "Settings")).isInstanceOf(TabularData.class);
    assertThat(connection.getAttribute(name, "State")).isInstanceOf(String.class);
  }

  @Test
  void timesFollowATimeOfDayThatIsSetAnew() {
    trip();
    clocks.setTimeOfDay(Duration.ofHours(1));

    assertThat(remote.getSince()).isEqualTo("2026-03-01T13:00:00.050Z");
    assertThat(remote.getUntil()).isEqualTo("2026-03-01T13:00:05.050Z");
  }

  @Test
  void theSameMomentReadsTheSameWhileTheClocksTickApartALittle() {
    trip();
    clocks.setTimeOfDay(Duration.ofMillis(5));

    assertThat(remote.getSince()).isEqualTo("2026-03-01T12:00:00.050Z");
  }

  @Test
  void historyKeepsTheLatest32() {
    for (int i = 1; i <= 20; i++) {
      breaker.override(override("change " + i));
      breaker.release("ann", "back " + i);
      breaker.dispatch();
    }

    assertThat(remote.getHistory()).hasSize(32);
    assertThat(remote.getHistory()[0]).contains("AUTO -> SHADOW: change 5 (by ann)");
    assertThat(remote.getHistory()[31]).contains("SHADOW -> AUTO: back 20 (by ann)");
  }

  private ModeOverride override(String reason) {
    return new ModeOverride(
        Mode.SHADOW, breaker.now() + Duration.ofMinutes(1).toNanos(), "ann", reason, false);
  }

  // ---- what a console shows beside them

  @Test
  void everyAttributeOperationAndParameterIsDescribed() throws Exception {
    MBeanInfo info = connection.getMBeanInfo(name);

    assertThat(info.getDescription()).isEqualTo("The breaker of one dependency.");
    assertThat(info.getAttributes()).hasSizeGreaterThan(43);
    assertThat(info.getOperations()).hasSize(10);
    assertThat(info.getAttributes()).allSatisfy(BreakerMBeanTest::isDescribed);
    for (MBeanOperationInfo operation : info.getOperations()) {
      isDescribed(operation);
      assertThat(operation.getImpact()).isEqualTo(MBeanOperationInfo.ACTION);
      assertThat(operation.getSignature()).allSatisfy(BreakerMBeanTest::isDescribed);
    }
    assertThat(info.getAttributes())
        .filteredOn(a -> a.getName().equals("RetryAfterMillis"))
        .singleElement()
        .satisfies(a -> assertThat(a.getDescription()).contains("in milliseconds"));
    assertThat(info.getAttributes())
        .filteredOn(MBeanAttributeInfo::isIs)
        .extracting(MBeanFeatureInfo::getDescription)
        .contains("Whether calls are refused now, all or some: by state, mode or limit.");
    assertThat(info.getNotifications())
        .singleElement()
        .satisfies(
            n ->
                assertThat(n.getNotifTypes())
                    .containsExactly(AttributeChangeNotification.ATTRIBUTE_CHANGE));
  }

  private static void isDescribed(MBeanFeatureInfo feature) {
    assertThat(feature.getDescription())
        .as(feature.getName())
        .contains(" ")
        .isNotEqualTo(feature.getName())
        .doesNotContain("Operation exposed")
        .doesNotContain("Attribute exposed");
  }

  @ParameterizedTest
  @CsvSource({
    "forceOpen, 'seconds, reason'",
    "forceClosed, 'seconds, reason'",
    "shadow, 'seconds, reason'",
    "forceOpenFleet, 'seconds, reason'",
    "forceClosedFleet, 'seconds, reason'",
    "shadowFleet, 'seconds, reason'",
    "release, reason",
    "reset, reason",
    "probeNow, reason",
    "set, 'setting, value, reason'"
  })
  void operationParametersHaveNames(String operation, String parameters) throws Exception {
    MBeanOperationInfo info =
        Arrays.stream(connection.getMBeanInfo(name).getOperations())
            .filter(o -> o.getName().equals(operation))
            .findFirst()
            .orElseThrow();

    assertThat(
            Arrays.stream(info.getSignature())
                .map(MBeanParameterInfo::getName)
                .collect(Collectors.joining(", ")))
        .isEqualTo(parameters);
  }

  // ---- operations

  @Test
  void forcedModesTakeHoldAndExpire() {
    assertThat(remote.forceOpen(300, "deploy")).isEqualTo("AUTO -> FORCED_OPEN for 300 s");

    assertThat(remote.getMode()).isEqualTo("FORCED_OPEN");
    assertThat(remote.getModeReason()).isEqualTo("deploy");
    assertThat(remote.getModeBy()).isEqualTo(System.getProperty("user.name"));
    assertThat(remote.getModeUntil()).isEqualTo("2026-03-01T12:05:00.000Z");
    assertThat(remote.isModeFleetWide()).isFalse();
    assertThat(remote.isRefusing()).isTrue();
    assertThat(remote.getState()).isEqualTo("CLOSED");

    assertThat(remote.forceClosed(60, "retry")).isEqualTo("FORCED_OPEN -> FORCED_CLOSED for 60 s");
    assertThat(remote.shadow(1, "look")).isEqualTo("FORCED_CLOSED -> SHADOW for 1 s");
    clocks.advance(Duration.ofSeconds(1));
    breaker.tick();
    assertThat(remote.getMode()).isEqualTo("AUTO");
    assertThat(remote.getModeReason()).isEmpty();
  }

  @Test
  void releaseEndsTheOverride() {
    remote.forceOpen(300, "deploy");

    assertThat(remote.release("done")).isEqualTo("FORCED_OPEN -> AUTO");
    assertThat(remote.getMode()).isEqualTo("AUTO");
  }

  @Test
  void resetClosesAnOpenBreaker() {
    trip();

    assertThat(remote.reset("fixed")).isEqualTo("OPEN -> CLOSED, window emptied");
    assertThat(remote.getState()).isEqualTo("CLOSED");
    assertThat(remote.getCause()).isEqualTo("OPERATOR");
    assertThat(remote.getWindowCalls()).isZero();
  }

  @Test
  void probeNowMakesAnOpenBreakerProbe() {
    trip();

    assertThat(remote.probeNow("it is back")).isEqualTo("OPEN -> HALF_OPEN");
    assertThat(remote.getState()).isEqualTo("HALF_OPEN");
  }

  @Test
  void setChangesTheRunningBreaker() {
    assertThat(remote.set("failureRateThreshold", "0.4", "too lax"))
        .isEqualTo("failureRateThreshold: 0.5 -> 0.4 (config version 2)");
    assertThat(remote.set("slowCallDuration", " 500ms ", "too lax"))
        .isEqualTo("slowCallDuration: 2s -> 500ms (config version 3)");

    assertThat(remote.getSettings())
        .containsEntry("failureRateThreshold", "0.4")
        .containsEntry("slowCallDuration", "500ms");
    assertThat(remote.getConfigVersion()).isEqualTo(3);
    assertThat(breaker.config().failureRateThreshold()).isEqualTo(0.4);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 86_401, Long.MAX_VALUE, Long.MIN_VALUE})
  void secondsOutOfRangeAreRefused(long seconds) {
    for (Throwable refusal :
        List.of(
            catchThrowable(() -> remote.forceOpen(seconds, "why")),
            catchThrowable(() -> remote.forceClosed(seconds, "why")),
            catchThrowable(() -> remote.shadow(seconds, "why")),
            catchThrowable(() -> remote.forceOpenFleet(seconds, "why")),
            catchThrowable(() -> remote.forceClosedFleet(seconds, "why")),
            catchThrowable(() -> remote.shadowFleet(seconds, "why")))) {
      assertRefused(
          refusal,
          IllegalArgumentException.class,
          "seconds: " + seconds + " (expected: 1 to 86400)");
    }
    assertThat(remote.getMode()).isEqualTo("AUTO");
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "NULL",
      value = {
        "NULL, null",
        "'', '\"\"'",
        "'  ', '\"  \"'",
        "String, '\"String\"'",
        "' String ', '\" String \"'",
        "'a\nb', '\"a?b\"'",
        "'a\u001b[31mb', '\"a?[31mb\"'"
      })
  void aReasonThatSaysNothingIsRefused(String reason, String shown) {
    for (Throwable refusal :
        List.of(
            catchThrowable(() -> remote.forceOpen(1, reason)),
            catchThrowable(() -> remote.forceClosed(1, reason)),
            catchThrowable(() -> remote.shadow(1, reason)),
            catchThrowable(() -> remote.forceOpenFleet(1, reason)),
            catchThrowable(() -> remote.forceClosedFleet(1, reason)),
            catchThrowable(() -> remote.shadowFleet(1, reason)),
            catchThrowable(() -> remote.release(reason)),
            catchThrowable(() -> remote.reset(reason)),
            catchThrowable(() -> remote.probeNow(reason)),
            catchThrowable(() -> remote.set("minimumCalls", "9", reason)))) {
      assertRefused(refusal, IllegalArgumentException.class, "reason: " + shown + " (expected: ");
    }
    assertThat(remote.getConfigVersion()).isEqualTo(1);
  }

  @Test
  void aReasonHasAtMost200Characters() {
    assertRefused(
        catchThrowable(() -> remote.forceOpen(1, "x".repeat(201))),
        IllegalArgumentException.class,
        "... of 201 characters (expected: why you do this, at most 200 characters");

    remote.forceOpen(1, "x".repeat(200));
    assertThat(remote.getModeReason()).hasSize(200);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "NULL",
      delimiter = '|',
      value = {
        "failureRate | 0.4 | failureRate: no such setting (expected one of: failureRateThreshold,",
        "String | String | setting: \"String\" (expected: one of the keys of Settings",
        "NULL | 1 | setting: null (expected: one of the keys of Settings",
        "failureRateThreshold | NULL | failureRateThreshold: null (expected: a value such as 0.5",
        "failureRateThreshold | String | failureRateThreshold: \"String\" (expected: a value",
        "failureRateThreshold | lots | failureRateThreshold: lots (expected: a number such as 0.5)",
        "failureRateThreshold | 1.5 | failureRateThreshold: 1.5 (expected: > 0 and <= 1)",
        "failureRateThreshold | NaN | failureRateThreshold: NaN (expected: > 0 and <= 1)",
        "minimumCalls | 1.5 | minimumCalls: 1.5 (expected: a whole number)",
        "minimumCalls | 99999999999 | minimumCalls: 99999999999 (expected: a whole number)",
        "slowCallDuration | 5 | slowCallDuration: 5 (expected: a duration such as 500ms",
        "slowCallDuration | 2d | slowCallDuration: PT48H (expected: a duration from 1 ms to 1 day)",
        "maxOpenDuration | 1s | maxOpenDuration: PT1S (expected: at least openDuration",
        "windowType | COUNT | windowType: COUNT (expected: TIME, as built",
      })
  void aBadSettingIsRefused(String setting, String value, String message) {
    assertRefused(
        catchThrowable(() -> remote.set(setting, value, "why")),
        IllegalArgumentException.class,
        message);
    assertThat(remote.getConfigVersion()).isEqualTo(1);
  }

  @Test
  void whatWouldChangeNothingIsRefused() {
    assertRefused(
        catchThrowable(() -> remote.release("why")),
        IllegalStateException.class,
        "nothing to release: the mode of inventory is AUTO");
    assertRefused(
        catchThrowable(() -> remote.probeNow("why")),
        IllegalStateException.class,
        "nothing to probe: inventory is CLOSED, not OPEN");
    assertRefused(
        catchThrowable(() -> remote.set("minimumCalls", "20", "why")),
        IllegalStateException.class,
        "nothing to set: minimumCalls of inventory is 20 already");
  }

  @Test
  void withoutRedisThereIsNoFleet() {
    for (Throwable refusal :
        List.of(
            catchThrowable(() -> remote.forceOpenFleet(1, "why")),
            catchThrowable(() -> remote.forceClosedFleet(1, "why")),
            catchThrowable(() -> remote.shadowFleet(1, "why")))) {
      assertRefused(
          refusal, IllegalStateException.class, "no fleet: state is kept in memory only, Redis");
    }
    assertThat(remote.getMode()).isEqualTo("AUTO");
  }

  private static void assertRefused(
      Throwable refusal, Class<? extends Throwable> type, String message) {
    assertThat(refusal).isExactlyInstanceOf(type).hasMessageContaining(message);
    for (Throwable t = refusal; t != null; t = t.getCause()) {
      assertThat(t.getClass().getName()).matches("javax?\\..*");
    }
  }

  @Test
  void aConsoleWithoutOurClassesGetsTheRefusalToo() {
    assertThatThrownBy(
            () ->
                connection.invoke(
                    name,
                    "forceOpen",
                    new Object[] {0L, "why"},
                    new String[] {"long", "java.lang.String"}))
        .isInstanceOf(RuntimeMBeanException.class)
        .hasRootCauseInstanceOf(IllegalArgumentException.class)
        .hasRootCauseMessage("seconds: 0 (expected: 1 to 86400)");
  }

  // ---- notifications

  @Test
  void aListenerHearsOfStateAndMode() throws Exception {
    List<AttributeChangeNotification> heard = new CopyOnWriteArrayList<>();
    connection.addNotificationListener(
        name, (n, handback) -> heard.add((AttributeChangeNotification) n), null, null);

    trip();
    remote.forceClosed(60, "must go on");
    breaker.dispatch();

    await().until(() -> heard.size() == 2);
    AttributeChangeNotification opened = heard.get(0);
    assertThat(opened.getSource()).isEqualTo(name);
    assertThat(opened.getAttributeName()).isEqualTo("State");
    assertThat(opened.getOldValue()).isEqualTo("CLOSED");
    assertThat(opened.getNewValue()).isEqualTo("OPEN");
    assertThat(opened.getMessage()).isEqualTo("CLOSED -> OPEN: 5 consecutive failures");
    assertThat(opened.getSequenceNumber()).isEqualTo(1);
    assertThat(opened.getTimeStamp()).isEqualTo(Clocks.START.toEpochMilli() + 50);
    AttributeChangeNotification forced = heard.get(1);
    assertThat(forced.getAttributeName()).isEqualTo("Mode");
    assertThat(forced.getOldValue()).isEqualTo("AUTO");
    assertThat(forced.getNewValue()).isEqualTo("FORCED_CLOSED");
    assertThat(forced.getMessage())
        .isEqualTo(
            "AUTO -> FORCED_CLOSED: must go on (by " + System.getProperty("user.name") + ")");
    assertThat(forced.getSequenceNumber()).isEqualTo(2);
  }

  @Test
  void inAStormAListenerHearsOfEachTransitionOnceAndInOrder() throws Exception {
    int threads = 4;
    int actsEach = 200; // within the 1,000 notifications that the connector's buffer holds
    List<AttributeChangeNotification> heard = new CopyOnWriteArrayList<>();
    connection.addNotificationListener(
        name, (n, handback) -> heard.add((AttributeChangeNotification) n), null, null);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    CountDownLatch start = new CountDownLatch(1);

    try {
      List<Future<?>> storm = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        String who = "thread " + thread;
        storm.add(
            pool.submit(
                () -> {
                  start.await();
                  for (int i = 0; i < actsEach; i++) {
                    stir(i, who);
                    breaker.dispatch();
                  }
                  return null;
                }));
      }
      start.countDown();
      for (Future<?> part : storm) {
        part.get(30, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }

    long last = breaker.snapshot().sequence();
    assertThat(last).isGreaterThan(actsEach);
    await().until(() -> heard.size() >= last);
    assertThat(heard)
        .extracting(AttributeChangeNotification::getSequenceNumber)
        .containsExactlyElementsOf(LongStream.rangeClosed(1, last).boxed().toList());
    Map<String, Object> known = new HashMap<>(Map.of("State", "CLOSED", "Mode", "AUTO"));
    for (AttributeChangeNotification change : heard) {
      assertThat(known.put(change.getAttributeName(), change.getNewValue()))
          .as("value before %s", change.getMessage())
          .isEqualTo(change.getOldValue());
    }
  }

  private void stir(int act, String who) {
    switch (act % 4) {
      case 0 -> breaker.override(override(who + " " + act));
      case 1 ->
          breaker.apply(
              breaker.snapshot().sequence(),
              BreakerState.OPEN,
              Duration.ofSeconds(1),
              1,
              who,
              "storm");
      case 2 -> breaker.probeNow(who, "storm");
      default -> breaker.reset(who, "storm");
    }
  }
}
