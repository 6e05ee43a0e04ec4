package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.async.TAsyncClientManager;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.AbstractNonblockingServer.AsyncFrameBuffer;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TNonblockingSocket;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Handlers that answer as handlers do: later, elsewhere, twice, never, with what went wrong. */
class AsyncRequestTest {

  private interface Reserving {
    void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback) throws TException;
  }

  /** Its window is too long to trip within a test. */
  private final CircuitBreaker breaker =
      Breakers.closed(
          "stock", BreakerConfig.builder().minimumCalls(1_000_000).consecutiveFailures(0).build());

  private final RequestPath path =
      new RequestPath(Map.of("stock", breaker), Map.of(), System::nanoTime);
  private final BlockingQueue<AsyncMethodCallback<Integer>> held = new LinkedBlockingQueue<>();
  private TAsyncClientManager manager;

  @BeforeEach
  void startManager() throws IOException {
    manager = new TAsyncClientManager();
  }

  @AfterEach
  void stopManager() {
    manager.stop();
  }

  @ParameterizedTest
  @EnumSource(names = {"NONBLOCKING", "HSHA", "THREADED_SELECTOR"})
  void countsARequestUntilItsAnswerComesWheneverAndWherever(Kind kind) throws Exception {
    try (TestServer server = server(kind, (sku, quantity, callback) -> held.add(callback));
        Connection first = server.connect();
        Connection second = server.connect()) {
      // given two requests on two connections
      Warehouse.Client firstClient = new Warehouse.Client(first.protocol);
      Warehouse.Client secondClient = new Warehouse.Client(second.protocol);
      firstClient.send_reserve("apple", 1);
      AsyncMethodCallback<Integer> firstCallback = held();
      secondClient.send_reserve("pear", 2);
      AsyncMethodCallback<Integer> secondCallback = held();
      assertStats("reserve", 2, 0, 0);

      // when the later one is answered first
      secondCallback.onComplete(2);

      // then
      assertThat(secondClient.recv_reserve()).isEqualTo(2);
      assertStats("reserve", 2, 1, 0);
      firstCallback.onError(new IllegalStateException("late"));
      assertThatThrownBy(firstClient::recv_reserve).hasMessage("late");
      assertStats("reserve", 2, 1, 1);
      assertThat(stats("reserve").latency().count()).isEqualTo(2);
    }
  }

  @Test
  void leavesARequestThatIsNeverAnsweredUnderWayAndServesOthers() throws Exception {
    try (TestServer server =
            server(Kind.NONBLOCKING, (sku, quantity, callback) -> held.add(callback));
        Connection first = server.connect();
        Connection second = server.connect()) {
      new Warehouse.Client(first.protocol).send_reserve("apple", 1);
      held();

      assertThat(new Warehouse.Client(second.protocol).count(List.of())).isZero();
      assertThat(stats("reserve").inFlight()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NONBLOCKING", "HSHA", "THREADED_SELECTOR"})
  void dropsWhatIsAnsweredAfterTheFirstAnswer(Kind kind) throws Exception {
    // given a handler that answers more than once, also in the time of the next request
    Reserving twice =
        (sku, quantity, callback) -> {
          if (quantity < 0) {
            held.add(callback);
            return;
          }
          callback.onComplete(quantity);
          callback.onComplete(99);
          callback.onError(new TTransportException("after all"));
          held.add(callback);
        };
    try (TestServer server = server(kind, twice);
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);
      for (int i = 0; i < 20; i++) {
        assertThat(client.reserve("apple", i)).isEqualTo(i);
        AsyncMethodCallback<Integer> answered = held();
        client.send_reserve("apple", -1);
        AsyncMethodCallback<Integer> open = held();

        // when
        answered.onComplete(98);
        answered.onError(new IllegalStateException("again"));
        open.onComplete(-i);

        // then
        assertThat(client.recv_reserve()).isEqualTo(-i);
      }
      assertThat(client.count(List.of())).isZero();
    }
    assertStats("reserve", 40, 40, 0);
  }

  @Test
  void answersWhatAHandlerThrows() throws Exception {
    Reserving throwing =
        (sku, quantity, callback) -> {
          throw new IllegalStateException("bug");
        };
    try (TestServer server = server(Kind.HSHA, throwing);
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);

      assertThat(
              catchThrowableOfType(TApplicationException.class, () -> client.reserve("apple", 1)))
          .hasMessage("bug");
      assertThat(client.count(List.of())).isZero();
    }
    assertStats("reserve", 1, 0, 1);
  }

  @Test
  void closesTheConnectionOfAnErrorAsTheBareServerDoes() throws Exception {
    Reserving throwing =
        (sku, quantity, callback) -> {
          throw new StackOverflowError();
        };
    try (TestServer server = server(Kind.HSHA, throwing);
        Connection connection = server.connect()) {
      assertClosed(new Warehouse.Client(connection.protocol));
      assertThat(connection.tap.seen()).isEmpty();
    }
    assertStats("reserve", 1, 0, 1);
  }

  // ---- a dependency's transport failure

  @ParameterizedTest
  @EnumSource(names = {"NONBLOCKING", "HSHA", "THREADED_SELECTOR"})
  void answersAGuardedFailureAndKeepsTheConnection(Kind kind) throws Exception {
    // given a dependency that hangs up on each caller, behind guards; "chained" calls it in the
    // callback of a call that went well, "joined" through a stage
    try (HangingUp stock = new HangingUp()) {
      Stock.AsyncIface well = Guard.of(breaker, Stock.AsyncIface.class, new HeldStock(true));
      Reserving body =
          (sku, quantity, callback) -> {
            switch (sku) {
              case "chained" ->
                  well.reserve(sku, quantity, then(() -> stock.guarded(quantity, callback)));
              case "joined" ->
                  Guard.callAsync(breaker, () -> stock.stage(quantity))
                      .whenComplete(
                          (result, thrown) -> {
                            if (thrown == null) {
                              callback.onComplete(result);
                            } else {
                              callback.onError((Exception) thrown);
                            }
                          });
              default -> stock.guarded(quantity, callback);
            }
          };
      try (TestServer server = server(kind, body);
          Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);

        // when / then
        for (String sku : List.of("apple", "chained", "joined")) {
          assertThat(
                  catchThrowableOfType(TApplicationException.class, () -> client.reserve(sku, 1)))
              .hasMessage("Internal error processing reserve");
        }
        client.noteFailing("apple");
        assertThat(client.count(List.of())).isZero();
        await().until(() -> breaker.snapshot().failures() == 4);
        assertThat(client.count(List.of())).isZero();
      }
    }
    assertStats("reserve", 3, 0, 3);
    assertThat(stats("reserve").contained()).isEqualTo(3);
    assertThat(stats("noteFailing").requests()).isEqualTo(1);
    assertThat(stats("noteFailing").inFlight()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"NONBLOCKING", "HSHA", "THREADED_SELECTOR"})
  void leavesAnUnguardedFailureAsTheBareServerHasIt(Kind kind) throws Exception {
    try (HangingUp stock = new HangingUp()) {
      Reserving body = (sku, quantity, callback) -> stock.bare(quantity, callback);
      for (boolean wrap : new boolean[] {false, true}) {
        TProcessor bare = new Warehouse.AsyncProcessor<>(handler(body));
        try (TestServer server =
                new TestServer(kind, Wire.FRAMED, Language.BINARY, wrap ? path.wrap(bare) : bare);
            Connection connection = server.connect()) {
          assertClosed(new Warehouse.Client(connection.protocol));
          assertThat(connection.tap.seen()).isEmpty();
        }
      }
    }
    assertStats("reserve", 1, 0, 1);
    assertThat(stats("reserve").contained()).isZero();
  }

  @Test
  void keepsRequestsOnOneThreadApart() throws Exception {
    // given one selector thread, and a request that waits for a guarded call
    HeldStock stock = new HeldStock(false);
    Stock.AsyncIface guarded = Guard.of(breaker, Stock.AsyncIface.class, stock);
    TTransportException downstream = new TTransportException("downstream");
    Reserving body =
        (sku, quantity, callback) -> {
          switch (sku) {
            case "waits" -> guarded.reserve(sku, quantity, callback);
            case "copes" -> {
              guarded.reserve(sku, quantity, then(() -> {}));
              stock.callbacks.remove().onError(downstream);
              callback.onComplete(0);
            }
            default -> callback.onError(new TTransportException("its own"));
          }
        };
    try (TestServer server = server(Kind.NONBLOCKING, body);
        Connection first = server.connect();
        Connection second = server.connect()) {
      Warehouse.Client firstClient = new Warehouse.Client(first.protocol);
      Warehouse.Client secondClient = new Warehouse.Client(second.protocol);
      firstClient.send_reserve("waits", 1);
      AsyncMethodCallback<Integer> waiting = stock.callbacks.poll(10, TimeUnit.SECONDS);

      // when another one sees a guarded failure and copes, and the next one has one of its own
      assertThat(secondClient.reserve("copes", 1)).isZero();
      assertClosed(secondClient);

      // then the first one has its guarded failure contained, and its connection goes on
      waiting.onError(downstream);
      assertThatThrownBy(firstClient::recv_reserve).hasMessage("Internal error processing reserve");
      assertThat(firstClient.reserve("copes", 1)).isZero();
      assertClosed(firstClient);
    }
    assertThat(RequestContext.currentAsync()).isNull();
    assertThat(stats("reserve").contained()).isEqualTo(1);
  }

  @Test
  void leavesNothingOfARequestOnTheThreadThatBeganIt() throws TException {
    // given a request whose handler keeps the callback
    List<AsyncRequest> seen = new ArrayList<>();
    Reserving body =
        (sku, quantity, callback) -> {
          seen.add(RequestContext.currentAsync());
          held.add(callback);
        };
    TMemoryBuffer in = new TMemoryBuffer(64);
    new Warehouse.Client(new TBinaryProtocol(in)).send_reserve("apple", 1);
    AsyncFrameBuffer frame =
        Nowhere.SERVER.new AsyncFrameBuffer(Nowhere.TRANSPORT, null, null) {
          @Override
          public TProtocol getInputProtocol() {
            return new TBinaryProtocol(in);
          }

          @Override
          public TProtocol getOutputProtocol() {
            return new TBinaryProtocol(in);
          }
        };

    // when
    ((TAsyncProcessor) path.wrap(new Warehouse.AsyncProcessor<>(handler(body)))).process(frame);

    // then
    assertThat(held).hasSize(1);
    assertThat(seen).doesNotContainNull();
    assertThat(RequestContext.currentAsync()).isNull();
  }

  @Test
  void tellsTheCallerOfARefusedCallAndOfAShedRequest() throws Exception {
    Stock.AsyncIface guarded = Guard.of(breaker, Stock.AsyncIface.class, new HeldStock(true));
    Breakers.open(breaker);
    RequestPath shedding =
        new RequestPath(
            Map.of("stock", breaker), Map.of("reserve", List.of("stock")), System::nanoTime);
    for (RequestPath either : List.of(path, shedding)) {
      TProcessor processor = either.wrap(new Warehouse.AsyncProcessor<>(handler(guarded::reserve)));
      try (TestServer server =
              new TestServer(Kind.NONBLOCKING, Wire.FRAMED, Language.BINARY, processor);
          TNonblockingSocket socket = new TNonblockingSocket("127.0.0.1", server.port())) {
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        new Warehouse.AsyncClient(new TBinaryProtocol.Factory(), manager, socket)
            .reserve("apple", 1, telling(answer));

        assertThat(answer)
            .failsWithin(10, TimeUnit.SECONDS)
            .withThrowableThat()
            .havingCause()
            .withMessageStartingWith("SHED dependency=stock state=OPEN retryAfterMs=");
      }
    }
  }

  @Test
  void tellsAServerThatTakesItForASynchronousProcessor() throws TException {
    TProcessor processor = path.wrap(new Warehouse.AsyncProcessor<>(handler((a, b, c) -> {})));
    TMemoryBuffer in = new TMemoryBuffer(64);

    assertThatThrownBy(() -> processor.process(new TBinaryProtocol(in), new TBinaryProtocol(in)))
        .isInstanceOf(TException.class)
        .hasMessageContaining("AsyncProcessor, which is asynchronous (expected:");
  }

  // ---- storm

  @ParameterizedTest
  @EnumSource(names = {"NONBLOCKING", "HSHA", "THREADED_SELECTOR"})
  void givesEveryPermitBackAfterAStorm(Kind kind) throws Exception {
    int callers = 8;
    int each = 150;
    AtomicInteger turn = new AtomicInteger();
    ExecutorService others = Executors.newFixedThreadPool(3);
    ExecutorService crowd = Executors.newFixedThreadPool(callers);
    CountDownLatch done = new CountDownLatch(callers);
    try (HangingUp hangingUp = new HangingUp();
        TestServer downstream =
            new TestServer(
                Kind.NONBLOCKING,
                Wire.FRAMED,
                Language.BINARY,
                new Stock.AsyncProcessor<>(new HeldStock(true)))) {
      Reserving body =
          (sku, quantity, callback) -> {
            switch (turn.getAndIncrement() % 8) {
              case 0 -> hangingUp.guarded(quantity, callback);
              case 1 -> others.execute(() -> stockAt(downstream.port(), quantity, callback));
              case 2 -> {
                callback.onComplete(quantity);
                callback.onComplete(quantity);
              }
              case 3 -> throw new IllegalStateException("bug");
              case 4 ->
                  Guard.callAsync(
                          breaker, () -> CompletableFuture.supplyAsync(() -> quantity, others))
                      .thenAccept(callback::onComplete);
              case 5 -> others.execute(() -> callback.onError(new TTransportException("own")));
              default -> stockAt(downstream.port(), quantity, callback);
            }
          };
      try (TestServer server = server(kind, body)) {
        for (int caller = 0; caller < callers; caller++) {
          crowd.execute(
              () -> {
                try {
                  call(server, each);
                } finally {
                  done.countDown();
                }
              });
        }
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        await().until(() -> stats("reserve").inFlight() == 0);
      }
    } finally {
      crowd.shutdownNow();
      others.shutdownNow();
    }
    MethodStats counted = stats("reserve");
    assertThat(counted.requests()).isEqualTo(callers * each);
    assertThat(counted.successes() + counted.failures()).isEqualTo(counted.requests());
    BreakerSnapshot snapshot = breaker.snapshot();
    assertThat(snapshot.acquired()).isPositive();
    assertThat(snapshot.inFlight()).isZero();
    assertThat(snapshot.successes()).isPositive();
    assertThat(snapshot.failures()).isPositive();
  }

  /** Calls so often, on as many connections as it takes, and sees that no answer is another's. */
  private static void call(TestServer server, int times) {
    Connection connection = null;
    try {
      for (int i = 0; i < times; i++) {
        if (connection == null) {
          connection = server.connect();
        }
        try {
          assertThat(new Warehouse.Client(connection.protocol).reserve("apple", i)).isEqualTo(i);
        } catch (TTransportException e) {
          connection.close();
          connection = null;
        } catch (TApplicationException e) {
          assertThat(e.getType()).isEqualTo(TApplicationException.INTERNAL_ERROR);
        }
      }
    } catch (TException e) {
      throw new AssertionError(e);
    } finally {
      if (connection != null) {
        connection.close();
      }
    }
  }

  // ---- what handlers and tests need

  private void stockAt(int port, int quantity, AsyncMethodCallback<Integer> callback) {
    try {
      Guard.of(breaker, Stock.AsyncIface.class, client(port)).reserve("apple", quantity, callback);
    } catch (TException | IOException e) {
      callback.onError(e);
    }
  }

  private Stock.AsyncClient client(int port) throws IOException, TException {
    return new Stock.AsyncClient(
        new TBinaryProtocol.Factory(), manager, new TNonblockingSocket("127.0.0.1", port));
  }

  private TestServer server(Kind kind, Reserving body) throws Exception {
    return new TestServer(
        kind,
        Wire.FRAMED,
        Language.BINARY,
        path.wrap(new Warehouse.AsyncProcessor<>(handler(body))));
  }

  private static AsyncWarehouse handler(Reserving body) {
    return new AsyncWarehouse(
        new WarehouseHandler(new ConformanceTest.RealStock()), Runnable::run) {
      @Override
      public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback)
          throws TException {
        body.reserve(sku, quantity, callback);
      }

      @Override
      @SuppressWarnings({"unchecked", "rawtypes"}) // of a oneway call only the failure counts
      public void noteFailing(String sku, AsyncMethodCallback<Void> callback) throws TException {
        body.reserve(sku, 1, (AsyncMethodCallback) callback);
      }
    };
  }

  private AsyncMethodCallback<Integer> held() throws InterruptedException {
    AsyncMethodCallback<Integer> callback = held.poll(10, TimeUnit.SECONDS);
    assertThat(callback).isNotNull();
    return callback;
  }

  private void assertClosed(Warehouse.Client client) {
    assertThat(
            catchThrowableOfType(TTransportException.class, () -> client.reserve("own", 1))
                .getType())
        .isEqualTo(TTransportException.END_OF_FILE);
  }

  private void assertStats(String name, long requests, long successes, long failures) {
    MethodStats stats = stats(name);
    assertThat(stats.requests()).isEqualTo(requests);
    assertThat(stats.successes()).isEqualTo(successes);
    assertThat(stats.failures()).isEqualTo(failures);
    assertThat(stats.inFlight()).isEqualTo(requests - successes - failures);
  }

  private MethodStats stats(String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  private interface Step {
    void run() throws Exception;
  }

  private static AsyncMethodCallback<Integer> then(Step step) {
    return new AsyncMethodCallback<>() {
      @Override
      public void onComplete(Integer response) {
        try {
          step.run();
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      }

      @Override
      public void onError(Exception exception) {}
    };
  }

  private static AsyncMethodCallback<Integer> telling(CompletableFuture<Integer> future) {
    return new AsyncMethodCallback<>() {
      @Override
      public void onComplete(Integer response) {
        future.complete(response);
      }

      @Override
      public void onError(Exception exception) {
        future.completeExceptionally(exception);
      }
    };
  }

  /** A stock that answers at once, or keeps the callbacks. */
  private static final class HeldStock implements Stock.AsyncIface {
    private final BlockingQueue<AsyncMethodCallback<Integer>> callbacks =
        new LinkedBlockingQueue<>();
    private final boolean answers;

    HeldStock(boolean answers) {
      this.answers = answers;
    }

    @Override
    public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback) {
      if (answers) {
        callback.onComplete(quantity);
      } else {
        callbacks.add(callback);
      }
    }

    @Override
    public void ping(long number, AsyncMethodCallback<Long> callback) {}

    @Override
    public void touch(AsyncMethodCallback<Void> callback) {}
  }

  /** A dependency that accepts connections and closes them. */
  private final class HangingUp implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

    HangingUp() throws IOException {
      new Thread(this::hangUp, "hanging up").start();
    }

    private void hangUp() {
      while (true) {
        try {
          socket.accept().close();
        } catch (IOException e) {
          return;
        }
      }
    }

    void guarded(int quantity, AsyncMethodCallback<Integer> callback) throws TException {
      stockAt(socket.getLocalPort(), quantity, callback);
    }

    void bare(int quantity, AsyncMethodCallback<Integer> callback) throws TException {
      try {
        client(socket.getLocalPort()).reserve("apple", quantity, callback);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    CompletableFuture<Integer> stage(int quantity) {
      CompletableFuture<Integer> future = new CompletableFuture<>();
      try {
        bare(quantity, telling(future));
      } catch (TException e) {
        future.completeExceptionally(e);
      }
      return future;
    }

    @Override
    public void close() throws IOException {
      socket.close(); // which ends the thread
    }
  }
}
