package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Item;
import dev.thriftbreaker.thrift.gen.Ledger;
import dev.thriftbreaker.thrift.gen.NotFound;
import dev.thriftbreaker.thrift.gen.Order;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Receipt;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TBaseProcessor;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What requests come to that are shed at the door, on real servers. */
class ShedReplyTest {

  private static final String SERVERS = "dev.thriftbreaker.thrift.TestServer#everywhere";
  private static final String MULTIPLEXED = "dev.thriftbreaker.thrift.TestServer#multiplexed";

  private static final List<String> STOCK = List.of("stock");

  private final CircuitBreaker stock = Breakers.closed("stock");
  private final WarehouseHandler handler = new WarehouseHandler(new ConformanceTest.RealStock());
  private final Warehouse.Processor<?> bare = new Warehouse.Processor<>(handler);

  private RequestPath path(ShedReplies replies, String... methods) {
    Map<String, List<String>> requires = new HashMap<>();
    for (String method : methods) {
      requires.put(method, STOCK);
    }
    return new RequestPath(
        Map.of("stock", new Downstream(stock)),
        requires,
        false,
        new Workers(null),
        System::nanoTime,
        replies,
        MethodBreakers.NONE);
  }

  private static ShedReplies replies(Consumer<ShedReplies> settings) {
    ShedReplies replies = new ShedReplies();
    settings.accept(replies);
    return replies;
  }

  private static MethodStats stats(RequestPath path, String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  /** Answers everything with what a shop has at hand. */
  private static final class Defaults implements Warehouse.Iface {
    final BlockingQueue<String> notes = new LinkedBlockingQueue<>();
    private final Stock.Iface stock;

    Defaults(Stock.Iface stock) {
      this.stock = stock;
    }

    @Override
    public Receipt place(Order order) throws NotFound {
      throw new NotFound("later");
    }

    @Override
    public long count(List<Item> items) {
      return 42;
    }

    @Override
    public String crash(String message) {
      return "calm";
    }

    @Override
    public int reserve(String sku, int quantity) throws OutOfStock {
      throw new OutOfStock("all", 0);
    }

    @Override
    public void touch(String sku) {}

    @Override
    public void note(String text) {
      notes.add(text);
    }

    @Override
    public void noteFailing(String text) throws TException {
      notes.add(text);
      stock.touch();
    }
  }

  private static List<Object> ask(Warehouse.Client client) throws TException {
    List<Object> answers = new ArrayList<>();
    answers.add(catchThrowable(() -> client.place(ConformanceTest.order(3))));
    answers.add(client.count(ConformanceTest.order(3).getItems()));
    client.note("oneway");
    answers.add(client.crash("no"));
    answers.add(catchThrowable(() -> client.reserve("apple", 7)));
    client.touch("apple");
    answers.add(client.count(List.of()));
    return answers;
  }

  // ---- replies of the service's own

  @ParameterizedTest
  @MethodSource(SERVERS)
  void answersWithDeclaredExceptionsAndResultsAsAHandlerWould(
      Kind kind, Wire wire, Language language) throws Exception {
    // given
    RequestPath path =
        path(
            replies(
                r -> {
                  r.exception("place", NotFound.class, refusal -> new NotFound("later"));
                  r.exception(OutOfStock.class, refusal -> new OutOfStock("all", 0));
                  r.result("count", Long.class, refusal -> 42L);
                  r.result("crash", String.class, refusal -> "calm");
                  r.result("touch", Void.class, refusal -> null);
                }),
            "place",
            "count",
            "note",
            "crash",
            "reserve",
            "touch");
    TProcessor wrapped = path.wrap(bare);
    Breakers.open(stock);
    TProcessor answering = new Warehouse.Processor<>(new Defaults(null));
    List<Object> answers = new ArrayList<>();
    List<byte[]> bytes = new ArrayList<>();

    // when
    for (TProcessor processor : List.of(answering, wrapped)) {
      try (TestServer server = new TestServer(kind, wire, language, processor);
          Connection connection = server.connect()) {
        answers.add(ask(new Warehouse.Client(connection.protocol)));
        bytes.add(connection.tap.seen());
      }
    }

    // then
    assertThat(answers.get(1))
        .isEqualTo(answers.get(0))
        .isEqualTo(List.of(new NotFound("later"), 42L, "calm", new OutOfStock("all", 0), 42L));
    assertThat(bytes.get(1)).isEqualTo(bytes.get(0));
    assertThat(handler.notes).isEmpty();
    assertThat(stats(path, "count").sheds()).isEqualTo(2);
    assertThat(stats(path, "note").sheds()).isEqualTo(1);
    assertThat(stats(path, "count").fallbacks()).isZero();
  }

  @Test
  void givesTheFunctionTheRefusal() throws Exception {
    RequestPath path =
        path(
            replies(
                r ->
                    r.exception(
                        "reserve",
                        OutOfStock.class,
                        refusal ->
                            new OutOfStock(
                                refusal.breaker() + " " + refusal.reason(),
                                (int) (refusal.retryAfterMillis() / 30_000)))),
            "reserve");
    Breakers.open(stock);

    assertThat(catchThrowable(() -> over(path.wrap(bare), c -> c.reserve("apple", 1))))
        .isEqualTo(new OutOfStock("stock OPEN", 1));
  }

  private static long count(TProcessor processor) throws Exception {
    return over(processor, client -> client.count(List.of()));
  }

  private interface Question<T> {
    T ask(Warehouse.Client client) throws TException;
  }

  private static <T> T over(TProcessor processor, Question<T> question) throws Exception {
    try (TestServer server =
            new TestServer(Kind.THREAD_POOL, Wire.FRAMED, Language.BINARY, processor);
        Connection connection = server.connect()) {
      return question.ask(new Warehouse.Client(connection.protocol));
    }
  }

  static List<Function<Refusal, Object>> brokenFunctions() {
    return List.of(
        refusal -> {
          throw new IllegalStateException("broken");
        },
        refusal -> {
          throw new StackOverflowError();
        },
        refusal -> null,
        refusal -> "of the wrong type",
        // breaks half written
        refusal -> new Receipt("r", 1, Arrays.asList("first", null)));
  }

  @ParameterizedTest
  @MethodSource("brokenFunctions")
  void answersAsByDefaultWhereTheFunctionFails(Function<Refusal, Object> broken) throws Exception {
    // given
    AtomicInteger asked = new AtomicInteger();
    @SuppressWarnings("unchecked") // as careless code would do it
    Class<Object> type = (Class<Object>) (Class<?>) Receipt.class;
    ShedReplies replies =
        replies(
            r ->
                r.result(
                    "place",
                    type,
                    refusal -> {
                      asked.incrementAndGet();
                      return broken.apply(refusal);
                    }));
    TProcessor processor = path(replies, "place").wrap(bare);
    Breakers.open(stock);
    for (Language language : Language.values()) {
      try (TestServer server =
              new TestServer(Kind.THREAD_POOL, Wire.FAST_FRAMED, language, processor);
          Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);

        // when / then
        for (int i = 0; i < 2; i++) {
          assertThatThrownBy(() -> client.place(ConformanceTest.order(3)))
              .isInstanceOf(TApplicationException.class)
              .hasMessageStartingWith("SHED dependency=stock state=OPEN")
              .extracting(e -> ((TApplicationException) e).getType())
              .isEqualTo(11);
        }
        assertThat(client.count(List.of())).isZero();
      }
    }
    assertThat(asked).hasValue(2 * Language.values().length);
  }

  @Test
  void answersWithTheTypeThatIsSet() throws Exception {
    RequestPath path =
        path(
            replies(
                r -> {
                  r.type(12);
                  r.type("count", 77);
                }),
            "count",
            "touch");
    TProcessor processor = path.wrap(bare);
    Breakers.open(stock);

    Throwable count = catchThrowable(() -> over(processor, c -> c.count(List.of())));
    Throwable touch =
        catchThrowable(
            () ->
                over(
                    processor,
                    c -> {
                      c.touch("apple");
                      return null;
                    }));

    assertThat(((TApplicationException) count).getType()).isEqualTo(77);
    assertThat(((TApplicationException) touch).getType()).isEqualTo(12);
    assertThat(Shed.of(touch)).isPresent();
  }

  @Test
  void isFixedOnceThePathIsSetUp() throws Exception {
    ShedReplies replies = new ShedReplies();
    RequestPath path = path(replies, "count");
    replies.result("count", Long.class, refusal -> 42L);
    Breakers.open(stock);

    assertThatThrownBy(() -> over(path.wrap(bare), c -> c.count(List.of())))
        .hasMessageStartingWith("SHED");
  }

  // ---- a processor that serves instead

  @ParameterizedTest
  @MethodSource(SERVERS)
  void givesShedRequestsToAFallbackProcessor(Kind kind, Wire wire, Language language)
      throws Exception {
    // given
    Defaults bareDefaults = new Defaults(null);
    Defaults defaults = new Defaults(null);
    RequestPath path =
        path(
            replies(r -> r.fallback(new Warehouse.Processor<>(defaults))),
            "place",
            "count",
            "note",
            "crash",
            "reserve",
            "touch");
    TProcessor wrapped = path.wrap(bare);
    Breakers.open(stock);
    List<Object> answers = new ArrayList<>();
    List<byte[]> bytes = new ArrayList<>();

    // when
    for (TProcessor processor : List.of(new Warehouse.Processor<>(bareDefaults), wrapped)) {
      try (TestServer server = new TestServer(kind, wire, language, processor);
          Connection connection = server.connect()) {
        answers.add(ask(new Warehouse.Client(connection.protocol)));
        bytes.add(connection.tap.seen());
      }
    }

    // then
    assertThat(answers.get(1)).isEqualTo(answers.get(0));
    assertThat(bytes.get(1)).isEqualTo(bytes.get(0));
    assertThat(defaults.notes.poll(10, TimeUnit.SECONDS)).isEqualTo("oneway");
    assertThat(handler.notes).isEmpty();
    MethodStats count = stats(path, "count");
    assertThat(count.requests()).isEqualTo(2);
    assertThat(count.fallbacks()).isEqualTo(2);
    assertThat(count.successes()).isEqualTo(2);
    assertThat(count.sheds()).isZero();
    assertThat(count.inFlight()).isZero();
    assertThat(stock.snapshot().refused()).isEqualTo(7);
  }

  @Test
  void servesFromTheServersOwnProcessorWhileNothingRefuses() throws Exception {
    RequestPath path =
        path(replies(r -> r.fallback(new Warehouse.Processor<>(new Defaults(null)))), "count");
    TProcessor processor = path.wrap(bare);

    assertThat(count(processor)).isZero();
    Breakers.open(stock);
    assertThat(count(processor)).isEqualTo(42);
    Breakers.close(stock);
    assertThat(count(processor)).isZero();
    assertThat(stats(path, "count").fallbacks()).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource(SERVERS)
  void treatsFailuresOfTheFallbackLikeThoseOfAHandler(Kind kind, Wire wire, Language language)
      throws Exception {
    // given a fallback that fails in every way there is
    CircuitBreaker cache = Breakers.closed("cache");
    Stock.Iface guarded =
        Guard.of(
            cache,
            Stock.Iface.class,
            new Stock.Iface() {
              @Override
              public int reserve(String sku, int quantity) throws TException {
                throw new TTransportException("the cache is gone");
              }

              @Override
              public long ping(long number) {
                return number;
              }

              @Override
              public void touch() throws TException {
                throw new TTransportException("the cache is gone");
              }
            });
    WarehouseHandler failing = new WarehouseHandler(guarded);
    RequestPath path =
        path(
            replies(r -> r.fallback(new Warehouse.Processor<>(failing))),
            "reserve",
            "crash",
            "noteFailing");
    TProcessor processor = path.wrap(bare);
    Breakers.open(stock);
    try (TestServer server = new TestServer(kind, wire, language, processor);
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);

      // when / then the connection lives on
      assertThatThrownBy(() -> client.reserve("apple", 1))
          .hasMessage("Internal error processing reserve");
      assertThatThrownBy(() -> client.crash("no")).hasMessage("Internal error processing crash");
      client.noteFailing("quiet");
      assertThat(client.count(List.of())).isZero();
    }
    assertThat(stats(path, "reserve").contained()).isEqualTo(1);
    assertThat(stats(path, "reserve").failures()).isEqualTo(1);
    assertThat(stats(path, "noteFailing").contained()).isEqualTo(1);
    assertThat(cache.snapshot().failures()).isEqualTo(2);
  }

  // ---- several services

  private static TMultiplexedProcessor services(Ledger.Iface ledger, Warehouse.Iface warehouse) {
    TMultiplexedProcessor services = new TMultiplexedProcessor();
    services.registerProcessor("Warehouse", new Warehouse.Processor<>(warehouse));
    services.registerProcessor("Ledger", new Ledger.Processor<>(ledger));
    return services;
  }

  private static Ledger.Iface ledger(long count) {
    return new Ledger.Iface() {
      @Override
      public long count(String account) {
        return count;
      }

      @Override
      public String book(String account, long cents) throws NotFound {
        throw new NotFound(account + " " + count);
      }

      @Override
      public void note(String text) {}
    };
  }

  @ParameterizedTest
  @MethodSource(MULTIPLEXED)
  void answersForOneOfSeveralServices(Kind kind, Wire wire, Language language) throws Exception {
    // given
    ShedReplies replies =
        replies(
            r -> {
              r.exception("book", NotFound.class, refusal -> new NotFound("closed"));
              r.fallback("Ledger.count", new Ledger.Processor<>(ledger(2)));
              r.fallback("Warehouse.count", services(ledger(3), new Defaults(null)));
              r.result("touch", Void.class, refusal -> null);
            });
    RequestPath path = path(replies, "book", "Ledger.count", "Warehouse.count", "touch");
    TProcessor processor = path.wrap(services(ledger(1), handler));
    try (TestServer server = new TestServer(kind, wire, language, processor);
        Connection connection = server.connect()) {
      Warehouse.Client warehouse =
          new Warehouse.Client(new TMultiplexedProtocol(connection.protocol, "Warehouse"));
      Ledger.Client ledger =
          new Ledger.Client(new TMultiplexedProtocol(connection.protocol, "Ledger"));
      Breakers.open(stock);

      // when / then
      assertThatThrownBy(() -> ledger.book("a", 1)).isEqualTo(new NotFound("closed"));
      assertThat(ledger.count("a")).isEqualTo(2);
      assertThat(warehouse.count(List.of())).isEqualTo(42);
      warehouse.touch("apple");
      assertThat(warehouse.reserve("apple", 5)).isEqualTo(5);
      Breakers.close(stock);
      assertThatThrownBy(() -> ledger.book("a", 1)).isEqualTo(new NotFound("a 1"));
      assertThat(ledger.count("a")).isEqualTo(1);
    }
  }

  @Test
  void givesShedRequestsOfAllServicesToAMultiplexedFallback() throws Exception {
    RequestPath path =
        path(
            replies(r -> r.fallback(services(ledger(2), new Defaults(null)))),
            "Ledger.count",
            "Warehouse.count");
    TProcessor processor = path.wrap(services(ledger(1), handler));
    Breakers.open(stock);
    try (TestServer server =
            new TestServer(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY, processor);
        Connection connection = server.connect()) {
      assertThat(
              new Ledger.Client(new TMultiplexedProtocol(connection.protocol, "Ledger")).count("a"))
          .isEqualTo(2);
      assertThat(
              new Warehouse.Client(new TMultiplexedProtocol(connection.protocol, "Warehouse"))
                  .count(List.of()))
          .isEqualTo(42);
    }
  }

  @Test
  void givesRequestsOfAProcessorThatShowsNoMethodsToTheFallback() throws Exception {
    ShedReplies replies =
        replies(r -> r.fallback("count", new Warehouse.Processor<>(new Defaults(null))));
    RequestPath path = path(replies, "count");
    TProcessor processor = path.wrap((in, out) -> bare.process(in, out));
    Breakers.open(stock);

    assertThat(count(processor)).isEqualTo(42);
  }

  // ---- what is refused when the processor is wrapped

  private void assertRefused(Consumer<ShedReplies> settings, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path(replies(settings)).wrap(bare))
        .withMessageStartingWith(message);
  }

  @Test
  void refusesRepliesThatTheMethodCannotGive() {
    assertRefused(
        r -> r.exception("count", OutOfStock.class, refusal -> new OutOfStock()),
        "shedException: count -> dev.thriftbreaker.thrift.gen.OutOfStock (expected: an exception"
            + " that it declares: [])");
    assertRefused(
        r -> r.exception("reserve", NotFound.class, refusal -> new NotFound()),
        "shedException: reserve -> dev.thriftbreaker.thrift.gen.NotFound (expected: an exception"
            + " that it declares: [OutOfStock])");
    assertRefused(
        r -> r.result("count", Integer.class, refusal -> 1),
        "shedResult: count -> java.lang.Integer (expected: the type of its result: [Long])");
    assertRefused(
        r -> r.result("touch", String.class, refusal -> ""),
        "shedResult: touch -> java.lang.String (expected: the type of its result: [Void])");
    assertRefused(
        r -> r.result("place", Void.class, refusal -> null),
        "shedResult: place -> java.lang.Void (expected: the type of its result: [Receipt])");
    assertRefused(
        r -> r.result("note", Void.class, refusal -> null),
        "shedResult: note (expected: a method that is not oneway)");
    assertRefused(
        r -> r.result("plaice", Void.class, refusal -> null),
        "shedResult: plaice (expected: a method of these: [count, crash,");
    assertRefused(
        r -> r.type("plaice", 1), "shedType: plaice (expected: a method of these: [count, crash,");
    assertRefused(
        r -> r.fallback("count", new Stock.Processor<Stock.Iface>(null)),
        "fallback: count (expected: a processor that has this method)");
    assertRefused(
        r -> r.fallback(new TBaseProcessor<Object>(null, Map.of()) {}),
        "fallback: dev.thriftbreaker.thrift.ShedReplyTest$");
  }

  @Test
  void refusesAnExceptionForAllThatNoneDeclares() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                path(replies(r -> r.exception(NotFound.class, refusal -> new NotFound())))
                    .wrap(new Stock.Processor<Stock.Iface>(null)))
        .withMessage(
            "shedException: dev.thriftbreaker.thrift.gen.NotFound (expected: of use to one of"
                + " these methods at least: [ping, reserve, touch])");
  }

  @Test
  void refusesTwoAnswersToOneMethodAndProcessorsThatCannotServe() {
    ShedReplies replies = replies(r -> r.result("count", Long.class, refusal -> 1L));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> replies.fallback("count", bare))
        .withMessage("fallback: count (expected: one answer to a method; it has a shedResult)");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> replies.fallback(new Warehouse.AsyncProcessor<Warehouse.AsyncIface>(null)))
        .withMessageContaining("asynchronous");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> replies.fallback("place", path(new ShedReplies()).wrap(bare)))
        .withMessageContaining("wrapped already");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path(replies).wrap((in, out) -> {}))
        .withMessage("shedResult: count (expected: a method of a generated processor)");
  }
}
