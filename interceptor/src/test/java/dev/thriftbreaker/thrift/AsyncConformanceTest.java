package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.CircuitBreaker;
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
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TProcessor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real servers, bare and wrapped, are asked the same on one connection each. What they answer is
 * the same to the byte; only what is shed differs, and it leaves the connection as it was.
 */
class AsyncConformanceTest {

  private final CircuitBreaker stock = Breakers.closed("stock");
  private final RequestPath path =
      new RequestPath(
          Map.of("stock", stock),
          Map.of("reserve", List.of("stock"), "note", List.of("stock"), "touch", List.of("stock")),
          System::nanoTime);

  static Stream<Arguments> servers() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Wire wire : Wire.values()) {
        for (Language language : Language.values()) {
          boolean possible =
              wire != Wire.PLAIN || !kind.isNonblocking() && language != Language.TUPLE;
          if (possible) {
            all.add(Arguments.of(kind, wire, language));
          }
        }
      }
    }
    return all.stream();
  }

  static Stream<Arguments> asyncServers() {
    return servers()
        .filter(server -> ((Kind) server.get()[0]).isNonblocking())
        .flatMap(
            server ->
                Stream.of(true, false)
                    .map(
                        at -> Arguments.of(server.get()[0], server.get()[1], server.get()[2], at)));
  }

  @ParameterizedTest
  @MethodSource("asyncServers")
  void answersLikeTheBareAsynchronousServerAndShedsWithoutHarm(
      Kind kind, Wire wire, Language language, boolean atOnce) throws Exception {
    WarehouseHandler bareHandler = new WarehouseHandler(new ConformanceTest.RealStock());
    WarehouseHandler handler = new WarehouseHandler(new ConformanceTest.RealStock());
    Conversation bare = new Conversation(language, bareHandler, false);
    Conversation wrapped = new Conversation(language, handler, true);
    ExecutorService other = Executors.newSingleThreadExecutor();
    Executor executor = atOnce ? Runnable::run : other;

    try (TestServer server =
        new TestServer(
            kind,
            wire,
            language,
            new Warehouse.AsyncProcessor<>(new AsyncWarehouse(bareHandler, executor)))) {
      bare.hold(server);
    }
    TProcessor processor =
        path.wrap(new Warehouse.AsyncProcessor<>(new AsyncWarehouse(handler, executor)));
    try (TestServer server = new TestServer(kind, wire, language, processor)) {
      wrapped.hold(server);
    }
    other.shutdown();

    assertThat(processor).isInstanceOf(TAsyncProcessor.class);
    assertAlike(wrapped, bare, language, "no");
  }

  private void assertAlike(
      Conversation wrapped, Conversation bare, Language language, String crashed) {
    assertThat(wrapped.answers).isEqualTo(bare.answers);
    assertThat(wrapped.bytes).isEqualTo(bare.bytes);
    String receipt = "Receipt(orderId:o-1, totalCents:450, lines:[apple, pear])";
    List<String> expected = new ArrayList<>();
    expected.add(receipt);
    expected.add("OutOfStock(sku:plum, left:0)");
    expected.add("6 " + crashed);
    expected.addAll(List.of("5", "7", "null"));
    if (language != Language.TUPLE) {
      expected.add("1 Invalid method name: 'ping'");
    }
    expected.add(receipt);
    assertThat(wrapped.answers).isEqualTo(expected);
    int unknown = language == Language.TUPLE ? 0 : 1; // not asked for in tuples
    assertStats("place", 3, 3, 0, 0);
    assertStats("crash", 1, 0, 1, 0);
    assertStats("reserve", 3, 1, 0, 2);
    assertStats("note", 2, 1, 0, 1);
    assertStats("unknown", unknown, 0, unknown, 0);
  }

  private void assertStats(String name, long requests, long successes, long failures, long sheds) {
    MethodStats stats =
        path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
    assertThat(stats.requests()).as(name).isEqualTo(requests);
    assertThat(stats.successes()).as(name).isEqualTo(successes);
    assertThat(stats.failures()).as(name).isEqualTo(failures);
    assertThat(stats.sheds()).as(name).isEqualTo(sheds);
    assertThat(stats.contained()).as(name).isZero();
    assertThat(stats.inFlight()).as(name).isZero();
    assertThat(stats.latency().count()).as(name).isEqualTo(successes + failures);
  }

  /** The same calls in the same order; those shed by the wrapped server are not compared. */
  private final class Conversation {
    final List<String> answers = new ArrayList<>();
    private final Language language;
    private final WarehouseHandler handler;
    private final boolean shedding;
    byte[] bytes;

    Conversation(Language language, WarehouseHandler handler, boolean shedding) {
      this.language = language;
      this.handler = handler;
      this.shedding = shedding;
    }

    void hold(TestServer server) throws Exception {
      try (Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);
        ask(() -> client.place(ConformanceTest.order(3)));
        ask(() -> client.place(ConformanceTest.order(0)));
        ask(() -> client.crash("no"));
        shed(connection, client);
        ask(() -> client.count(ConformanceTest.order(3).getItems()));
        client.note("hello");
        client.noteFailing("crash");
        ask(() -> client.reserve("apple", 7));
        ask(
            () -> {
              client.touch("apple");
              return null;
            });
        if (language != Language.TUPLE) { // no server can pass over arguments in tuples
          ask(() -> new Stock.Client(connection.protocol).ping(1));
        }
        ask(() -> client.place(ConformanceTest.order(3)));
        bytes = connection.tap.seen();
        List<String> notes =
            shedding ? List.of("hello", "crash") : List.of("late", "hello", "crash");
        // an asynchronous server begins the next request while a oneway handler runs
        await()
            .pollDelay(Duration.ZERO)
            .pollInterval(Duration.ofMillis(1))
            .untilAsserted(
                () -> assertThat(handler.notes).containsExactlyInAnyOrderElementsOf(notes));
      }
    }

    private void shed(Connection connection, Warehouse.Client client) throws Exception {
      if (shedding) {
        Breakers.open(stock);
      }
      connection.tap.pause(true);
      Throwable first = catchThrowable(() -> client.reserve("apple", 1));
      client.note("late");
      Throwable second = catchThrowable(() -> client.reserve("apple", 1));
      connection.tap.pause(false);
      if (shedding) {
        for (Throwable shed : List.of(first, second)) {
          assertThat(shed)
              .isInstanceOf(TApplicationException.class)
              .message()
              .matches("SHED dependency=stock state=OPEN retryAfterMs=(59\\d{3}|60000)");
          assertThat(((TApplicationException) shed).getType()).isEqualTo(11);
        }
        Breakers.close(stock);
      } else {
        assertThat(first).isNull();
      }
    }

    private void ask(Callable<?> call) {
      Object[] result = new Object[1];
      Throwable thrown = catchThrowable(() -> result[0] = call.call());
      if (thrown instanceof TApplicationException e) {
        answers.add(e.getType() + " " + e.getMessage());
      } else {
        answers.add(String.valueOf(thrown == null ? result[0] : thrown));
      }
    }
  }

  static Stream<Arguments> multiplexedServers() {
    return Stream.of(
        Arguments.of(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY),
        Arguments.of(Kind.THREAD_POOL, Wire.PLAIN, Language.JSON),
        Arguments.of(Kind.THREAD_POOL, Wire.FAST_FRAMED, Language.COMPACT),
        Arguments.of(Kind.HSHA, Wire.FRAMED, Language.BINARY),
        Arguments.of(Kind.HSHA, Wire.FRAMED, Language.COMPACT),
        Arguments.of(Kind.HSHA, Wire.FRAMED, Language.JSON));
  }
}
