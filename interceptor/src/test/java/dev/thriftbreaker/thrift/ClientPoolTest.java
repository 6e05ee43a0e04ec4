package dev.thriftbreaker.thrift;

import static dev.thriftbreaker.thrift.LoopbackServer.serving;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;
import org.apache.thrift.transport.layered.TFramedTransport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClientPoolTest {

  private static final Duration TIMEOUT = Duration.ofMillis(200);

  /** Far more than it takes, and far less than a hang. */
  private static final Duration SOON = Duration.ofSeconds(5);

  private static final TTransportFactory PLAIN = new TTransportFactory();
  private static final TTransportFactory FRAMED = new TFramedTransport.Factory();

  private final ClientPools pools = new ClientPools("pool-test");
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final CircuitBreaker breaker =
      Breakers.closed(
          "stock",
          BreakerConfig.builder()
              .callTimeout(TIMEOUT)
              .minimumCalls(1_000_000)
              .consecutiveFailures(0)
              .build());

  @AfterEach
  void close() throws Exception {
    pools.close();
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  private LoopbackServer server(LoopbackServer.Behaviour behaviour) throws IOException {
    LoopbackServer server = new LoopbackServer(behaviour);
    opened.add(server);
    return server;
  }

  private LoopbackServer healthy() throws IOException {
    return server(serving(new Stock.Processor<>(new LoopbackServer.Answering()), PLAIN));
  }

  private static ClientPool.Builder<Stock.Client> poolOf(int port) {
    return ClientPool.builder(Stock.Client::new, () -> new TSocket("127.0.0.1", port));
  }

  private Stock.Iface guarded(LoopbackServer server) {
    return guarded(poolOf(server.port()));
  }

  private Stock.Iface guarded(ClientPool.Builder<Stock.Client> settings) {
    return pools.guard(new Downstream(breaker), Stock.Iface.class, settings);
  }

  private ClientPools.Numbers numbers() {
    return pools.numbers("stock");
  }

  private static void assertTimesOut(Callable call) {
    long start = System.nanoTime();
    Throwable thrown = catchThrowable(call::call);
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    assertThat(thrown)
        .isInstanceOf(TTransportException.class)
        .hasMessageMatching("stock\\.\\w+: no answer within 200 ms \\(callTimeout\\)");
    assertThat(((TTransportException) thrown).getType()).isEqualTo(TTransportException.TIMED_OUT);
    assertThat(took).isBetween(TIMEOUT.minusMillis(1), TIMEOUT.plus(SOON));
  }

  private interface Callable {
    void call() throws Exception;
  }

  // the deadline

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aServerThatNeverAnswersHoldsACallNoLongerThanItsTimeout(boolean framed) throws Exception {
    // given
    LoopbackServer server = server(LoopbackServer.HANG);
    Stock.Iface stock = guarded(poolOf(server.port()).transportFactory(framed ? FRAMED : PLAIN));

    // when / then
    assertTimesOut(() -> stock.ping(1));
    assertTimesOut(() -> stock.touch());
    assertThat(numbers()).isEqualTo(new ClientPools.Numbers(0, 0, 2, 2, 2, 0));
    assertThat(breaker.snapshot().failures()).isEqualTo(2);
    assertThat(breaker.snapshot().inFlight()).isZero();
    await().until(() -> server.connections() == 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aServerThatAnswersAByteAtATimeHoldsACallNoLongerThanItsTimeout(boolean framed)
      throws Exception {
    LoopbackServer server = server(LoopbackServer.TRICKLE);
    Stock.Iface stock =
        guarded(
            ClientPool.builder(
                    Stock.Client::new, () -> new TSocket("127.0.0.1", server.port(), 150))
                .transportFactory(framed ? FRAMED : PLAIN));
    if (framed) { // the framing makes of the first four bytes a negative length
      assertThatThrownBy(() -> stock.ping(1)).isInstanceOf(TTransportException.class);
    } else {
      assertTimesOut(() -> stock.ping(1));
    }
    assertThat(numbers().active() + numbers().idle()).isZero();
  }

  @Test
  void aServerThatDoesNotReadHoldsACallNoLongerThanItsTimeout() throws Exception {
    LoopbackServer server = server(LoopbackServer.DEAF);
    Stock.Iface stock = guarded(server);
    String large = "x".repeat(32_000_000);

    assertTimesOut(() -> stock.reserve(large, 1));
    assertThat(numbers().active() + numbers().idle()).isZero();
  }

  @Test
  void anAddressThatDoesNotTakeConnectionsHoldsACallNoLongerThanItsTimeout() throws Exception {
    // given a listener whose backlog is full
    ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    opened.add(listener);
    fillBacklog(listener);
    Stock.Iface stock = guarded(poolOf(listener.getLocalPort()));

    // when / then
    assertTimesOut(() -> stock.ping(1));
    assertThat(numbers()).isEqualTo(new ClientPools.Numbers(0, 0, 0, 0, 1, 0));
  }

  private void fillBacklog(ServerSocket listener) throws IOException {
    for (int i = 0; i < 100; i++) {
      Socket socket = new Socket();
      opened.add(socket);
      try {
        socket.connect(
            new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort()), 200);
      } catch (SocketTimeoutException full) {
        return;
      }
    }
    throw new AssertionError("the backlog does not fill");
  }

  @Test
  void theCallerOfAWrappedServerGetsAReplyWhenItsDependencyTimesOut() throws Exception {
    // given
    Stock.Iface stock = guarded(server(LoopbackServer.HANG));
    Stock.Iface handler =
        new LoopbackServer.Answering() {
          @Override
          public long ping(long number) throws TException {
            return number < 0 ? number : stock.ping(number);
          }
        };
    RequestPath path = new RequestPath(Map.of("stock", breaker), Map.of(), System::nanoTime);
    LoopbackServer server = server(serving(path.wrap(new Stock.Processor<>(handler)), PLAIN));
    TSocket connection = new TSocket("127.0.0.1", server.port());
    connection.open();
    opened.add(connection);
    Stock.Client caller = new Stock.Client(new TBinaryProtocol(connection));

    // when / then
    assertThatThrownBy(() -> caller.ping(1))
        .isInstanceOf(TApplicationException.class)
        .hasMessage("Internal error processing ping");
    assertThat(caller.ping(-1)).as("over the same connection").isEqualTo(-1);
  }

  @Test
  void aDeadlineThatPassesBeforeThereIsASocketIsKeptAsSoonAsThereIs() throws Exception {
    LoopbackServer server = server(LoopbackServer.HANG);
    Stock.Iface stock =
        guarded(
            ClientPool.builder(
                Stock.Client::new,
                () -> {
                  LockSupport.parkNanos(2 * TIMEOUT.toNanos()); // such as a look-up of a name
                  return new TSocket("127.0.0.1", server.port());
                }));

    assertTimesOut(() -> stock.ping(1));
    assertThat(server.accepted()).isZero();
  }

  @Test
  void aTransportThatIsNoSocketIsClosedAsWell() throws Exception {
    LoopbackServer server = server(LoopbackServer.HANG);
    Stock.Iface stock =
        guarded(
            ClientPool.builder(
                Stock.Client::new, () -> new Tap(new TSocket("127.0.0.1", server.port()))));

    assertTimesOut(() -> stock.ping(1));
    await().until(() -> server.connections() == 0);
  }

  @Test
  void theTimeoutCanBeChangedAtRunTime() throws Exception {
    // given
    LoopbackServer server = server(LoopbackServer.HANG);
    Stock.Iface stock = guarded(server);
    breaker.configure(breaker.config().toBuilder().callTimeout(Duration.ofDays(1)).build());
    ExecutorService worker = Executors.newSingleThreadExecutor();
    opened.add(() -> worker.shutdown());
    Future<?> slow = worker.submit(() -> stock.ping(1));
    await().until(() -> numbers().active() == 1);

    // when
    breaker.configure(breaker.config().toBuilder().callTimeout(TIMEOUT).build());

    // then
    assertTimesOut(() -> stock.ping(2));
    assertThat(slow).isNotDone();
    server.close();
    assertThatThrownBy(() -> slow.get(10, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class);
  }

  @Test
  void withoutATimeoutACallTakesAsLongAsItTakes() throws Exception {
    // given
    breaker.configure(breaker.config().toBuilder().callTimeout(Duration.ZERO).build());
    CountDownLatch answer = new CountDownLatch(1);
    LoopbackServer server =
        server(
            serving(
                new Stock.Processor<>(
                    new LoopbackServer.Answering() {
                      @Override
                      public long ping(long number) {
                        awaitQuietly(answer);
                        return number;
                      }
                    }),
                PLAIN));
    Stock.Iface stock = guarded(server);
    ExecutorService worker = Executors.newSingleThreadExecutor();
    opened.add(() -> worker.shutdown());

    // when
    Future<Long> slow = worker.submit(() -> stock.ping(7));

    // then
    assertThat(catchThrowable(() -> slow.get(2 * TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)))
        .isInstanceOf(java.util.concurrent.TimeoutException.class);
    answer.countDown();
    assertThat(slow.get(10, TimeUnit.SECONDS)).isEqualTo(7);
    assertThat(numbers()).isEqualTo(new ClientPools.Numbers(0, 1, 1, 0, 0, 0));
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // which clients are kept

  @Test
  void aClientIsKeptAfterAnAnswer() throws Exception {
    // given
    LoopbackServer server = healthy();
    Stock.Iface stock = guarded(server);

    // when
    for (int i = 1; i <= 50; i++) {
      assertThat(stock.ping(i)).isEqualTo(i);
      assertThat(stock.reserve("plum", i)).isEqualTo(i);
      stock.touch();
      assertThatThrownBy(() -> stock.reserve("plum", 0)).isInstanceOf(OutOfStock.class);
    }

    // then
    assertThat(server.accepted()).isEqualTo(1);
    assertThat(numbers()).isEqualTo(new ClientPools.Numbers(0, 1, 1, 0, 0, 0));
    assertThat(breaker.snapshot().successes()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5, 6, 8, 9, 10, 11})
  void aClientIsKeptAfterAnErrorThatTheServerAnswered(int type) throws Exception {
    assertThat(numbersAfter(new TApplicationException(type, "no")))
        .isEqualTo(new ClientPools.Numbers(0, 1, 1, 0, 0, 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 7})
  void aClientIsDiscardedAfterAnAnswerThatIsOutOfStep(int type) throws Exception {
    assertThat(numbersAfter(new TApplicationException(type, "no")))
        .isEqualTo(new ClientPools.Numbers(0, 0, 1, 1, 0, 0));
  }

  @Test
  void aClientIsDiscardedAfterAnythingElse() throws Exception {
    for (Throwable broken :
        new Throwable[] {
          new TTransportException(TTransportException.TIMED_OUT, "a read's own"),
          new TProtocolException("garbled"),
          new TException("what?"),
          new IllegalStateException("bug"),
          new StackOverflowError()
        }) {
      ClientPools.Numbers before = numbers();
      ClientPools.Numbers after = numbersAfter(broken);
      assertThat(after.discarded()).as("%s", broken).isEqualTo(before.discarded() + 1);
      assertThat(after.active() + after.idle()).isZero();
    }
  }

  /** The numbers after a call of a client that throws this by itself. */
  private ClientPools.Numbers numbersAfter(Throwable thrown) throws Exception {
    LoopbackServer server = healthy();
    Stock.Iface stock =
        pools.guard(
            new Downstream(breaker),
            Stock.Iface.class,
            ClientPool.builder(
                protocol ->
                    new Stock.Client(protocol) {
                      @Override
                      public long ping(long number) throws TException {
                        if (thrown instanceof Error error) {
                          throw error;
                        }
                        if (thrown instanceof RuntimeException bug) {
                          throw bug;
                        }
                        throw (TException) thrown;
                      }
                    },
                () -> new TSocket("127.0.0.1", server.port())));
    assertThat(catchThrowable(() -> stock.ping(1))).isSameAs(thrown);
    return numbers();
  }

  @Test
  void anAnswerToAOnewayCallIsNotTakenForTheNextAnswer() throws Exception {
    // given a server that does not know the method and answers nevertheless
    LoopbackServer server = healthy();
    ClientPool.Builder<Warehouse.Client> settings =
        ClientPool.builder(Warehouse.Client::new, () -> new TSocket("127.0.0.1", server.port()));
    Warehouse.Iface warehouse =
        pools.guard(new Downstream(breaker), Warehouse.Iface.class, settings);
    AtomicReference<String> answer = new AtomicReference<>();

    // when
    warehouse.note("hello");
    await()
        .pollDelay(Duration.ofMillis(100)) // the stray answer comes
        .until(
            () -> {
              answer.set(catchThrowable(() -> warehouse.touch("plum")) + "");
              return true;
            });

    // then
    assertThat(numbers().opened()).as("connections").isEqualTo(2);
    assertThat(answer.get()).doesNotContain("note");
  }

  // stale connections

  @Test
  void aServerThatWasStartedAgainServesTheNextCallAfterAPause() throws Exception {
    // given
    LoopbackServer server = healthy();
    Stock.Iface stock = guarded(server);
    assertThat(stock.ping(1)).isEqualTo(1);
    server.close();
    opened.add(
        new LoopbackServer(
            server.port(), serving(new Stock.Processor<>(new LoopbackServer.Answering()), PLAIN)));

    // when
    await().pollDelay(Duration.ofMillis(1_100)).until(() -> true);

    // then
    assertThat(stock.ping(2)).isEqualTo(2);
    assertThat(breaker.snapshot().failures()).isZero();
    assertThat(numbers()).isEqualTo(new ClientPools.Numbers(0, 1, 2, 1, 0, 0));
  }

  @Test
  void aServerThatWasStartedAgainCostsOneCallNotOneForEachConnection() throws Exception {
    // given ten connections
    CountDownLatch together = new CountDownLatch(10);
    Stock.Processor<?> processor =
        new Stock.Processor<>(
            new LoopbackServer.Answering() {
              @Override
              public int reserve(String sku, int quantity) {
                together.countDown();
                awaitQuietly(together);
                return quantity;
              }
            });
    breaker.configure(breaker.config().toBuilder().callTimeout(Duration.ofSeconds(20)).build());
    LoopbackServer server = server(serving(processor, PLAIN));
    Stock.Iface stock = guarded(server);
    ExecutorService workers = Executors.newFixedThreadPool(10);
    opened.add(() -> workers.shutdown());
    List<Future<Integer>> calls = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      calls.add(workers.submit(() -> stock.reserve("plum", 1)));
    }
    for (Future<Integer> call : calls) {
      assertThat(call.get(10, TimeUnit.SECONDS)).isEqualTo(1);
    }
    assertThat(numbers().idle()).isEqualTo(10);

    // when
    server.close();
    opened.add(new LoopbackServer(server.port(), serving(processor, PLAIN)));

    // then
    int failed = 0;
    for (int i = 0; i < 20; i++) {
      failed += catchThrowable(() -> stock.ping(1)) == null ? 0 : 1;
    }
    assertThat(failed).isLessThanOrEqualTo(1);
  }

  @Test
  void aCallIsNeverMadeTwice() throws Exception {
    // given a server that takes the call, then closes the connection
    AtomicInteger served = new AtomicInteger();
    LoopbackServer server =
        server(
            serving(
                new Stock.Processor<>(
                    new LoopbackServer.Answering() {
                      @Override
                      public long ping(long number) throws TException {
                        served.incrementAndGet();
                        throw new TTransportException("closes the connection");
                      }
                    }),
                PLAIN));
    Stock.Iface stock = guarded(server);

    // when / then
    for (int i = 1; i <= 5; i++) {
      assertThatThrownBy(() -> stock.ping(1)).isInstanceOf(TTransportException.class);
      assertThat(served).hasValue(i);
    }
  }

  @Test
  void aConnectionThatIsIdleForLongIsClosed() throws Exception {
    LoopbackServer server = healthy();
    Stock.Iface stock = guarded(poolOf(server.port()).maxIdleTime(Duration.ofMillis(50)));
    stock.ping(1);

    await().until(() -> server.connections() == 0);
    assertThat(numbers().idle()).isZero();
    assertThat(stock.ping(2)).isEqualTo(2);
  }

  @Test
  void aRefusedConnectionFailsAtOnceAndLeavesNothingBehind() throws Exception {
    LoopbackServer server = healthy();
    server.close();
    Stock.Iface stock = guarded(server);

    for (int i = 0; i < 200; i++) {
      assertThatThrownBy(() -> stock.ping(1))
          .isInstanceOf(TTransportException.class)
          .hasMessageContaining("refused");
    }
    assertThat(numbers()).isEqualTo(new ClientPools.Numbers(0, 0, 0, 0, 0, 0));
  }

  // no connection

  @Test
  void aCallThatFindsAllConnectionsInUseFailsAtOnceAndSaysNothingAboutTheDependency()
      throws Exception {
    // given
    Blocked blocked = new Blocked(poolSettings -> poolSettings.maxConnections(1));

    // when / then
    assertThatThrownBy(() -> blocked.stock.ping(2))
        .isInstanceOf(NoConnectionException.class)
        .hasMessage("stock.ping: all 1 connections in use (waited 0 ms)");
    assertThat(breaker.snapshot().ignored()).isEqualTo(1);
    assertThat(breaker.snapshot().failures()).isZero();
    assertThat(numbers().unserved()).isEqualTo(1);
    blocked.end();
  }

  @Test
  void aCallThatMayWaitGetsTheConnectionWhenItIsFree() throws Exception {
    Blocked blocked =
        new Blocked(
            poolSettings -> poolSettings.maxConnections(1).borrowTimeout(Duration.ofSeconds(10)));
    ExecutorService worker = Executors.newSingleThreadExecutor();
    opened.add(() -> worker.shutdown());
    Future<Integer> waiting = worker.submit(() -> blocked.stock.reserve("plum", 3));
    blocked.end();
    assertThat(waiting.get(10, TimeUnit.SECONDS)).isEqualTo(3);
  }

  @Test
  void aCallWaitsForAConnectionNoLongerThanItsTimeout() throws Exception {
    // given
    Blocked blocked =
        new Blocked(
            poolSettings -> poolSettings.maxConnections(1).borrowTimeout(Duration.ofHours(1)));
    breaker.configure(breaker.config().toBuilder().callTimeout(TIMEOUT).build());

    // when
    long start = System.nanoTime();
    Throwable thrown = catchThrowable(() -> blocked.stock.ping(2));

    // then
    assertThat(thrown)
        .isInstanceOf(NoConnectionException.class)
        .hasMessage("stock.ping: all 1 connections in use (waited 200 ms)");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TIMEOUT.plus(SOON));
    blocked.end();
  }

  @Test
  void aCallThatIsInterruptedWhileItWaitsEndsAndStaysInterrupted() throws Exception {
    // given
    Blocked blocked =
        new Blocked(
            poolSettings -> poolSettings.maxConnections(1).borrowTimeout(Duration.ofHours(1)));
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicReference<Boolean> interrupted = new AtomicReference<>();
    Thread worker =
        new Thread(
            () -> {
              thrown.set(catchThrowable(() -> blocked.stock.ping(2)));
              interrupted.set(Thread.currentThread().isInterrupted());
            });
    worker.start();
    await().until(() -> worker.getState() == Thread.State.TIMED_WAITING);

    // when
    worker.interrupt();
    worker.join(10_000);

    // then
    assertThat(thrown.get())
        .isInstanceOf(NoConnectionException.class)
        .hasCauseInstanceOf(InterruptedException.class);
    assertThat(interrupted.get()).isTrue();
    assertThat(breaker.snapshot().ignored()).isEqualTo(1);
    blocked.end();
  }

  /** A pool one of whose connections serves a call until it is told to end. */
  private final class Blocked {
    final CountDownLatch answer = new CountDownLatch(1);
    final Stock.Iface stock;
    private final Future<Long> call;

    Blocked(java.util.function.UnaryOperator<ClientPool.Builder<Stock.Client>> settings)
        throws Exception {
      breaker.configure(breaker.config().toBuilder().callTimeout(Duration.ofMinutes(1)).build());
      LoopbackServer server =
          server(
              serving(
                  new Stock.Processor<>(
                      new LoopbackServer.Answering() {
                        @Override
                        public long ping(long number) {
                          awaitQuietly(answer);
                          return number;
                        }
                      }),
                  PLAIN));
      stock = guarded(settings.apply(poolOf(server.port())));
      ExecutorService worker = Executors.newSingleThreadExecutor();
      opened.add(() -> worker.shutdown());
      call = worker.submit(() -> stock.ping(1));
      await().until(() -> numbers().opened() == 1);
    }

    void end() throws Exception {
      answer.countDown();
      assertThat(call.get(10, TimeUnit.SECONDS)).isEqualTo(1);
      await().until(() -> breaker.snapshot().inFlight() == 0);
      assertThat(numbers().active()).isZero();
    }
  }

  // closing

  @Test
  void closingLetsCallsUnderWayEndAndTakesNoNewOnes() throws Exception {
    // given
    Blocked blocked = new Blocked(poolSettings -> poolSettings);

    // when
    pools.close();

    // then
    assertThatThrownBy(() -> blocked.stock.ping(2))
        .isInstanceOf(NoConnectionException.class)
        .hasMessage("stock.ping: the pool is closed");
    blocked.end();
    assertThat(numbers().idle()).isZero();
    await().until(() -> threads("pool-test") == 0);
    assertThatIllegalStateException().isThrownBy(() -> guarded(poolOf(1)));
  }

  @Test
  void theDeadlineOfACallUnderWayOutlivesTheClosing() throws Exception {
    // given
    LoopbackServer server = server(LoopbackServer.HANG);
    Stock.Iface stock = guarded(server);
    ExecutorService worker = Executors.newSingleThreadExecutor();
    opened.add(() -> worker.shutdown());
    Future<?> call = worker.submit(() -> assertTimesOut(() -> stock.ping(1)));
    await().until(() -> server.connections() == 1);

    // when
    pools.close();

    // then
    call.get(10, TimeUnit.SECONDS);
    await().until(() -> threads("pool-test") == 0);
  }

  private static long threads(String server) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().endsWith("-" + server))
        .count();
  }

  // the rest

  @Test
  void methodsOfObjectBorrowNothing() throws Exception {
    LoopbackServer server = healthy();
    Stock.Iface stock = guarded(server);

    assertThat(stock).isEqualTo(stock).hasSameHashCodeAs(stock);
    assertThat(stock).hasToString("pool of clients of stock guarded by breaker stock");
    assertThat(server.accepted()).isZero();
  }

  @Test
  void badSettingsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> poolOf(1).maxConnections(0))
        .withMessage("maxConnections: 0 (expected: a whole number from 1 to 100000)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> poolOf(1).borrowTimeout(Duration.ofMillis(-1)))
        .withMessage("borrowTimeout: PT-0.001S (expected: a duration from 0 ms to 1 day)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> poolOf(1).maxIdleTime(Duration.ZERO))
        .withMessage("maxIdleTime: PT0S (expected: a duration from 10 ms to 1 day)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> pools.guard(new Downstream(breaker), Stock.Client.class, poolOf(1)))
        .withMessage("iface: " + Stock.Client.class + " (expected: an interface)");
  }
}
