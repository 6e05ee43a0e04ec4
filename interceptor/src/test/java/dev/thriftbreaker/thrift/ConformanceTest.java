package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.EchoService.Processing;
import dev.thriftbreaker.thrift.MatrixServer.Connection;
import dev.thriftbreaker.thrift.MatrixServer.Kind;
import dev.thriftbreaker.thrift.MatrixServer.Wire;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.gen.Grade;
import dev.thriftbreaker.thrift.gen.Item;
import dev.thriftbreaker.thrift.gen.Ledger;
import dev.thriftbreaker.thrift.gen.NotFound;
import dev.thriftbreaker.thrift.gen.Order;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real servers of every kind, bare and wrapped, are asked the same over every transport and
 * protocol that they support. What they answer is the same to the byte; only what is shed differs,
 * and it leaves the connection as it was. Messages of up to 16 MiB everywhere take their time:
 *
 * <pre>
 * mvn -pl interceptor test -Dtest=ConformanceTest -Dconformance.large=true \
 *     -Dtest.jvm.options=-Xmx2g
 * </pre>
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConformanceTest {

  private static final boolean LARGE = Boolean.getBoolean("conformance.large");

  private static final List<Processing> BASIC =
      List.of(Processing.PLAIN, Processing.ASYNC, Processing.ASYNC_ELSEWHERE);

  private static final List<Processing> IN_TURN =
      List.of(Processing.MULTIPLEXED, Processing.DEFAULT_OF_MULTIPLEXED, Processing.FACTORY);

  private final CircuitBreaker stock = Breakers.closed("stock");

  /** Every server, transport and protocol, and where there are several every kind of processor. */
  static Stream<Arguments> everywhere() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Wire wire : kind.wires()) {
        for (Language language : Language.values()) {
          for (Processing way : BASIC) {
            if (way.supports(kind, language)) {
              all.add(arguments(kind, wire, language, way));
            }
          }
        }
      }
    }
    return all.stream();
  }

  private static void assertStats(
      RequestPath path, String name, long requests, long successes, long failures, long sheds) {
    MethodStats stats =
        path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
    assertThat(stats.requests()).as(name).isEqualTo(requests);
    assertThat(stats.successes()).as(name).isEqualTo(successes);
    assertThat(stats.failures()).as(name).isEqualTo(failures);
    assertThat(stats.sheds()).as(name).isEqualTo(sheds);
    assertThat(stats.contained()).as(name).isZero();
    assertThat(stats.latency().count()).as(name).isEqualTo(successes + failures);
  }

  /** The further ways to put the service in, each with some servers, transports and protocols. */
  static Stream<Arguments> everyFurtherWay() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      int i = kind.ordinal();
      for (Wire wire : kind.wires()) {
        for (Language language : Language.values()) {
          Processing way = IN_TURN.get(i++ % IN_TURN.size());
          for (Processing one : List.of(way, Processing.ASYNC_MULTIPLEXED)) {
            if (one.supports(kind, language)) {
              all.add(arguments(kind, wire, language, one));
            }
          }
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everywhere")
  void answersLikeTheBareServerAndShedsWithoutHarm(
      Kind kind, Wire wire, Language language, Processing processing) throws Exception {
    Cell cell = new Cell(kind, wire, language, processing);

    RequestPath path = compare(cell, EchoConversation::aboutEverything);

    if (cell.passesUntouched()) {
      assertThat(path.methods()).allSatisfy(method -> assertThat(method.requests()).isZero());
      return;
    }
    int unknown = language == Language.TUPLE ? 0 : 1; // not asked for in tuples
    assertStats(path, "bytes", 5, 5, 0, 0);
    assertStats(path, "fail", 6, 2, 4, 0);
    assertStats(path, "sendFailing", 2, 2, 0, 0);
    assertStats(path, "need", 7, 1, 0, 6);
    assertStats(path, "sendNeeding", 3, 0, 0, 3);
    assertStats(path, "unknown", unknown, 0, unknown, 0);
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everyFurtherWay")
  void answersLikeTheBareServerWhateverTheServiceIsPutInto(
      Kind kind, Wire wire, Language language, Processing processing) throws Exception {
    compare(new Cell(kind, wire, language, processing), EchoConversation::aboutEverything);
  }

  static Stream<Arguments> everySocket() {
    return everywhere().filter(cell -> cell.get()[0] != Kind.SERVLET);
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everySocket")
  void answersRequestsThatDoNotWaitForEachOther(
      Kind kind, Wire wire, Language language, Processing processing) throws Exception {
    compare(new Cell(kind, wire, language, processing), EchoConversation::withoutWaiting);
  }

  static Stream<Arguments> endings() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Wire wire : kind.wires()) {
        for (Processing way : BASIC) {
          if (way.supports(kind, Language.COMPACT)) {
            all.add(arguments(kind, wire, Language.COMPACT, way, "transport"));
          }
        }
      }
      // the others leave the client waiting, or do not survive it
      for (Processing way : List.of(Processing.PLAIN, Processing.ASYNC)) {
        if (kind != Kind.SIMPLE
            && kind != Kind.SASL_NONBLOCKING
            && way.supports(kind, Language.BINARY)) {
          all.add(arguments(kind, kind.wires().iterator().next(), Language.BINARY, way, "error"));
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("endings")
  void givesUpAConnectionAsTheBareServerDoes(
      Kind kind, Wire wire, Language language, Processing processing, String how) throws Exception {
    compare(new Cell(kind, wire, language, processing), talk -> talk.endingWith(how));
  }

  static Stream<Arguments> services() {
    return Stream.of(Kind.values())
        .flatMap(
            kind ->
                Stream.of(Processing.MULTIPLEXED, Processing.ASYNC_MULTIPLEXED)
                    .filter(way -> way.supports(kind, Language.BINARY))
                    .map(way -> arguments(kind, way)));
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("services")
  void treatsAConnectionThatAsksForAnotherServiceAsTheBareServerDoes(
      Kind kind, Processing processing) throws Exception {
    for (Wire wire : kind.wires()) {
      compare(
          new Cell(kind, wire, Language.BINARY, processing), EchoConversation::aboutAnotherService);
    }
  }

  static Stream<Kind> synchronousServers() {
    return Stream.of(Kind.values()).filter(kind -> !kind.isAsync());
  }

  /** The bare one leaves the client waiting, and those with a thread for it never stop. */
  @ParameterizedTest(name = "{arguments}")
  @MethodSource("synchronousServers")
  void givesUpAConnectionOfAServerThatTakesAnAsynchronousProcessorForASynchronousOne(Kind kind)
      throws Exception {
    for (Wire wire : kind.wires()) {
      RequestPath path = path(Processing.ASYNC);

      Held held =
          hold(
              new Cell(kind, wire, Language.BINARY, Processing.ASYNC),
              talk -> talk.endingWith("no"),
              path);

      assertThat(held.heard).containsExactly("fail no: connection lost ", "closed");
      assertThat(path.methods()).allSatisfy(method -> assertThat(method.requests()).isZero());
    }
  }

  static Stream<Arguments> everyFrame() {
    return everywhere().filter(cell -> ((Wire) cell.get()[1]).holdsMessages);
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everyFrame")
  void doesNotLookAtTheArgumentsOfWhatItSheds(
      Kind kind, Wire wire, Language language, Processing processing) throws Exception {
    RequestPath path = path(processing);

    Held held =
        hold(new Cell(kind, wire, language, processing), EchoConversation::unreadably, path);

    assertThat(held.heard.get(0)).startsWith("text: a ");
    assertThat(held.heard.get(1)).startsWith("need: 9 bytes ");
    assertThat(held.sent).isEmpty();
    assertStats(path, "need", 5, 1, 0, 4);
    assertStats(path, "sendNeeding", 3, 0, 0, 3);
  }

  static Stream<Arguments> large() {
    int megabytes = 1_000_000;
    return Stream.of(
        arguments(Kind.SIMPLE, Wire.ZLIB, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.SIMPLE,
            Wire.FRAMED_OVER_ZLIB,
            Language.OLD_BINARY,
            Processing.PLAIN,
            16 * megabytes),
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.JSON, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY, Processing.MULTIPLEXED, 16 * megabytes),
        arguments(
            Kind.THREAD_POOL, Wire.FRAMED, Language.COMPACT, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.THREAD_POOL,
            Wire.FAST_FRAMED,
            Language.OLD_BINARY,
            Processing.FACTORY,
            16 * megabytes),
        arguments(Kind.THREAD_POOL, Wire.TLS, Language.COMPACT, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.THREAD_POOL, Wire.TLS_FRAMED, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(Kind.THREAD_POOL, Wire.SASL, Language.COMPACT, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.THREAD_POOL, Wire.SASL_SIGNED, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.THREAD_POOL, Wire.SASL_FRAMED, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.NONBLOCKING, Wire.FAST_FRAMED, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.NONBLOCKING,
            Wire.FRAMED,
            Language.COMPACT,
            Processing.ASYNC_ELSEWHERE,
            16 * megabytes),
        arguments(
            Kind.NONBLOCKING, Wire.FAST_FRAMED, Language.TUPLE, Processing.ASYNC, 16 * megabytes),
        arguments(Kind.HSHA, Wire.FRAMED, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.HSHA, Wire.FRAMED, Language.BINARY, Processing.ASYNC_MULTIPLEXED, 16 * megabytes),
        arguments(
            Kind.HSHA,
            Wire.FAST_FRAMED,
            Language.OLD_BINARY,
            Processing.ASYNC_ELSEWHERE,
            16 * megabytes),
        arguments(
            Kind.THREADED_SELECTOR, Wire.FRAMED, Language.TUPLE, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.THREADED_SELECTOR,
            Wire.ZLIB_OVER_FRAMED,
            Language.BINARY,
            Processing.ASYNC_ELSEWHERE,
            16 * megabytes),
        arguments(
            Kind.THREADED_SELECTOR,
            Wire.FRAMED,
            Language.COMPACT,
            Processing.ASYNC,
            16 * megabytes),
        arguments(
            Kind.SASL_NONBLOCKING, Wire.SASL, Language.BINARY, Processing.PLAIN, 16 * megabytes),
        arguments(
            Kind.SASL_NONBLOCKING,
            Wire.SASL_SIGNED,
            Language.COMPACT,
            Processing.PLAIN,
            16 * megabytes),
        arguments(Kind.SERVLET, Wire.HTTP, Language.COMPACT, Processing.PLAIN, 16 * megabytes),
        arguments(Kind.NONBLOCKING, Wire.FRAMED, Language.JSON, Processing.PLAIN, megabytes),
        arguments(Kind.HSHA, Wire.FRAMED, Language.JSON, Processing.ASYNC_ELSEWHERE, megabytes));
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("large")
  void answersLargeRequestsLikeTheBareServer(
      Kind kind, Wire wire, Language language, Processing processing, int size) throws Exception {
    compare(new Cell(kind, wire, language, processing), talk -> talk.aboutMuch(size));
  }

  /** All there are; but for a run on demand, one. */
  static Stream<Arguments> everywhereOnDemand() {
    return LARGE
        ? Stream.concat(everywhere(), everyFurtherWay())
        : Stream.of(arguments(Kind.HSHA, Wire.FRAMED, Language.BINARY, Processing.ASYNC_ELSEWHERE));
  }

  /** Frames may be longer than is usual: 16 MiB do not fit, which are 22 MiB in JSON. */
  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everywhereOnDemand")
  @Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void answersRequestsOfEverySizeLikeTheBareServer(
      Kind kind, Wire wire, Language language, Processing processing) throws Exception {
    compare(
        new Cell(kind, wire, language, processing, 32 << 20),
        talk -> {
          for (int size : new int[] {0, 1 << 16, 1 << 20, 1 << 24}) {
            talk.aboutMuch(size);
          }
        });
  }

  static Stream<Arguments> tooLarge() {
    int frame = 16_384_000;
    return Stream.of(
        arguments(
            Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY, Processing.PLAIN, 101 * 1024 * 1024),
        arguments(Kind.THREAD_POOL, Wire.FRAMED, Language.BINARY, Processing.PLAIN, frame),
        arguments(Kind.THREAD_POOL, Wire.SASL, Language.COMPACT, Processing.PLAIN, frame),
        arguments(Kind.HSHA, Wire.FAST_FRAMED, Language.COMPACT, Processing.PLAIN, frame),
        arguments(Kind.THREADED_SELECTOR, Wire.FRAMED, Language.TUPLE, Processing.PLAIN, frame),
        arguments(Kind.SASL_NONBLOCKING, Wire.SASL, Language.BINARY, Processing.PLAIN, frame));
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("tooLarge")
  void refusesWhatIsTooLargeLikeTheBareServer(
      Kind kind, Wire wire, Language language, Processing processing, int size) throws Exception {
    compare(new Cell(kind, wire, language, processing), talk -> talk.tooMuch(size));
  }

  private interface Talk {
    void about(EchoConversation conversation) throws Exception;
  }

  private record Cell(
      Kind kind, Wire wire, Language language, Processing processing, int maxFrame) {

    Cell(Kind kind, Wire wire, Language language, Processing processing) {
      this(kind, wire, language, processing, MatrixServer.USUAL_MAX_FRAME);
    }

    /** Tuples whose header was read can neither be given back nor passed over. */
    boolean passesUntouched() {
      return language == Language.TUPLE && !wire.holdsMessages;
    }
  }

  /**
   * What came of a conversation.
   *
   * @param heard what the client heard
   * @param sent what oneway methods were given
   */
  private record Held(List<String> heard, List<String> sent) {}

  private RequestPath compare(Cell cell, Talk talk) throws Exception {
    // given
    RequestPath path = path(cell.processing);

    // when
    Held bare = hold(cell, talk, null);
    Held wrapped = hold(cell, talk, path);

    // then
    assertThat(wrapped.heard).isEqualTo(bare.heard);
    List<String> passed = new ArrayList<>(bare.sent);
    if (!cell.passesUntouched()) {
      passed.removeIf(text -> SHED.contains(text) || text.startsWith("y"));
    }
    passed.replaceAll(EchoConversation::describe);
    List<String> sent = wrapped.sent.stream().map(EchoConversation::describe).toList();
    if (cell.processing.isAsync()) {
      // the next request is begun while the handler of a oneway one runs
      assertThat(sent).containsExactlyInAnyOrderElementsOf(passed);
    } else {
      assertThat(sent).isEqualTo(passed);
    }
    assertThat(path.methods()).allSatisfy(method -> assertThat(method.inFlight()).isZero());
    return path;
  }

  private RequestPath path(Processing processing) {
    return new RequestPath(
        Map.of("stock", stock),
        Map.of(
            processing.canonicalName("need"), List.of("stock"),
            processing.canonicalName("sendNeeding"), List.of("stock")),
        System::nanoTime);
  }

  private static final Set<String> SHED =
      Set.of("at first", "in between", "at last", "without waiting");

  /** Holds a conversation with a server; a bare one if there is no path. */
  private Held hold(Cell cell, Talk talk, RequestPath path) throws Exception {
    Processing processing = cell.processing;
    EchoService service = new EchoService(processing);
    TProcessor processor = path == null ? service.processor : path.wrap(service.processor);
    CircuitBreaker dependency = path == null || cell.passesUntouched() ? null : stock;
    EchoConversation conversation;
    try (service;
        MatrixServer server =
            new MatrixServer(
                cell.kind, cell.wire, cell.language, service.factory(processor), cell.maxFrame)) {
      try (Connection connection = server.connect()) {
        conversation =
            new EchoConversation(connection, cell.language, processing.service(), dependency);
        talk.about(conversation);
      }
      if (path != null && !processing.isWithin() && service.read() != null) {
        assertThat(server.made(service.read()))
            .as("the delegate reads with the server's own protocol")
            .isEqualTo(cell.wire.holdsMessages || cell.passesUntouched());
      }
    }
    return new Held(conversation.heard, service.handler.sent);
  }

  static Stream<Arguments> multiplexedServers() {
    return Stream.of(
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY),
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.JSON),
        arguments(Kind.THREAD_POOL, Wire.FAST_FRAMED, Language.COMPACT),
        arguments(Kind.HSHA, Wire.FRAMED, Language.BINARY),
        arguments(Kind.HSHA, Wire.FRAMED, Language.COMPACT),
        arguments(Kind.HSHA, Wire.FRAMED, Language.JSON));
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("multiplexedServers")
  void answersLikeTheBareServerWithSeveralServices(Kind kind, Wire wire, Language language)
      throws Exception {
    CircuitBreaker bank = Breakers.closed("bank");
    RequestPath shared =
        new RequestPath(
            Map.of("bank", bank),
            Map.of("book", List.of("bank"), "Ledger.count", List.of("bank")),
            System::nanoTime);
    List<byte[]> bytes = new ArrayList<>();
    for (boolean wrap : new boolean[] {false, true}) {
      TMultiplexedProcessor services = new TMultiplexedProcessor();
      services.registerProcessor(
          "Warehouse", new Warehouse.Processor<>(new WarehouseHandler(new RealStock())));
      services.registerProcessor("Ledger", new Ledger.Processor<>(new LedgerHandler()));
      services.registerDefault(new Warehouse.Processor<>(new WarehouseHandler(new RealStock())));
      TProcessor processor = wrap ? shared.wrap(services) : services;
      try (MatrixServer server =
              new MatrixServer(kind, wire, language, new TProcessorFactory(processor));
          Connection connection = server.connect()) {
        Warehouse.Client warehouse =
            new Warehouse.Client(new TMultiplexedProtocol(connection.protocol, "Warehouse"));
        Ledger.Client ledger =
            new Ledger.Client(new TMultiplexedProtocol(connection.protocol, "Ledger"));
        assertThat(ledger.book("a", 5)).isEqualTo("a 5");
        connection.tap.pause(true);
        if (wrap) {
          Breakers.open(bank);
        }
        Throwable shed = catchThrowable(() -> ledger.count("a"));
        assertThat(shed == null).isEqualTo(!wrap);
        if (wrap) {
          assertThat(shed).hasMessageStartingWith("SHED dependency=bank state=OPEN");
        }
        // a method of the same name of another service needs no bank
        assertThat(warehouse.count(List.of())).isZero();
        Breakers.close(bank);
        connection.tap.pause(false);
        assertThat(catchThrowable(() -> ledger.book("", 1))).isInstanceOf(NotFound.class);
        assertThat(catchThrowable(() -> warehouse.place(order(0)))).isInstanceOf(OutOfStock.class);
        assertThat(new Warehouse.Client(connection.protocol).reserve("apple", 3)).isEqualTo(3);
        assertThat(ledger.count("abc")).isEqualTo(3);
        bytes.add(connection.tap.seen());
      }
    }
    assertThat(bytes.get(1)).isEqualTo(bytes.get(0));
    assertThat(shared.methods())
        .extracting(MethodStats::name)
        .contains("Ledger.book", "Ledger.count", "Warehouse.count", "count", "unknown");
  }

  static Order order(int plums) {
    List<Item> items = new ArrayList<>();
    items.add(
        new Item("apple", 1, 1.5, true, Grade.NEW)
            .setLabel(ByteBuffer.wrap("a \"b\" \u00e9".getBytes(StandardCharsets.UTF_8))));
    if (plums == 0) {
      items.add(new Item("plum", 0, 0.25, false, Grade.USED));
    } else {
      items.add(new Item("pear", plums + 1, 0.75, false, Grade.USED));
    }
    return new Order(
        "o-1", 1_700_000_000_000L, items, Map.of("gift", 1), Set.of((short) 7), (byte) 2);
  }

  static final class LedgerHandler implements Ledger.Iface {
    @Override
    public long count(String account) {
      return account.length();
    }

    @Override
    public String book(String account, long cents) throws NotFound {
      if (account.isEmpty()) {
        throw new NotFound("none");
      }
      return account + " " + cents;
    }

    @Override
    public void note(String text) {}
  }

  /** A stock that works. */
  static final class RealStock implements Stock.Iface {
    @Override
    public int reserve(String sku, int quantity) {
      return quantity;
    }

    @Override
    public long ping(long number) {
      return number;
    }

    @Override
    public void touch() {}
  }
}
