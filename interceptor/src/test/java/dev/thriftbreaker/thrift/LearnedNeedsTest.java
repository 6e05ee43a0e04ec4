package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.Requirement.Source;
import dev.thriftbreaker.thrift.Requirement.Word;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Servers for whose methods nothing is declared learn from requests over sockets which dependencies
 * their methods need.
 */
class LearnedNeedsTest {

  private static final BreakerConfig SLOW_TO_PROBE =
      BreakerConfig.builder()
          .earlyProbeInterval(Duration.ZERO)
          .rampInterval(Duration.ZERO)
          .openDuration(Duration.ofMinutes(1))
          .maxOpenDuration(Duration.ofMinutes(1))
          .build();

  private final CircuitBreaker stock = Breakers.closed("stock", SLOW_TO_PROBE);
  private final CircuitBreaker bank = Breakers.closed("bank", SLOW_TO_PROBE);
  private final RequestPath path = learning(Map.of());
  private final AtomicInteger handled = new AtomicInteger();
  private volatile boolean copes;
  private TestServer server;
  private Connection connection;
  private Warehouse.Client client;

  private RequestPath learning(Map<String, List<String>> declared) {
    return new RequestPath(Map.of("stock", stock, "bank", bank), declared, true, System::nanoTime);
  }

  private void serve(TProcessor processor) throws Exception {
    serve(Kind.THREAD_POOL, Wire.FRAMED, Language.BINARY, processor);
  }

  private void serve(Kind kind, Wire wire, Language language, TProcessor processor)
      throws Exception {
    server = new TestServer(kind, wire, language, processor);
    connection = server.connect();
    client = new Warehouse.Client(connection.protocol);
  }

  @AfterEach
  void stop() {
    if (server != null) {
      connection.close();
      server.close();
    }
  }

  /** Reserving needs the stock, unless the handler copes. */
  private TProcessor processor(RequestPath path) {
    return path.wrap(new Warehouse.Processor<>(new WarehouseHandler(new CountedStock(stock))));
  }

  private class CountedStock implements Stock.Iface {
    private final Stock.Iface guarded;

    CountedStock(CircuitBreaker breaker) {
      guarded = Guard.of(breaker, Stock.Iface.class, new ConformanceTest.RealStock());
    }

    @Override
    public int reserve(String sku, int quantity) throws TException {
      handled.incrementAndGet();
      try {
        return guarded.reserve(sku, quantity);
      } catch (BreakerOpenException e) {
        if (copes) {
          return -1;
        }
        throw e;
      }
    }

    @Override
    public long ping(long number) throws TException {
      return guarded.ping(number);
    }

    @Override
    public void touch() throws TException {
      guarded.touch();
    }
  }

  /** Returns how many reached the handler. */
  private int reserve(int requests) {
    handled.set(0);
    for (int i = 0; i < requests; i++) {
      Throwable thrown = catchThrowable(() -> client.reserve("apple", 1));
      if (thrown != null) {
        assertThat(thrown)
            .isInstanceOf(TApplicationException.class)
            .hasMessageStartingWith("SHED dependency=");
      }
    }
    return handled.get();
  }

  private MethodStats stats(String name) {
    return stats(path, name);
  }

  private static MethodStats stats(RequestPath path, String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  /** A caller has its reply a moment before the server counts the request as ended. */
  private void awaitEnds() {
    await().untilAsserted(() -> assertThat(stats("reserve").inFlight()).isZero());
  }

  // ---- what is learned

  @ParameterizedTest
  @CsvSource({
    "THREAD_POOL, PLAIN, JSON",
    "THREAD_POOL, FAST_FRAMED, COMPACT",
    "HSHA, FRAMED, BINARY",
    "HSHA, FRAMED, TUPLE",
    "THREADED_SELECTOR, FRAMED, COMPACT"
  })
  void aMethodThatNeedsADependencyIsShedAfterTheFirstRefusals(
      Kind kind, Wire wire, Language language) throws Exception {
    // given
    serve(kind, wire, language, processor(path));
    assertThat(reserve(20)).isEqualTo(20);
    assertThat(stats("reserve").requires()).isEmpty();

    // when
    Breakers.open(stock);

    // then: a few more than these may be let through to see whether the handler copes
    assertThat(reserve(200)).isBetween(10, 20);
    assertThat(stats("reserve").requires()).containsExactly("stock");
    assertThat(stats("reserve").sheds()).isBetween(180L, 190L);
    assertThat(stats("count").requires()).isEmpty();
    assertThat(client.count(List.of())).isZero();

    // and the next time from the first refusal on
    Breakers.close(stock);
    assertThat(reserve(20)).isEqualTo(20);
    Breakers.open(stock);
    assertThat(reserve(20)).isLessThan(5);
  }

  @Test
  void aMethodThatCopesIsNeverShed() throws Exception {
    // given
    copes = true;
    serve(processor(path));
    reserve(50);
    Breakers.open(stock);

    // when
    for (int i = 0; i < 5_000; i++) {
      assertThat(client.reserve("apple", 1)).isEqualTo(-1);
    }

    // then
    awaitEnds();
    assertThat(stats("reserve").sheds()).isZero();
    assertThat(stats("reserve").successes()).isEqualTo(5_050);
    assertThat(stats("reserve").requires()).isEmpty();
    assertThat(stats("reserve").requirements().all())
        .singleElement()
        .satisfies(
            requirement -> {
              assertThat(requirement.needed()).isFalse();
              assertThat(requirement.uses()).isPositive().isEqualTo(requirement.requests());
              assertThat(requirement.refusals()).isPositive();
              assertThat(requirement.failures()).isZero();
            });
  }

  @Test
  void aMethodThatCopesIsSeenToDoSoOverTuples() throws Exception {
    copes = true;
    serve(Kind.THREAD_POOL, Wire.FRAMED, Language.TUPLE, processor(path));
    Breakers.open(stock);

    reserve(50);

    awaitEnds();
    Requirement learned = stats("reserve").requirements().about("stock");
    assertThat(learned.needed()).isFalse();
    assertThat(learned.refusals()).isPositive();
    assertThat(learned.failures()).isZero();
  }

  @Test
  void aMethodThatSeldomUsesADependencyIsNeverShed() throws Exception {
    // given a handler that asks the bank for one request in five
    AtomicInteger number = new AtomicInteger();
    Stock.Iface guarded = Guard.of(bank, Stock.Iface.class, new ConformanceTest.RealStock());
    WarehouseHandler handler =
        new WarehouseHandler(
            new CountedStock(stock) {
              @Override
              public int reserve(String sku, int quantity) throws TException {
                int reserved = super.reserve(sku, quantity);
                return number.incrementAndGet() % 5 == 0
                    ? guarded.reserve(sku, quantity)
                    : reserved;
              }
            });
    serve(path.wrap(new Warehouse.Processor<>(handler)));
    reserve(50);
    Breakers.open(bank);

    // when / then
    assertThat(reserve(1_000)).isEqualTo(1_000);
    awaitEnds();
    assertThat(stats("reserve").sheds()).isZero();
    assertThat(stats("reserve").failures()).isEqualTo(200);
  }

  @Test
  void aMethodThatIsDeclaredToNeedNothingLearnsNothing() throws Exception {
    RequestPath declared = learning(Map.of("reserve", List.of()));
    serve(processor(declared));
    Breakers.open(stock);

    assertThat(reserve(200)).isEqualTo(200);
    assertThat(stats(declared, "reserve").requirements().all()).isEmpty();
  }

  @Test
  void aMethodWithDeclaredRequirementsLearnsNoOthersAndKeepsThem() throws Exception {
    RequestPath declared = learning(Map.of("reserve", List.of("bank")));
    serve(processor(declared));
    Breakers.open(stock);

    assertThat(reserve(200)).isEqualTo(200);
    Breakers.open(bank);
    copes = true;
    assertThat(reserve(1_000)).isZero();
    assertThat(stats(declared, "reserve").requires()).containsExactly("bank");
  }

  @Test
  void aPathThatDoesNotLearnShedsNothingUndeclared() throws Exception {
    RequestPath plain = new RequestPath(Map.of("stock", stock), Map.of(), false, System::nanoTime);
    serve(processor(plain));
    Breakers.open(stock);

    assertThat(reserve(200)).isEqualTo(200);
    assertThat(stats(plain, "reserve").requirements().all()).isEmpty();
  }

  @Test
  void onewayRequestsTeachNothingSinceNobodyCanTellHowTheyEnded() throws Exception {
    serve(processor(path));
    Breakers.open(stock);

    for (int i = 0; i < 50; i++) {
      client.noteFailing("quiet");
    }
    client.count(List.of());

    assertThat(stats("noteFailing").requests()).isEqualTo(50);
    assertThat(stats("noteFailing").requirements().all()).isEmpty();
  }

  @Test
  void aHandlerThatCopedIsNotBlamedForACallerThatIsGone() throws Exception {
    // given
    copes = true;
    TProcessor processor = processor(path);
    Breakers.open(stock);

    // when
    for (int i = 0; i < 50; i++) {
      TMemoryBuffer request = new TMemoryBuffer(64);
      new Warehouse.Client(new TBinaryProtocol(request)).send_reserve("apple", 1);
      TProtocol gone =
          new TBinaryProtocol(
              new TMemoryBuffer(64) {
                @Override
                public void flush() throws TTransportException {
                  throw new TTransportException("broken pipe");
                }
              });
      assertThatThrownBy(() -> processor.process(new TBinaryProtocol(request), gone))
          .hasMessage("broken pipe");
    }

    // then
    assertThat(stats("reserve").failures()).isEqualTo(50);
    assertThat(stats("reserve").requires()).isEmpty();
    assertThat(stats("reserve").requirements().about("stock").failures()).isZero();
  }

  @Test
  void aGuardOnAnotherThreadThanTheRequestsTeachesNothing() throws Exception {
    ExecutorService elsewhere = Executors.newSingleThreadExecutor();
    try {
      WarehouseHandler handler =
          new WarehouseHandler(
              new CountedStock(stock) {
                @Override
                public int reserve(String sku, int quantity) throws TException {
                  try {
                    return elsewhere.submit(() -> super.reserve(sku, quantity)).get();
                  } catch (Exception e) {
                    throw (TException) e.getCause();
                  }
                }
              });
      serve(path.wrap(new Warehouse.Processor<>(handler)));
      Breakers.open(stock);

      assertThat(reserve(50)).isEqualTo(50);
      assertThat(stats("reserve").requirements().all()).isEmpty();
    } finally {
      elsewhere.shutdownNow();
    }
  }

  @Test
  void aRequestServedWithinAnotherLearnsForItself() throws Exception {
    // given a handler that serves a reservation in the course of a touch, and touches the bank
    Warehouse.Iface inner = new WarehouseHandler(new CountedStock(stock));
    TProcessor innerProcessor = path.wrap(new Warehouse.Processor<>(inner));
    TMemoryBuffer request = new TMemoryBuffer(64);
    new Warehouse.Client(new TBinaryProtocol(request)).send_reserve("apple", 1);
    byte[] bytes = request.getArray().clone();
    int length = request.length();
    WarehouseHandler handler =
        new WarehouseHandler(
            new CountedStock(bank) {
              @Override
              public void touch() throws TException {
                super.touch();
                TMemoryBuffer again = new TMemoryBuffer(64);
                again.write(bytes, 0, length);
                TProtocol answer = new TBinaryProtocol(new TMemoryBuffer(64));
                innerProcessor.process(new TBinaryProtocol(again), answer);
              }
            });
    serve(path.wrap(new Warehouse.Processor<>(handler)));

    // when
    for (int i = 0; i < 20; i++) {
      client.touch("apple");
    }

    // then
    assertThat(stats("touch").requirements().all())
        .extracting(Requirement::dependency)
        .containsExactly("bank");
    assertThat(stats("reserve").requirements().all())
        .extracting(Requirement::dependency)
        .containsExactly("stock");
  }

  // ---- what is unlearned and corrected

  @Test
  void aHandlerThatCopesAtLastIsNoticedWithinSomeHundredRequests() throws Exception {
    serve(processor(path));
    Breakers.open(stock);
    reserve(50);
    assertThat(stats("reserve").requires()).containsExactly("stock");
    copes = true;

    int requests = 0;
    while (!stats("reserve").requires().isEmpty()) {
      reserve(1);
      assertThat(++requests).isLessThan(5_000);
    }
    assertThat(reserve(500)).isEqualTo(500);
  }

  @Test
  void anOperatorsWordHoldsUntilItIsTakenBack() throws Exception {
    serve(processor(path));
    Requirements requirements = stats("reserve").requirements();
    requirements.say("stock", Word.NEEDED);
    Breakers.open(stock);
    assertThat(reserve(20)).isZero();

    requirements.say("stock", Word.NOT_NEEDED);
    assertThat(reserve(200)).isEqualTo(200);
    assertThat(requirements.all()).extracting(Requirement::source).containsExactly(Source.OPERATOR);

    awaitEnds();
    requirements.say("stock", Word.LEARN);
    assertThat(reserve(200)).isBetween(10, 20);
  }

  // ---- several dependencies

  @Test
  void aHalfOpenDependencyLosesNoProbeToARequestThatAnotherOneRefuses() throws Exception {
    // given a method that was found to need both, the stock first
    Stock.Iface guardedBank = Guard.of(bank, Stock.Iface.class, new ConformanceTest.RealStock());
    WarehouseHandler handler =
        new WarehouseHandler(
            new CountedStock(stock) {
              @Override
              public int reserve(String sku, int quantity) throws TException {
                super.reserve(sku, quantity);
                return guardedBank.reserve(sku, quantity);
              }
            });
    serve(path.wrap(new Warehouse.Processor<>(handler)));
    reserve(20);
    Breakers.open(bank);
    reserve(50);
    assertThat(stats("reserve").requires()).containsExactly("bank");
    Breakers.close(bank);
    Breakers.open(stock);
    reserve(50);
    assertThat(stats("reserve").requires()).containsExactly("bank", "stock");

    // when the stock probes while the bank is open
    Breakers.open(bank);
    assertThat(stock.probeNow("test", "test")).isTrue();
    long calls = stock.snapshot().acquired();
    long shedBefore = bank.snapshot().refused();
    int served = reserve(1_000);

    // then
    assertThat(served).isZero();
    assertThat(stock.snapshot().acquired()).isEqualTo(calls);
    assertThat(stock.snapshot().state()).isEqualTo(BreakerState.HALF_OPEN);
    assertThat(bank.snapshot().refused() - shedBefore).isEqualTo(1_000);

    // and once the bank is back, its probes are made
    Breakers.close(bank);
    assertThat(reserve(3)).isEqualTo(3);
    assertThat(stock.snapshot().state()).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void aDeclaredOneThatIsHalfOpenLosesNoProbeToOneThatIsDeclaredAfterIt() throws Exception {
    // given
    serve(processor(learning(Map.of("reserve", List.of("stock", "bank")))));
    Breakers.open(stock);
    Breakers.open(bank);
    assertThat(stock.probeNow("test", "test")).isTrue();

    // when
    assertThat(reserve(100)).isZero();

    // then
    assertThat(stock.snapshot().acquired()).isZero();
    assertThat(stock.snapshot().state()).isEqualTo(BreakerState.HALF_OPEN);
    assertThatThrownBy(() -> client.reserve("apple", 1))
        .hasMessageStartingWith("SHED dependency=bank state=OPEN");
  }

  // ---- races

  @Test
  void noRequestIsLostFromTheCountsWhileNeedsComeAndGo() throws Exception {
    // given
    serve(processor(path));
    Requirements requirements = stats("reserve").requirements();
    int clients = 4;
    int requestsEach = 2_000;
    AtomicLong answered = new AtomicLong();
    AtomicLong shed = new AtomicLong();
    ExecutorService callers = Executors.newFixedThreadPool(clients);
    List<Future<?>> all = new ArrayList<>();
    try {
      for (int i = 0; i < clients; i++) {
        all.add(
            callers.submit(
                () -> {
                  try (Connection own = server.connect()) {
                    Warehouse.Client caller = new Warehouse.Client(own.protocol);
                    for (int n = 0; n < requestsEach; n++) {
                      try {
                        caller.reserve("apple", 1);
                        answered.incrementAndGet();
                      } catch (TApplicationException e) {
                        assertThat(e).hasMessageStartingWith("SHED dependency=stock");
                        shed.incrementAndGet();
                      }
                    }
                  }
                  return null;
                }));
      }

      // when needs, handlers and the breaker change all the time
      for (int i = 0; all.stream().anyMatch(one -> !one.isDone()); i++) {
        switch (i % 5) {
          case 0 -> Breakers.open(stock);
          case 1 -> copes = !copes;
          case 2 -> requirements.say("stock", Word.values()[i / 5 % 3]);
          case 3 -> requirements.say("stock", Word.LEARN);
          default -> Breakers.close(stock);
        }
        Thread.yield();
      }
      for (Future<?> one : all) {
        one.get(10, TimeUnit.SECONDS);
      }
    } finally {
      callers.shutdownNow();
    }

    // then
    awaitEnds();
    MethodStats reserve = stats("reserve");
    assertThat(answered.get() + shed.get()).isEqualTo((long) clients * requestsEach);
    assertThat(reserve.requests()).isEqualTo((long) clients * requestsEach);
    assertThat(reserve.inFlight()).isZero();
    assertThat(reserve.successes()).isEqualTo(answered.get());
    assertThat(reserve.sheds() + reserve.failures()).isEqualTo(shed.get());
    assertThat(stock.snapshot().refused())
        .isGreaterThanOrEqualTo(reserve.sheds() + reserve.failures());
    assertThat(stock.snapshot().inFlight()).isZero();
    assertThat(requirements.inForce())
        .isEqualTo(
            requirements.all().stream()
                .filter(Requirement::needed)
                .map(Requirement::dependency)
                .toList());
  }
}
