package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Item;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A dependency's transport failure that escapes a handler is the dependency's, not the caller's.
 */
class ContainmentTest {

  private final CircuitBreaker breaker = Breakers.closed("stock");
  private final RequestPath path =
      new RequestPath(Map.of("stock", breaker), Map.of(), System::nanoTime);

  static Stream<Arguments> servers() {
    return Stream.of(
        Arguments.of(Kind.SIMPLE, Wire.PLAIN, Language.BINARY),
        Arguments.of(Kind.THREAD_POOL, Wire.PLAIN, Language.JSON),
        Arguments.of(Kind.THREAD_POOL, Wire.FAST_FRAMED, Language.COMPACT),
        Arguments.of(Kind.THREAD_POOL, Wire.FRAMED, Language.TUPLE),
        Arguments.of(Kind.HSHA, Wire.FRAMED, Language.BINARY),
        Arguments.of(Kind.THREADED_SELECTOR, Wire.FRAMED, Language.COMPACT));
  }

  @ParameterizedTest
  @MethodSource("servers")
  void answersGuardedFailureAndKeepsTheConnection(Kind kind, Wire wire, Language language)
      throws Exception {
    // given a dependency that is down, behind a guard
    Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, new StockThatIsDown());
    WarehouseHandler handler = new WarehouseHandler(guarded);
    TProcessor processor = path.wrap(new Warehouse.Processor<>(handler));
    try (TestServer server = new TestServer(kind, wire, language, processor);
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);

      // when / then
      assertThatThrownBy(() -> client.reserve("apple", 1))
          .isInstanceOf(TApplicationException.class)
          .hasMessage("Internal error processing reserve")
          .extracting(e -> ((TApplicationException) e).getType())
          .isEqualTo(TApplicationException.INTERNAL_ERROR);
      client.noteFailing("quiet");
      assertThat(client.count(List.of(new Item().setQuantity(3)))).isEqualTo(3);
    }
    assertThat(handler.notes.poll(10, TimeUnit.SECONDS)).isEqualTo("quiet");
    assertThat(stats("reserve").contained()).isEqualTo(1);
    assertThat(stats("reserve").failures()).isEqualTo(1);
    assertThat(stats("noteFailing").contained()).isEqualTo(1);
    assertThat(breaker.snapshot().failures()).isEqualTo(2);
  }

  @ParameterizedTest
  @MethodSource("servers")
  void leavesUnguardedFailureAsTheBareServerHasIt(Kind kind, Wire wire, Language language)
      throws Exception {
    for (boolean wrap : new boolean[] {false, true}) {
      TProcessor bare = new Warehouse.Processor<>(new WarehouseHandler(new StockThatIsDown()));
      try (TestServer server = new TestServer(kind, wire, language, wrap ? path.wrap(bare) : bare);
          Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);

        assertThatThrownBy(() -> client.reserve("apple", 1))
            .isInstanceOf(TTransportException.class)
            .extracting(e -> ((TTransportException) e).getType())
            .isEqualTo(TTransportException.END_OF_FILE);
        assertThat(connection.tap.seen()).isEmpty();
      }
    }
    assertThat(stats("reserve").contained()).isZero();
    assertThat(stats("reserve").failures()).isEqualTo(1);
  }

  @Test
  void leavesAFailureFromBeforeTheArgumentsWereReadAsTheBareServerHasIt() throws Exception {
    for (Wire wire : List.of(Wire.PLAIN, Wire.FRAMED)) {
      // given a processor around the generated one, whose guarded call fails once, before all else
      Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, new StockThatIsDown());
      TProcessor generated = new Warehouse.Processor<>(new WarehouseHandler(guarded));
      AtomicInteger calls = new AtomicInteger();
      TProcessor checking =
          (in, out) -> {
            if (calls.getAndIncrement() == 0) {
              guarded.reserve("quota", 1);
            }
            generated.process(in, out);
          };
      try (TestServer server =
              new TestServer(Kind.THREAD_POOL, wire, Language.BINARY, path.wrap(checking));
          Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);

        // when / then the connection is closed without a reply, and the request not run again
        assertThatThrownBy(() -> client.count(List.of()))
            .isInstanceOf(TTransportException.class)
            .extracting(e -> ((TTransportException) e).getType())
            .isEqualTo(TTransportException.END_OF_FILE);
        assertThat(connection.tap.seen()).isEmpty();
        assertThat(calls).hasValue(1);
      }
    }
  }

  @Test
  void knowsAFailureByItsIdentityOnly() throws Exception {
    // given a handler that throws a transport failure of its own, caused by a guarded one
    TProcessor processor =
        path.wrap(
            new Warehouse.Processor<>(
                new WarehouseHandler(
                    new StockThatIsDown() {
                      @Override
                      public int reserve(String sku, int quantity) throws TException {
                        try {
                          return Guard.of(breaker, Stock.Iface.class, new StockThatIsDown())
                              .reserve(sku, quantity);
                        } catch (TTransportException e) {
                          throw new TTransportException("own", e);
                        }
                      }
                    })));
    TMemoryBuffer in = request();

    assertThatThrownBy(
            () -> processor.process(new TBinaryProtocol(in), new TBinaryProtocol(buffer())))
        .isInstanceOf(TTransportException.class)
        .hasMessage("own");
  }

  @Test
  void forgetsAFailureWithItsRequest() throws Exception {
    // given a failure that a guard saw in one request and that escapes from the next one
    AtomicReference<TTransportException> kept = new AtomicReference<>();
    TProcessor processor =
        path.wrap(
            new Warehouse.Processor<>(
                new WarehouseHandler(
                    new StockThatIsDown() {
                      @Override
                      public int reserve(String sku, int quantity) throws TException {
                        if (kept.get() != null) {
                          throw kept.get();
                        }
                        try {
                          return Guard.of(breaker, Stock.Iface.class, new StockThatIsDown())
                              .reserve(sku, quantity);
                        } catch (TTransportException e) {
                          kept.set(e);
                          return 0;
                        }
                      }
                    })));
    processor.process(new TBinaryProtocol(request()), new TBinaryProtocol(buffer()));
    TMemoryBuffer in = request();

    assertThatThrownBy(
            () -> processor.process(new TBinaryProtocol(in), new TBinaryProtocol(buffer())))
        .isSameAs(kept.get());
  }

  @Test
  void restoresTheOuterRequestAfterOneServedWithin() throws Exception {
    // given a handler that serves another request on its own thread after a guarded failure
    TProcessor innerProcessor =
        path.wrap(
            new Warehouse.Processor<>(
                new WarehouseHandler(Guard.of(breaker, Stock.Iface.class, new StockThatIsDown()))));
    TMemoryBuffer innerOut = buffer();
    TProcessor processor =
        path.wrap(
            new Warehouse.Processor<>(
                new WarehouseHandler(
                    new StockThatIsDown() {
                      @Override
                      public int reserve(String sku, int quantity) throws TException {
                        try {
                          return Guard.of(breaker, Stock.Iface.class, new StockThatIsDown())
                              .reserve(sku, quantity);
                        } catch (TTransportException e) {
                          innerProcessor.process(
                              new TBinaryProtocol(request()), new TBinaryProtocol(innerOut));
                          throw e;
                        }
                      }
                    })));
    TMemoryBuffer out = buffer();

    processor.process(new TBinaryProtocol(request()), new TBinaryProtocol(out));

    assertThat(stats("reserve").contained()).isEqualTo(2);
    for (TMemoryBuffer answer : List.of(innerOut, out)) {
      assertThatThrownBy(() -> new Warehouse.Client(new TBinaryProtocol(answer)).recv_reserve())
          .hasMessage("Internal error processing reserve");
    }
  }

  private MethodStats stats(String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  private static TMemoryBuffer request() throws TException {
    TMemoryBuffer in = buffer();
    new Warehouse.Client(new TBinaryProtocol(in)).send_reserve("apple", 1);
    return in;
  }

  private static TMemoryBuffer buffer() throws TTransportException {
    return new TMemoryBuffer(64);
  }

  /** A client whose connection is refused. */
  private static class StockThatIsDown implements Stock.Iface {
    @Override
    public int reserve(String sku, int quantity) throws TException {
      fail();
      return 0;
    }

    @Override
    public long ping(long number) throws TException {
      fail();
      return 0;
    }

    @Override
    public void touch() throws TException {
      fail();
    }

    private static void fail() throws TTransportException {
      int port;
      try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        port = closed.getLocalPort();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
      new TSocket("127.0.0.1", port, 1_000).open();
    }
  }
}
