package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Ledger;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TTupleProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TTransportException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A breaker of a method itself, on the outcome of its requests. */
class MethodBreakerTest {

  private static final String SERVERS = "dev.thriftbreaker.thrift.TestServer#everywhere";

  private final AtomicReference<Exception> thrown = new AtomicReference<>();
  private final WarehouseHandler handler =
      new WarehouseHandler(
          new Stock.Iface() {
            @Override
            public int reserve(String sku, int quantity) throws TException {
              fail();
              return quantity;
            }

            @Override
            public long ping(long number) {
              return number;
            }

            @Override
            public void touch() throws TException {
              fail();
            }
          });

  private void fail() throws TException {
    if (thrown.get() instanceof RuntimeException e) {
      throw e;
    }
    if (thrown.get() != null) {
      throw (TException) thrown.get();
    }
  }

  private final CircuitBreaker own =
      Breakers.closed(
          MethodBreakers.breakerName("reserve"),
          BreakerConfig.builder()
              .consecutiveFailures(3)
              .openDuration(Duration.ofMinutes(1))
              .earlyProbeInterval(Duration.ZERO) // no call passes while it is open
              .build());
  private final CircuitBreaker stock = Breakers.closed("stock");

  private RequestPath path(Map<String, CircuitBreaker> named, Map<String, List<String>> requires) {
    return new RequestPath(
        Map.of("stock", new Downstream(stock)),
        requires,
        false,
        new Workers(null),
        System::nanoTime,
        new ShedReplies(),
        new MethodBreakers(named, name -> null));
  }

  private final RequestPath path = path(Map.of("reserve", own), Map.of());
  private final TProcessor processor = path.wrap(new Warehouse.Processor<>(handler));

  private static MethodStats stats(RequestPath path, String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  private void assertCounted(long successes, long failures, long ignored) {
    BreakerSnapshot counted = own.snapshot();
    assertThat(counted.successes()).as("successes").isEqualTo(successes);
    assertThat(counted.failures()).as("failures").isEqualTo(failures);
    assertThat(counted.ignored()).as("ignored").isEqualTo(ignored);
    assertThat(counted.inFlight()).as("in flight").isZero();
  }

  // ---- on real servers

  @ParameterizedTest
  @MethodSource(SERVERS)
  void opensOnFailedRequestsAndShedsTheMethodAlone(Kind kind, Wire wire, Language language)
      throws Exception {
    // given a handler that uses no guard, and that fails so that its reply says so
    thrown.set(new IllegalStateException("down"));
    try (TestServer server = new TestServer(kind, wire, language, processor);
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);

      // when
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> client.reserve("apple", 1))
            .hasMessage("Internal error processing reserve");
      }
      Throwable fourth = catchThrowable(() -> client.reserve("apple", 1));

      // then
      assertThat(fourth)
          .hasMessageStartingWith("SHED dependency=method.reserve state=OPEN retryAfterMs=");
      assertThat(client.count(List.of())).isZero();
    }
    // a server counts after it has answered
    Awaitility.await().until(() -> stats(path, "reserve").inFlight() == 0);
    assertThat(own.snapshot().state()).isEqualTo(BreakerState.OPEN);
    assertCounted(0, 3, 0);
    assertThat(own.snapshot().refused()).isEqualTo(1);
    assertThat(stats(path, "reserve").sheds()).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource(SERVERS)
  void countsATransportFailureThatClosesTheConnection(Kind kind, Wire wire, Language language)
      throws Exception {
    thrown.set(new TTransportException("a socket without a guard broke"));
    try (TestServer server = new TestServer(kind, wire, language, processor)) {
      for (int i = 0; i < 3; i++) {
        try (Connection connection = server.connect()) {
          Warehouse.Client client = new Warehouse.Client(connection.protocol);
          assertThatThrownBy(() -> client.reserve("apple", 1))
              .isInstanceOf(TTransportException.class);
        }
      }
      // a call is not in flight any more before its outcome is judged
      Awaitility.await().until(() -> own.snapshot().state() == BreakerState.OPEN);
      assertCounted(0, 3, 0);
      try (Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);
        assertThatThrownBy(() -> client.reserve("apple", 1))
            .hasMessageStartingWith("SHED dependency=method.reserve state=OPEN");
      }
    }
  }

  @ParameterizedTest
  @MethodSource(SERVERS)
  void answersLikeTheBareServerWhileItIsClosed(Kind kind, Wire wire, Language language)
      throws Exception {
    RequestPath each =
        new RequestPath(
            Map.of(),
            Map.of(),
            false,
            new Workers(null),
            System::nanoTime,
            new ShedReplies(),
            new MethodBreakers(Map.of(), Breakers::closed));
    Warehouse.Processor<?> bare = new Warehouse.Processor<>(handler);
    List<byte[]> bytes = new ArrayList<>();
    for (TProcessor one : List.of(bare, each.wrap(bare))) {
      try (TestServer server = new TestServer(kind, wire, language, one);
          Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);
        assertThat(client.place(ConformanceTest.order(3)).getTotalCents()).isEqualTo(450);
        assertThatThrownBy(() -> client.place(ConformanceTest.order(0)))
            .isInstanceOf(OutOfStock.class);
        assertThatThrownBy(() -> client.crash("no")).isInstanceOf(TApplicationException.class);
        client.note("hello");
        assertThat(client.reserve("apple", 3)).isEqualTo(3);
        bytes.add(connection.tap.seen());
      }
    }
    assertThat(bytes.get(1)).isEqualTo(bytes.get(0));
  }

  // ---- what counts

  private void serve(byte[] message, boolean framed) throws TException {
    TMemoryBuffer unframed = new TMemoryBuffer(message.length);
    unframed.write(message, 0, message.length);
    TProtocol in = new TBinaryProtocol(framed ? new TMemoryInputTransport(message) : unframed);
    processor.process(in, new TBinaryProtocol(new TMemoryBuffer(64)));
  }

  private static byte[] request() throws TException {
    TMemoryBuffer message = new TMemoryBuffer(64);
    new Warehouse.Client(new TBinaryProtocol(message)).send_reserve("apple", 1);
    return Arrays.copyOf(message.getArray(), message.length());
  }

  @Test
  void countsResultsAndDeclaredExceptionsAsSuccesses() throws Exception {
    serve(request(), true);
    thrown.set(new OutOfStock("apple", 0));
    serve(request(), true);
    assertCounted(2, 0, 0);
  }

  @Test
  void ignoresWhatAnotherBreakerRefused() throws Exception {
    Breakers.open(stock);
    thrown.set(new BreakerOpenException(stock.refusal(stock.now())));
    serve(request(), true);
    serve(request(), false);
    assertCounted(0, 0, 2);

    // a failure after it, without a message, is judged by itself
    thrown.set(new TApplicationException(TApplicationException.INTERNAL_ERROR));
    serve(request(), true);
    assertCounted(0, 1, 2);
  }

  @Test
  void readsWhatAnExceptionOverTuplesSays() throws Exception {
    // given replies to one connection, one after the other
    TMemoryBuffer replies = new TMemoryBuffer(64);
    TProtocol out = new TTupleProtocol(replies);
    Breakers.open(stock);
    for (Exception one :
        new Exception[] {
          new BreakerOpenException(stock.refusal(stock.now())),
          new TApplicationException(TApplicationException.PROTOCOL_ERROR, "not ours"),
          new TApplicationException(TApplicationException.INTERNAL_ERROR),
          new OutOfStock("apple", 0)
        }) {
      TMemoryBuffer request = new TMemoryBuffer(64);
      new Warehouse.Client(new TTupleProtocol(request)).send_reserve("apple", 1);
      byte[] message = Arrays.copyOf(request.getArray(), request.length());
      thrown.set(one);

      // when
      processor.process(new TTupleProtocol(new TMemoryInputTransport(message)), out);
    }

    // then each is judged, and reads as it was thrown
    assertCounted(1, 1, 2);
    Warehouse.Client reader = new Warehouse.Client(new TTupleProtocol(replies));
    assertThat(Shed.of(catchThrowable(reader::recv_reserve))).isPresent();
    assertThatThrownBy(reader::recv_reserve).hasMessage("not ours");
    assertThatThrownBy(reader::recv_reserve).isExactlyInstanceOf(TApplicationException.class);
    assertThat(new TTupleProtocol(replies).readMessageBegin().type).isEqualTo(TMessageType.REPLY);
  }

  @Test
  void ignoresWhatIsTheCallersDoing() throws Exception {
    // given a good request before, on the same thread
    serve(request(), true);
    for (boolean framed : new boolean[] {true, false}) {
      // when a message ends within its arguments, and one cannot be read
      byte[] whole = request();
      for (int length = 20; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        assertThat(catchThrowable(() -> serve(cut, framed))).isInstanceOf(TException.class);
      }
      TMemoryBuffer garbled = new TMemoryBuffer(64);
      TProtocol out = new TBinaryProtocol(garbled);
      out.writeMessageBegin(new TMessage("reserve", TMessageType.CALL, 1));
      out.writeByte((byte) 11);
      out.writeI16((short) 1);
      out.writeI32(-7);
      serve(Arrays.copyOf(garbled.getArray(), garbled.length()), framed);
    }
    assertThat(own.snapshot().ignored()).isPositive();
    assertCounted(1, 0, own.snapshot().ignored());
    assertThat(own.snapshot().state()).isEqualTo(BreakerState.CLOSED);
  }

  @Test
  void ignoresACallerThatHasGoneBeforeTheReply() throws Exception {
    TMemoryBuffer gone =
        new TMemoryBuffer(64) {
          @Override
          public void flush() throws TTransportException {
            throw new TTransportException("Broken pipe");
          }
        };

    assertThatThrownBy(
            () ->
                processor.process(
                    new TBinaryProtocol(new TMemoryInputTransport(request())),
                    new TBinaryProtocol(gone)))
        .hasMessage("Broken pipe");

    assertCounted(0, 0, 1);
  }

  @Test
  void countsAContainedFailureOfADependency() throws Exception {
    TTransportException gone = new TTransportException("gone");
    WarehouseHandler guarding =
        new WarehouseHandler(
            Guard.of(
                stock,
                Stock.Iface.class,
                new Stock.Iface() {
                  @Override
                  public int reserve(String sku, int quantity) throws TException {
                    throw gone;
                  }

                  @Override
                  public long ping(long number) {
                    return number;
                  }

                  @Override
                  public void touch() {}
                }));
    path.wrap(new Warehouse.Processor<>(guarding))
        .process(
            new TBinaryProtocol(new TMemoryInputTransport(request())),
            new TBinaryProtocol(new TMemoryBuffer(64)));

    assertCounted(0, 1, 0);
    assertThat(stats(path, "reserve").contained()).isEqualTo(1);
  }

  @Test
  void takesNoPermitForARequestThatADependencySheds() throws Exception {
    RequestPath both = path(Map.of("reserve", own), Map.of("reserve", List.of("stock")));
    TProcessor wrapped = both.wrap(new Warehouse.Processor<>(handler));
    Breakers.open(stock);

    wrapped.process(
        new TBinaryProtocol(new TMemoryInputTransport(request())),
        new TBinaryProtocol(new TMemoryBuffer(64)));

    assertThat(own.snapshot().acquired()).isZero();
    assertThat(own.snapshot().refused()).isZero();
    assertThat(stock.snapshot().refused()).isEqualTo(1);
  }

  // ---- which methods have one

  @Test
  void namesBreakersByTheMethodInCharactersThatNamesMayHave() {
    Map<String, CircuitBreaker> made = new ConcurrentHashMap<>();
    TMultiplexedProcessor services = new TMultiplexedProcessor();
    services.registerProcessor("Warehouse", new Warehouse.Processor<>(handler));
    services.registerProcessor("Led/ger", new Ledger.Processor<Ledger.Iface>(null));
    RequestPath each =
        new RequestPath(
            Map.of(),
            Map.of(),
            false,
            new Workers(null),
            System::nanoTime,
            new ShedReplies(),
            new MethodBreakers(
                Map.of("reserve", own), name -> made.computeIfAbsent(name, Breakers::closed)));

    each.wrap(services);

    assertThat(made.keySet())
        .hasSize(9)
        .contains("method.Warehouse.place")
        .doesNotContain("method.Warehouse.reserve")
        .anyMatch(name -> name.matches("method\\.Led_ger\\.book-[0-9a-f]{8}"))
        .allMatch(name -> name.matches("[A-Za-z0-9_.-]{1,64}"));
    assertThat(MethodBreakers.breakerName("a".repeat(57))).isEqualTo("method." + "a".repeat(57));
    assertThat(MethodBreakers.breakerName("a".repeat(58))).hasSize(64).matches(".*a-[0-9a-f]{8}");
  }

  @Test
  void tellsNamesakesOfTwoServicesApart() throws Exception {
    CircuitBreaker count = Breakers.closed("method.Ledger.count");
    TMultiplexedProcessor services = new TMultiplexedProcessor();
    services.registerProcessor("Warehouse", new Warehouse.Processor<>(handler));
    services.registerProcessor("Ledger", new Ledger.Processor<Ledger.Iface>(null));
    TProcessor wrapped = path(Map.of("Ledger.count", count), Map.of()).wrap(services);
    Breakers.open(count);
    try (TestServer server = new TestServer(Kind.HSHA, Wire.FRAMED, Language.COMPACT, wrapped);
        Connection connection = server.connect()) {
      assertThat(
              new Warehouse.Client(new TMultiplexedProtocol(connection.protocol, "Warehouse"))
                  .count(List.of()))
          .isZero();
      assertThatThrownBy(
              () ->
                  new Ledger.Client(new TMultiplexedProtocol(connection.protocol, "Ledger"))
                      .count("a"))
          .hasMessageStartingWith("SHED dependency=method.Ledger.count state=OPEN");
    }
  }

  @Test
  void guardsADeclaredMethodOfAProcessorThatShowsNone() {
    RequestPath unseen = path(Map.of("reserve", own), Map.of());
    TProcessor wrapped =
        unseen.wrap((in, out) -> new Warehouse.Processor<>(handler).process(in, out));
    Breakers.open(own);

    Throwable refused =
        catchThrowable(
            () -> {
              TMemoryBuffer reply = new TMemoryBuffer(64);
              wrapped.process(
                  new TBinaryProtocol(new TMemoryInputTransport(request())),
                  new TBinaryProtocol(reply));
              new Warehouse.Client(new TBinaryProtocol(reply)).recv_reserve();
            });

    assertThat(refused).hasMessageStartingWith("SHED dependency=method.reserve state=OPEN");
  }

  @Test
  void refusesAMethodThatIsNot() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> path(Map.of("plaice", own), Map.of()).wrap(new Warehouse.Processor<>(handler)))
        .withMessageStartingWith("methodBreaker: plaice (expected: a method of these: [count,");
  }
}
