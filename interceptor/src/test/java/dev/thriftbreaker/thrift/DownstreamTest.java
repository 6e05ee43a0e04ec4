package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerConfig.DownstreamShed;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A dependency that is itself a server which sheds. */
class DownstreamTest {

  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 1_000);
  private final AtomicInteger reached = new AtomicInteger();
  private RequestPath path;

  private CircuitBreaker breaker(UnaryOperator<BreakerConfig.Builder> settings) {
    return new CircuitBreaker(
        "inventory",
        settings.apply(BreakerConfig.builder().openJitter(0)).build(),
        clock::get,
        () -> 0.5,
        () -> {});
  }

  private Downstream listening(CircuitBreaker breaker) {
    Downstream downstream = new Downstream(breaker);
    breaker.addListener(downstream);
    return downstream;
  }

  private Throwable call(Downstream downstream, Exception thrown) {
    return catchThrowable(
        () ->
            Guard.call(
                downstream,
                () -> {
                  reached.incrementAndGet();
                  if (thrown != null) {
                    throw thrown;
                  }
                  return null;
                }));
  }

  private static TApplicationException shed(long retryAfterMillis) {
    return new TApplicationException(
        11, "SHED dependency=db state=OPEN retryAfterMs=" + retryAfterMillis);
  }

  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  // ---- how it is judged

  @ParameterizedTest
  @EnumSource(names = {"BINARY", "COMPACT", "JSON"})
  void countsAServersShedAsItsFailureOrNotAtAll(Language language) throws Exception {
    // given a server that sheds
    CircuitBreaker db = Breakers.closed("db");
    TProcessor processor =
        new RequestPath(Map.of("db", db), Map.of("reserve", List.of("db")), System::nanoTime)
            .wrap(new Stock.Processor<>(new ConformanceTest.RealStock()));
    Breakers.open(db);
    CircuitBreaker counting = breaker(s -> s);
    CircuitBreaker ignoring = breaker(s -> s.downstreamShed(DownstreamShed.IGNORED));
    try (TestServer server = new TestServer(Kind.THREAD_POOL, Wire.FRAMED, language, processor);
        Connection connection = server.connect()) {
      Stock.Client client = new Stock.Client(connection.protocol);

      // when
      for (CircuitBreaker breaker : List.of(counting, ignoring)) {
        Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, client);
        assertThatThrownBy(() -> guarded.reserve("plum", 1))
            .isInstanceOf(TApplicationException.class)
            .isNotInstanceOf(BreakerOpenException.class)
            .satisfies(shed -> assertThat(Shed.of(shed)).isPresent());
        assertThat(guarded.ping(1)).isEqualTo(1);
      }
    }

    // then
    assertThat(counting.snapshot().failures()).isEqualTo(1);
    assertThat(counting.snapshot().ignored()).isZero();
    assertThat(ignoring.snapshot().failures()).isZero();
    assertThat(ignoring.snapshot().ignored()).isEqualTo(1);
  }

  @Test
  void ignoresNothingElseThanSheds() {
    CircuitBreaker breaker = breaker(s -> s.downstreamShed(DownstreamShed.IGNORED));
    Downstream downstream = listening(breaker);

    call(downstream, new TApplicationException(11, "SHED dependency=db state=OPEN"));
    call(downstream, new TApplicationException(6, "Internal error processing reserve"));
    call(downstream, new IllegalStateException(shed(1).getMessage()));

    assertThat(breaker.snapshot().failures()).isEqualTo(3);
  }

  @Test
  void letsTheUsersOwnRulesGoFirst() {
    CircuitBreaker breaker =
        breaker(s -> s.downstreamShed(DownstreamShed.IGNORED).failOn(TApplicationException.class));

    call(listening(breaker), shed(1));

    assertThat(breaker.snapshot().failures()).isEqualTo(1);
  }

  // ---- holding off

  @Test
  void leavesTheDependencyAloneForAsLongAsItTold() {
    // given
    CircuitBreaker breaker = breaker(s -> s.honorRetryAfter(true));
    Downstream downstream = listening(breaker);
    call(downstream, shed(4_000));
    pass(Duration.ofMillis(1_500));

    // when
    Throwable refused = call(downstream, null);

    // then it is refused here, and the breaker stays closed
    assertThat(refused)
        .isInstanceOf(BreakerOpenException.class)
        .hasMessage("SHED dependency=inventory state=HOLD_OFF retryAfterMs=2500");
    assertThat(reached).hasValue(1);
    BreakerSnapshot counted = breaker.snapshot();
    assertThat(counted.state()).isEqualTo(BreakerState.CLOSED);
    assertThat(counted.refused()).isEqualTo(1);
    assertThat(counted.inFlight()).isZero();
    assertThat(downstream.heldOff()).isEqualTo(1);

    // when its time is over
    pass(Duration.ofMillis(2_500));
    assertThat(call(downstream, null)).isNull();
    assertThat(reached).hasValue(2);
  }

  @Test
  void sharesTheHoldOffAmongAllGuardsOfTheDependency() {
    CircuitBreaker breaker = breaker(s -> s.honorRetryAfter(true));
    Downstream downstream = listening(breaker);
    Stock.Iface guarded =
        Guard.of(
            downstream,
            Stock.Iface.class,
            new ConformanceTest.RealStock(),
            null,
            FallbackOn.REFUSAL);
    Stock.Iface withFallback =
        Guard.of(
            downstream,
            Stock.Iface.class,
            new ConformanceTest.RealStock(),
            new ConformanceTest.RealStock(),
            FallbackOn.REFUSAL);

    call(downstream, new ExecutionException(shed(4_000)));

    assertThatThrownBy(() -> guarded.reserve("plum", 1)).hasMessageContaining("HOLD_OFF");
    assertThat(catchThrowable(() -> withFallback.reserve("plum", 1))).isNull();
    assertThat(downstream.fallbacks()).isEqualTo(1);
    assertThat(downstream.heldOff()).isEqualTo(2);
  }

  @Test
  void holdsOffNoLongerThanTheLongestOpenTime() {
    Downstream downstream =
        listening(
            breaker(
                s ->
                    s.honorRetryAfter(true)
                        .openDuration(Duration.ofSeconds(1))
                        .maxOpenDuration(Duration.ofSeconds(3))));

    call(downstream, shed(999_999_999_999_999L));

    assertThat(call(downstream, null)).hasMessageEndingWith("retryAfterMs=3000");
    pass(Duration.ofSeconds(3));
    assertThat(call(downstream, null)).isNull();
  }

  @Test
  void keepsTheLatestEndWhenToldDifferentTimes() {
    Downstream downstream = listening(breaker(s -> s.honorRetryAfter(true)));
    catchThrowable(
        () ->
            Guard.call(
                downstream,
                () -> {
                  call(downstream, shed(4_000));
                  throw shed(1_000);
                }));

    assertThat(call(downstream, null)).hasMessageEndingWith("retryAfterMs=4000");
  }

  @Test
  void holdsOffOnlyWhenToldSoByAnotherServerAndWhenSet() {
    CircuitBreaker breaker = breaker(s -> s);
    Downstream unset = listening(breaker);
    call(unset, shed(4_000));
    assertThat(call(unset, null)).isNull();
    breaker.configure(breaker.config().toBuilder().honorRetryAfter(true).build());
    assertThat(call(unset, null)).isNull();

    Downstream set = listening(breaker(s -> s.honorRetryAfter(true)));
    call(set, shed(0));
    call(set, new BreakerOpenException(new Refusal("payments", "OPEN", 4_000_000_000L)));
    call(
        set,
        new ExecutionException(
            new BreakerOpenException(new Refusal("payments", "OPEN", 4_000_000_000L))));
    assertThat(call(set, null)).isNull();
    assertThat(set.heldOff()).isZero();
  }

  @Test
  void spendsNoProbeWhileHoldingOff() {
    // given a breaker that is half open, whose first probe is shed
    CircuitBreaker breaker =
        breaker(s -> s.honorRetryAfter(true).downstreamShed(DownstreamShed.IGNORED).probes(1));
    Downstream downstream = listening(breaker);
    Breakers.open(breaker);
    breaker.probeNow("test", "test");
    breaker.dispatch();
    call(downstream, shed(4_000));
    assertThat(breaker.snapshot().state()).isEqualTo(BreakerState.HALF_OPEN);

    // when
    assertThat(call(downstream, null)).hasMessageContaining("HOLD_OFF");

    // then
    assertThat(breaker.refuses(breaker.now())).isFalse();
    pass(Duration.ofSeconds(4));
    assertThat(call(downstream, null)).isNull();
  }

  @Test
  void endsWhenAnOperatorActsOnTheBreakerOrTurnsItOff() {
    CircuitBreaker breaker = breaker(s -> s.honorRetryAfter(true));
    Downstream downstream = listening(breaker);

    // a reset of a closed breaker is no transition, an override is
    call(downstream, shed(4_000));
    breaker.override(
        new ModeOverride(
            Mode.FORCED_CLOSED,
            breaker.now() + Duration.ofMinutes(1).toNanos(),
            "op",
            "false alarm",
            false));
    breaker.dispatch();
    assertThat(call(downstream, null)).isNull();

    // while it is in force none begins
    call(downstream, shed(4_000));
    assertThat(call(downstream, null)).isNull();
    breaker.release("op", "done");
    assertThat(call(downstream, null)).isNull();

    call(downstream, shed(4_000));
    assertThat(call(downstream, null)).hasMessageContaining("HOLD_OFF");
    breaker.configure(breaker.config().toBuilder().honorRetryAfter(false).build());
    assertThat(call(downstream, null)).isNull();
  }

  // ---- at the door

  /** Sheds all reservations but those of plums. */
  private final class SheddingStock implements Stock.Iface {
    @Override
    public int reserve(String sku, int quantity) throws TException {
      reached.incrementAndGet();
      if (!sku.equals("plum")) {
        throw shed(4_000);
      }
      return quantity;
    }

    @Override
    public long ping(long number) {
      return number;
    }

    @Override
    public void touch() {}
  }

  private TestServer server(Downstream downstream, List<String> declared) throws Exception {
    Stock.Iface guarded =
        Guard.of(downstream, Stock.Iface.class, new SheddingStock(), null, FallbackOn.REFUSAL);
    path =
        new RequestPath(
            Map.of("inventory", downstream),
            declared == null ? Map.of() : Map.of("reserve", declared),
            declared == null,
            new Workers(null),
            clock::get,
            new ShedReplies(),
            MethodBreakers.NONE);
    return new TestServer(
        Kind.THREAD_POOL,
        Wire.FRAMED,
        Language.BINARY,
        path.wrap(new Warehouse.Processor<>(new WarehouseHandler(guarded))));
  }

  private MethodStats reserve() {
    return path.methods().stream()
        .filter(method -> method.name().equals("reserve"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shedsRequestsThatNeedADependencyWhichIsHeldOff() throws Exception {
    // given
    CircuitBreaker breaker = breaker(s -> s.honorRetryAfter(true));
    Downstream downstream = listening(breaker);
    try (TestServer server = server(downstream, List.of("inventory"));
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);
      assertThatThrownBy(() -> client.reserve("pear", 1)).hasMessageContaining("dependency=db");
      pass(Duration.ofMillis(1_500));

      // when / then
      assertThatThrownBy(() -> client.reserve("plum", 1))
          .hasMessage("SHED dependency=inventory state=HOLD_OFF retryAfterMs=2500");
      assertThat(reached).hasValue(1);
      assertThat(reserve().sheds()).isEqualTo(1);
      assertThat(downstream.heldOff()).isEqualTo(1);
      assertThat(breaker.snapshot().refused()).isEqualTo(1);
      assertThat(breaker.snapshot().state()).isEqualTo(BreakerState.CLOSED);
      assertThat(client.count(List.of())).isZero();

      // and when its time is over
      pass(Duration.ofMillis(2_500));
      assertThat(client.reserve("plum", 1)).isEqualTo(1);
    }
  }

  @Test
  void shedsNothingAtTheDoorWhereTheSettingIsOffOrTheMethodNeedsNothing() throws Exception {
    for (boolean honoring : new boolean[] {false, true}) {
      Downstream downstream = listening(breaker(s -> s.honorRetryAfter(honoring)));
      List<String> declared = honoring ? List.of() : List.of("inventory");
      try (TestServer server = server(downstream, declared);
          Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);
        catchThrowable(() -> client.reserve("pear", 1));

        catchThrowable(() -> client.reserve("plum", 1));

        assertThat(reserve().sheds()).isZero();
      }
    }
  }

  @Test
  void learnsFromAHoldOffThatAMethodNeedsTheDependency() throws Exception {
    // given a method that uses it in each request
    Downstream downstream = listening(breaker(s -> s.honorRetryAfter(true)));
    try (TestServer server = server(downstream, null);
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);
      for (int i = 0; i < 20; i++) {
        assertThat(client.reserve("plum", 1)).isEqualTo(1);
      }

      // when
      for (int i = 0; i < 50; i++) {
        assertThat(catchThrowable(() -> client.reserve("pear", 1))).hasMessageStartingWith("SHED");
      }

      // then
      assertThat(reserve().requires()).containsExactly("inventory");
      assertThat(reserve().sheds()).isBetween(30L, 40L);
      assertThat(reached).hasValue(21);
    }
  }
}
