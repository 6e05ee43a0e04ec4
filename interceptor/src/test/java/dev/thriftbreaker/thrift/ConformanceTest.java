package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.MatrixServer.Connection;
import dev.thriftbreaker.thrift.MatrixServer.Kind;
import dev.thriftbreaker.thrift.MatrixServer.Wire;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.gen.Echo;
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
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TTransport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real servers of every kind, bare and wrapped, are asked the same over every transport and
 * protocol that they support. What they answer is the same to the byte; only what is shed differs,
 * and it leaves the connection as it was.
 */
class ConformanceTest {

  /** How the service is put into the server. A further way is a further constant. */
  enum Processing {
    PLAIN,
    MULTIPLEXED,
    DEFAULT_OF_MULTIPLEXED,
    FACTORY;

    /** How a client calls the service; null for not at all. */
    String service() {
      return this == MULTIPLEXED ? "Echo" : null;
    }

    String canonicalName(String method) {
      return this == MULTIPLEXED ? "Echo." + method : method;
    }

    /**
     * Generated code casts the protocols of tuples to their class, so nothing may be in between.
     */
    boolean supports(Language language) {
      return language != Language.TUPLE || this == PLAIN || this == FACTORY;
    }

    TProcessor over(TProcessor echo) {
      if (this == PLAIN || this == FACTORY) {
        return echo;
      }
      TMultiplexedProcessor services = new TMultiplexedProcessor();
      services.registerProcessor("Ledger", new Ledger.Processor<Ledger.Iface>(null));
      if (this == MULTIPLEXED) {
        services.registerProcessor("Echo", echo);
      } else {
        services.registerDefault(echo);
      }
      return services;
    }

    TProcessorFactory factory(TProcessor processor) {
      if (this != FACTORY) {
        return new TProcessorFactory(processor);
      }
      return new TProcessorFactory(null) {
        @Override
        public TProcessor getProcessor(TTransport transport) {
          return processor;
        }

        @Override
        public boolean isAsyncProcessor() {
          return false;
        }
      };
    }
  }

  private final CircuitBreaker stock = Breakers.closed("stock");

  static Stream<Arguments> everyTriple() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Wire wire : kind.wires()) {
        for (Language language : Language.values()) {
          all.add(arguments(kind, wire, language));
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

  /** All pairs of ways to put the service in with servers, transports and protocols. */
  static Stream<Arguments> everyPair() {
    List<Arguments> all = new ArrayList<>();
    Processing[] ways = Processing.values();
    for (Kind kind : Kind.values()) {
      int i = kind.ordinal();
      for (Wire wire : kind.wires()) {
        for (Language language : Language.values()) {
          Processing way = ways[1 + i++ % (ways.length - 1)];
          if (way.supports(language)) {
            all.add(arguments(kind, wire, language, way));
          }
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everyTriple")
  void answersLikeTheBareServerAndShedsWithoutHarm(Kind kind, Wire wire, Language language)
      throws Exception {
    Cell cell = new Cell(kind, wire, language, Processing.PLAIN);

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
  @MethodSource("everyPair")
  void answersLikeTheBareServerWhateverTheServiceIsPutInto(
      Kind kind, Wire wire, Language language, Processing processing) throws Exception {
    compare(new Cell(kind, wire, language, processing), EchoConversation::aboutEverything);
  }

  static Stream<Arguments> everySocket() {
    return everyTriple().filter(triple -> triple.get()[0] != Kind.SERVLET);
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everySocket")
  void answersRequestsThatDoNotWaitForEachOther(Kind kind, Wire wire, Language language)
      throws Exception {
    compare(new Cell(kind, wire, language, Processing.PLAIN), EchoConversation::withoutWaiting);
  }

  static Stream<Arguments> endings() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Wire wire : kind.wires()) {
        all.add(arguments(kind, wire, Language.COMPACT, "transport"));
      }
      // the others leave the client waiting, or do not survive it
      if (kind != Kind.SIMPLE && kind != Kind.SASL_NONBLOCKING) {
        all.add(arguments(kind, kind.wires().iterator().next(), Language.BINARY, "error"));
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("endings")
  void givesUpAConnectionAsTheBareServerDoes(Kind kind, Wire wire, Language language, String how)
      throws Exception {
    compare(new Cell(kind, wire, language, Processing.PLAIN), talk -> talk.endingWith(how));
  }

  @ParameterizedTest(name = "{arguments}")
  @EnumSource
  void givesUpAConnectionThatAsksForAnotherServiceAsTheBareServerDoes(Kind kind) throws Exception {
    for (Wire wire : kind.wires()) {
      compare(
          new Cell(kind, wire, Language.BINARY, Processing.MULTIPLEXED),
          EchoConversation::aboutAnotherService);
    }
  }

  static Stream<Arguments> everyFrame() {
    return everyTriple().filter(triple -> ((Wire) triple.get()[1]).holdsMessages);
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("everyFrame")
  void doesNotLookAtTheArgumentsOfWhatItSheds(Kind kind, Wire wire, Language language)
      throws Exception {
    RequestPath path = path(Processing.PLAIN);
    EchoHandler handler = new EchoHandler();
    Witness witness = new Witness(handler);

    List<String> heard =
        hold(
            new Cell(kind, wire, language, Processing.PLAIN),
            EchoConversation::unreadably,
            path.wrap(witness),
            witness);

    assertThat(heard.get(0)).startsWith("text: a ");
    assertThat(heard.get(1)).startsWith("need: 9 bytes ");
    assertThat(handler.sent).isEmpty();
    assertStats(path, "need", 5, 1, 0, 4);
    assertStats(path, "sendNeeding", 3, 0, 0, 3);
  }

  static Stream<Arguments> large() {
    int megabytes = 1_000_000;
    return Stream.of(
        arguments(Kind.SIMPLE, Wire.ZLIB, Language.BINARY, megabytes),
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY, 16 * megabytes),
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.JSON, megabytes),
        arguments(Kind.THREAD_POOL, Wire.TLS, Language.COMPACT, 4 * megabytes),
        arguments(Kind.THREAD_POOL, Wire.FRAMED, Language.COMPACT, 16 * megabytes),
        arguments(Kind.THREAD_POOL, Wire.SASL, Language.COMPACT, megabytes),
        arguments(Kind.NONBLOCKING, Wire.FAST_FRAMED, Language.BINARY, 16 * megabytes),
        arguments(Kind.NONBLOCKING, Wire.FRAMED, Language.JSON, megabytes),
        arguments(Kind.HSHA, Wire.FRAMED, Language.BINARY, 16 * megabytes),
        arguments(Kind.THREADED_SELECTOR, Wire.FRAMED, Language.TUPLE, 4 * megabytes),
        arguments(Kind.THREADED_SELECTOR, Wire.ZLIB_OVER_FRAMED, Language.COMPACT, megabytes),
        arguments(Kind.SASL_NONBLOCKING, Wire.SASL, Language.BINARY, 16 * megabytes),
        arguments(Kind.SERVLET, Wire.HTTP, Language.COMPACT, 4 * megabytes));
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("large")
  void answersLargeRequestsLikeTheBareServer(Kind kind, Wire wire, Language language, int size)
      throws Exception {
    compare(new Cell(kind, wire, language, Processing.PLAIN), talk -> talk.aboutMuch(size));
  }

  static Stream<Arguments> tooLarge() {
    int frame = 16_384_000;
    return Stream.of(
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY, 101 * 1024 * 1024),
        arguments(Kind.THREAD_POOL, Wire.FRAMED, Language.BINARY, frame),
        arguments(Kind.THREAD_POOL, Wire.SASL, Language.COMPACT, frame),
        arguments(Kind.HSHA, Wire.FAST_FRAMED, Language.COMPACT, frame),
        arguments(Kind.THREADED_SELECTOR, Wire.FRAMED, Language.TUPLE, frame),
        arguments(Kind.SASL_NONBLOCKING, Wire.SASL, Language.BINARY, frame));
  }

  @ParameterizedTest(name = "{arguments}")
  @MethodSource("tooLarge")
  void refusesWhatIsTooLargeLikeTheBareServer(Kind kind, Wire wire, Language language, int size)
      throws Exception {
    compare(new Cell(kind, wire, language, Processing.PLAIN), talk -> talk.tooMuch(size));
  }

  private interface Talk {
    void about(EchoConversation conversation) throws Exception;
  }

  private record Cell(Kind kind, Wire wire, Language language, Processing processing) {

    /** Tuples whose header was read can neither be given back nor passed over. */
    boolean passesUntouched() {
      return language == Language.TUPLE && !wire.holdsMessages;
    }
  }

  private RequestPath compare(Cell cell, Talk talk) throws Exception {
    // given
    Processing processing = cell.processing;
    RequestPath path = path(processing);
    EchoHandler bareHandler = new EchoHandler();
    EchoHandler handler = new EchoHandler();
    TProcessor bare = processing.over(new Echo.Processor<>(bareHandler));
    Witness witness = new Witness(handler);
    TProcessor wrapped = path.wrap(processing.over(witness));

    // when
    List<String> expected = hold(cell, talk, bare, null);
    List<String> heard = hold(cell, talk, wrapped, witness);

    // then
    assertThat(heard).isEqualTo(expected);
    List<String> passed = new ArrayList<>(bareHandler.sent);
    if (!cell.passesUntouched()) {
      passed.removeIf(text -> SHED.contains(text) || text.startsWith("yyyy"));
    }
    assertThat(handler.sent).isEqualTo(passed);
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

  private List<String> hold(Cell cell, Talk talk, TProcessor processor, Witness witness)
      throws Exception {
    Processing processing = cell.processing;
    try (MatrixServer server =
        new MatrixServer(cell.kind, cell.wire, cell.language, processing.factory(processor))) {
      CircuitBreaker dependency = witness == null || cell.passesUntouched() ? null : stock;
      EchoConversation conversation;
      try (Connection connection = server.connect()) {
        conversation =
            new EchoConversation(connection, cell.language, processing.service(), dependency);
        talk.about(conversation);
      }
      if (witness != null && processing.over(witness) == witness && witness.seen.get() != null) {
        assertThat(server.made(witness.seen.get()))
            .as("the delegate reads with the server's own protocol")
            .isEqualTo(cell.wire.holdsMessages || cell.passesUntouched());
      }
      return conversation.heard;
    }
  }

  /** The service, and the protocol that it was last given to read from. */
  private static final class Witness extends Echo.Processor<Echo.Iface> {
    final AtomicReference<TProtocol> seen = new AtomicReference<>();

    Witness(Echo.Iface handler) {
      super(handler);
    }

    @Override
    public void process(TProtocol in, TProtocol out) throws TException {
      seen.set(in);
      super.process(in, out);
    }
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
