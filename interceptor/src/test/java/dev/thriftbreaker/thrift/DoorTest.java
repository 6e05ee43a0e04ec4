package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.HeadOn;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Outcome;
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
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests of methods that need dependencies whose breakers let few calls pass. The breakers' time
 * stands still unless the test moves it.
 */
@Timeout(60)
class DoorTest {

  private static final int PROBES = 5;
  private static final int CALLERS = 24;

  private interface Body {
    int answer(String sku) throws Exception;
  }

  private final AtomicLong clock = new AtomicLong();
  private final CircuitBreaker stock = breaker("stock");
  private final CircuitBreaker bank = breaker("bank");
  private final RequestPath path =
      new RequestPath(
          Map.of("stock", stock, "bank", bank),
          Map.of(
              "reserve", List.of("stock"),
              "touch", List.of("bank", "stock"),
              "noteFailing", List.of("stock")),
          clock::get);

  /** Asked on the request's thread. */
  private volatile Body body = sku -> Guard.call(stock, () -> 1);

  private final ExecutorService pool = Executors.newCachedThreadPool();

  @AfterEach
  void stop() {
    pool.shutdownNow();
  }

  private CircuitBreaker breaker(String name) {
    BreakerConfig config =
        BreakerConfig.builder()
            .probes(PROBES)
            .probeSuccesses(1_000_000)
            .probeFailureRateThreshold(1)
            .earlyProbeInterval(Duration.ofMillis(250))
            .build();
    return new CircuitBreaker(name, config, clock::get, () -> 0.5, () -> {});
  }

  private static void bring(CircuitBreaker breaker, BreakerState state) {
    long sequence = breaker.snapshot().sequence();
    assertThat(breaker.apply(sequence, state, Duration.ofSeconds(50), 1, "test", "test")).isTrue();
  }

  private int answer(String sku) throws TException {
    try {
      return body.answer(sku);
    } catch (TException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private final Stock.Iface asked =
      new Stock.Iface() {
        @Override
        public int reserve(String sku, int quantity) throws TException {
          return answer(sku);
        }

        @Override
        public long ping(long number) {
          return number;
        }

        @Override
        public void touch() throws TException {
          answer("touch");
        }
      };

  private final WarehouseHandler handler = new WarehouseHandler(asked);

  /**
   * A multiplexed processor for servers that serve requests one after the other, else callbacks.
   */
  private TProcessor wrapped(Kind kind) {
    if (kind != Kind.THREAD_POOL) {
      return path.wrap(new Warehouse.AsyncProcessor<>(new AsyncWarehouse(handler, Runnable::run)));
    }
    TMultiplexedProcessor several = new TMultiplexedProcessor();
    several.registerProcessor("Warehouse", new Warehouse.Processor<>(handler));
    return path.wrap(several);
  }

  private static Warehouse.Client client(Kind kind, Connection connection) {
    return new Warehouse.Client(
        kind == Kind.THREAD_POOL
            ? new TMultiplexedProtocol(connection.protocol, "Warehouse")
            : connection.protocol);
  }

  private TestServer server(Kind kind) throws Exception {
    return new TestServer(kind, Wire.FRAMED, Language.BINARY, wrapped(kind));
  }

  /** What became of requests. */
  private static final class Tally {
    final AtomicInteger served = new AtomicInteger();
    final AtomicInteger shed = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();
  }

  /** Requests from many connections at once. */
  private Tally crowd(TestServer server, Kind kind, int each) throws Exception {
    Tally tally = new Tally();
    List<Future<?>> callers = new ArrayList<>();
    for (int caller = 0; caller < CALLERS; caller++) {
      callers.add(
          pool.submit(
              () -> {
                try (Connection connection = server.connect()) {
                  Warehouse.Client client = client(kind, connection);
                  for (int i = 0; i < each; i++) {
                    call(client, tally);
                  }
                }
                return null;
              }));
    }
    for (Future<?> one : callers) {
      one.get();
    }
    return tally;
  }

  private static void call(Warehouse.Client client, Tally tally) throws TException {
    try {
      client.reserve("apple", 1);
      tally.served.getAndIncrement();
    } catch (TApplicationException e) {
      (Shed.of(e).isPresent() ? tally.shed : tally.failed).getAndIncrement();
    }
  }

  private void assertAllPlacesAreBack(CircuitBreaker breaker, int places) {
    BreakerSnapshot snapshot = breaker.snapshot();
    assertThat(snapshot.inFlight()).isZero();
    assertThat(snapshot.acquired())
        .isEqualTo(snapshot.successes() + snapshot.failures() + snapshot.ignored());
    List<Long> reserved = new ArrayList<>();
    for (int i = 0; i < places; i++) {
      reserved.add(breaker.reserve(clock.get()));
    }
    assertThat(reserved).allMatch(one -> one > 0);
    assertThat(breaker.reserve(clock.get())).isEqualTo(CircuitBreaker.REFUSED);
    reserved.forEach(breaker::giveBack);
  }

  // ---- over sockets

  @Test
  void exactlyAsManyRequestsPassTheDoorAsThereAreProbesAndNoneIsRefusedInside() throws Exception {
    // given handlers that work until all others have been at the door, and then call
    bring(stock, BreakerState.HALF_OPEN);
    AtomicInteger reached = new AtomicInteger();
    AtomicInteger refusedInside = new AtomicInteger();
    CompletableFuture<Void> go = new CompletableFuture<>();
    body =
        sku -> {
          reached.getAndIncrement();
          go.join();
          try {
            return Guard.call(stock, () -> 1);
          } catch (BreakerOpenException e) {
            refusedInside.getAndIncrement();
            throw e;
          }
        };

    try (TestServer server = server(Kind.THREAD_POOL)) {
      Future<Tally> crowd = pool.submit(() -> crowd(server, Kind.THREAD_POOL, 1));
      await().until(() -> stock.snapshot().refused() == CALLERS - PROBES);
      go.complete(null);
      Tally tally = crowd.get();

      // then
      assertThat(reached).hasValue(PROBES);
      assertThat(refusedInside).hasValue(0);
      assertThat(tally.served).hasValue(PROBES);
      assertThat(tally.shed).hasValue(CALLERS - PROBES);
      assertThat(tally.failed).hasValue(0);
      await().untilAsserted(() -> assertAllPlacesAreBack(stock, PROBES));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NONBLOCKING", "HSHA", "THREADED_SELECTOR"})
  void exactlyAsManyAsynchronousRequestsPassTheDoorAsThereAreProbes(Kind kind) throws Exception {
    // given handlers whose guarded call is made in the callback of another one
    bring(stock, BreakerState.HALF_OPEN);
    BlockingQueue<CompletableFuture<Integer>> first = new LinkedBlockingQueue<>();
    AtomicInteger refusedInside = new AtomicInteger();
    TProcessor processor =
        path.wrap(
            new Warehouse.AsyncProcessor<>(
                new AsyncWarehouse(handler, Runnable::run) {
                  @Override
                  public void reserve(
                      String sku, int quantity, AsyncMethodCallback<Integer> callback) {
                    CompletableFuture<Integer> work = new CompletableFuture<>();
                    Guard.callAsync(bank, () -> work)
                        .thenCompose(
                            one ->
                                Guard.callAsync(
                                    stock, () -> CompletableFuture.supplyAsync(() -> one)))
                        .whenComplete(
                            (result, thrown) -> {
                              if (thrown == null) {
                                callback.onComplete(result);
                              } else {
                                refusedInside.getAndIncrement();
                                callback.onError(new IllegalStateException(thrown));
                              }
                            });
                    first.add(work);
                  }
                }));

    try (TestServer server = new TestServer(kind, Wire.FRAMED, Language.BINARY, processor)) {
      Future<Tally> crowd = pool.submit(() -> crowd(server, kind, 1));
      await().until(() -> stock.snapshot().refused() == CALLERS - PROBES);
      assertThat(first).hasSize(PROBES);
      first.forEach(work -> pool.execute(() -> work.complete(1)));
      Tally tally = crowd.get();

      // then
      assertThat(refusedInside).hasValue(0);
      assertThat(tally.served).hasValue(PROBES);
      assertThat(tally.shed).hasValue(CALLERS - PROBES);
      assertAllPlacesAreBack(stock, PROBES);
      assertThat(bank.snapshot().inFlight()).isZero();
    }
  }

  @Test
  void aCallInTheCallbackOfAnotherTakesThePlaceOfItsRequest() throws Exception {
    bring(stock, BreakerState.HALF_OPEN);
    CompletableFuture<Integer> work = new CompletableFuture<>();
    BlockingQueue<AsyncMethodCallback<Integer>> held = new LinkedBlockingQueue<>();
    TProcessor processor =
        path.wrap(
            new Warehouse.AsyncProcessor<>(
                new AsyncWarehouse(handler, Runnable::run) {
                  @Override
                  public void reserve(
                      String sku, int quantity, AsyncMethodCallback<Integer> callback) {
                    Guard.callAsync(bank, () -> work)
                        .thenCompose(
                            one ->
                                Guard.callAsync(
                                    stock, () -> CompletableFuture.completedFuture(one)))
                        .thenRun(() -> held.add(callback));
                  }
                }));
    try (TestServer server =
            new TestServer(Kind.NONBLOCKING, Wire.FRAMED, Language.BINARY, processor);
        Connection connection = server.connect()) {
      new Warehouse.Client(connection.protocol).send_reserve("apple", 1);
      await().until(() -> bank.snapshot().inFlight() == 1);
      assertThat(freePlaces(stock)).isEqualTo(PROBES - 1);
      pool.execute(() -> work.complete(1));
      AsyncMethodCallback<Integer> callback = held.take();
      assertThat(freePlaces(stock)).as("its call has ended").isEqualTo(PROBES);
      callback.onComplete(1);
    }
  }

  /** How a request to an asynchronous processor ends that makes no call. */
  private enum End {
    ANSWER,
    ERROR,
    /** Upon which generated code closes the connection. */
    TRANSPORT_ERROR,
    THROW,
    ONEWAY
  }

  @ParameterizedTest
  @EnumSource
  void aPlaceOfAnAsynchronousRequestIsBackWhenThatEnds(End end) throws Exception {
    bring(stock, BreakerState.HALF_OPEN);
    BlockingQueue<AsyncMethodCallback<Integer>> held = new LinkedBlockingQueue<>();
    AtomicInteger free = new AtomicInteger(-1);
    AsyncWarehouse asked =
        new AsyncWarehouse(handler, Runnable::run) {
          @Override
          public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback) {
            free.set(freePlaces(stock));
            if (end == End.THROW) {
              throw new IllegalStateException("bug");
            }
            held.add(callback);
          }

          @Override
          public void noteFailing(String text, AsyncMethodCallback<Void> callback) {
            free.set(freePlaces(stock));
          }
        };
    TProcessor processor = path.wrap(new Warehouse.AsyncProcessor<>(asked));
    try (TestServer server =
            new TestServer(Kind.NONBLOCKING, Wire.FRAMED, Language.BINARY, processor);
        Connection connection = server.connect()) {
      Warehouse.Client client = new Warehouse.Client(connection.protocol);
      if (end == End.ONEWAY) {
        client.noteFailing("oneway");
      } else {
        client.send_reserve("apple", 1);
      }
      await().until(() -> free.get() == PROBES - 1);
      if (end != End.ONEWAY && end != End.THROW) {
        AsyncMethodCallback<Integer> callback = held.take();
        assertThat(freePlaces(stock)).as("until it ends").isEqualTo(PROBES - 1);
        switch (end) {
          case ANSWER -> callback.onComplete(1);
          case ERROR -> callback.onError(new IllegalStateException("error"));
          default -> callback.onError(new TTransportException("gone"));
        }
      }
      await().untilAsserted(() -> assertAllPlacesAreBack(stock, PROBES));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"THREAD_POOL", "HSHA"})
  void theShareOfARampPassesThoughNoHandlerHasCalledYet(Kind kind) throws Exception {
    // given a ramp that lets a tenth pass, and handlers that wait for the last request
    bring(stock, BreakerState.HALF_OPEN);
    bring(stock, BreakerState.CLOSED);
    assertThat(stock.snapshot().share()).isEqualTo(0.1);
    CompletableFuture<Void> go = new CompletableFuture<>();
    AtomicInteger reached = new AtomicInteger();
    body =
        sku -> {
          reached.getAndIncrement();
          go.join();
          return Guard.call(stock, () -> 1);
        };

    try (TestServer server = server(kind)) {
      Tally tally = new Tally();
      List<Future<?>> passed = new ArrayList<>();
      for (int i = 1; i <= 40; i++) {
        int number = i;
        passed.add(
            pool.submit(
                () -> {
                  try (Connection connection = server.connect()) {
                    call(client(kind, connection), tally);
                  }
                  return null;
                }));
        await()
            .pollInterval(Duration.ofMillis(1))
            .until(() -> reached.get() + stock.snapshot().refused() == number);
      }
      assertThat(reached).hasValue(4);
      go.complete(null);
      for (Future<?> one : passed) {
        one.get();
      }
      assertThat(tally.served).hasValue(4);
      assertThat(tally.shed).hasValue(36);
      await().until(() -> stock.snapshot().inFlight() == 0);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"THREAD_POOL", "HSHA"})
  void everyPlaceIsBackAfterAStorm(Kind kind) throws Exception {
    // given handlers that call, call twice, do not call, throw before, or call on another thread
    ExecutorService others = Executors.newFixedThreadPool(2);
    body =
        sku ->
            switch (ThreadLocalRandom.current().nextInt(5)) {
              case 0 -> 1;
              case 1 -> throw new TTransportException("before the call");
              case 2 -> others.submit(() -> Guard.call(stock, () -> 1)).get();
              case 3 -> Guard.call(stock, () -> 1) + Guard.call(stock, () -> 1);
              default -> Guard.call(stock, () -> 1);
            };

    try (TestServer server = server(kind)) {
      // when the breaker changes all the time, and then stays half open
      Future<Tally> crowd = pool.submit(() -> crowdThatReconnects(server, kind));
      BreakerState[] states = {BreakerState.HALF_OPEN, BreakerState.OPEN, BreakerState.CLOSED};
      while (!crowd.isDone()) {
        BreakerState next = states[ThreadLocalRandom.current().nextInt(3)];
        long sequence = stock.snapshot().sequence();
        stock.apply(sequence, next, Duration.ofMillis(500), 1, "test", "storm");
        clock.addAndGet(Duration.ofMillis(100).toNanos());
        stock.tick();
      }
      assertThat(crowd.get().served).hasPositiveValue();
      await().until(() -> stock.snapshot().inFlight() == 0);
      bring(stock, BreakerState.OPEN);
      bring(stock, BreakerState.HALF_OPEN);
      assertThat(crowdThatReconnects(server, kind).served).hasPositiveValue();

      // then
      await().untilAsserted(() -> assertAllPlacesAreBack(stock, PROBES));
    } finally {
      others.shutdownNow();
    }
  }

  private Tally crowdThatReconnects(TestServer server, Kind kind) throws Exception {
    Tally tally = new Tally();
    List<Future<?>> callers = new ArrayList<>();
    for (int caller = 0; caller < 6; caller++) {
      callers.add(
          pool.submit(
              () -> {
                for (int i = 0; i < 25; i++) {
                  try (Connection connection = server.connect()) {
                    call(client(kind, connection), tally);
                    call(client(kind, connection), tally);
                  } catch (TTransportException e) {
                    tally.failed.getAndIncrement();
                  }
                }
                return null;
              }));
    }
    for (Future<?> one : callers) {
      one.get();
    }
    return tally;
  }

  // ---- on this thread

  private interface Send {
    void to(Warehouse.Client client) throws TException;
  }

  private static final Send RESERVE = client -> client.send_reserve("apple", 1);
  private static final Send TOUCH = client -> client.send_touch("apple");
  private static final Send NOTE = client -> client.send_noteFailing("oneway");

  private final TProcessor processor = path.wrap(new Warehouse.Processor<>(handler));

  /** Serves one request; returns what it was answered if that is a shed, else null. */
  private Shed serve(Send send) throws TException {
    TMemoryBuffer in = new TMemoryBuffer(64);
    TMemoryBuffer out = new TMemoryBuffer(64);
    send.to(new Warehouse.Client(new TBinaryProtocol(in)));
    processor.process(new TBinaryProtocol(in), new TBinaryProtocol(out));
    if (send == NOTE) {
      return null;
    }
    Warehouse.Client client = new Warehouse.Client(new TBinaryProtocol(out));
    try {
      if (send == TOUCH) {
        client.recv_touch();
      } else {
        client.recv_reserve();
      }
      return null;
    } catch (TApplicationException e) {
      return Shed.of(e).orElse(null);
    }
  }

  private int freePlaces(CircuitBreaker breaker) {
    List<Long> reserved = new ArrayList<>();
    for (long one = breaker.reserve(clock.get()); one > 0; one = breaker.reserve(clock.get())) {
      reserved.add(one);
    }
    reserved.forEach(breaker::giveBack);
    return reserved.size();
  }

  @Test
  void theFirstCallOfARequestTakesItsPlaceAndTheNextOnesAskAnew() throws TException {
    bring(stock, BreakerState.HALF_OPEN);
    List<Integer> free = new ArrayList<>();
    body =
        sku -> {
          free.add(freePlaces(stock));
          Guard.call(stock, () -> free.add(freePlaces(stock)));
          free.add(freePlaces(stock));
          Guard.call(stock, () -> free.add(freePlaces(stock)));
          return free.size();
        };
    assertThat(serve(RESERVE)).isNull();
    assertThat(free).containsExactly(4, 4, 5, 4);
    assertAllPlacesAreBack(stock, PROBES);
  }

  @Test
  void aPlaceThatIsNotUsedIsBackAtTheEndOfTheRequest() throws TException {
    bring(stock, BreakerState.HALF_OPEN);
    body =
        sku -> {
          assertThat(freePlaces(stock)).isEqualTo(4);
          return 1;
        };
    assertThat(serve(RESERVE)).isNull();
    serve(NOTE);
    assertAllPlacesAreBack(stock, PROBES);
    assertThat(stock.snapshot().acquired()).isZero();
  }

  @Test
  void aPlaceIsBackWhenTheProcessorThrows() {
    bring(stock, BreakerState.HALF_OPEN);
    body =
        sku -> {
          throw new TTransportException("the handler's own");
        };
    assertThatThrownBy(() -> serve(RESERVE)).isInstanceOf(TTransportException.class);
    assertThatThrownBy(() -> serve(NOTE)).isInstanceOf(TTransportException.class);
    assertAllPlacesAreBack(stock, PROBES);
  }

  @Test
  void aHandlerThatDawdlesFailsNoProbe() throws TException {
    // given one that works for longer than a probe may take, before and after a lapse is noticed
    bring(stock, BreakerState.HALF_OPEN);
    body =
        sku -> {
          clock.addAndGet(stock.config().slowCallDuration().toNanos());
          if (sku.equals("touch")) {
            stock.tick();
          }
          return Guard.call(stock, () -> 1);
        };
    assertThat(serve(RESERVE)).isNull();
    assertThat(serve(TOUCH)).isNull();

    BreakerSnapshot snapshot = stock.snapshot();
    assertThat(snapshot.state()).isEqualTo(BreakerState.HALF_OPEN);
    assertThat(snapshot.window().failures()).isZero();
    assertThat(snapshot.successes()).isEqualTo(2);
    assertThat(snapshot.slow()).isZero();
    assertThat(snapshot.inFlight()).isZero();
    assertThat(freePlaces(stock)).as("by now some more").isGreaterThanOrEqualTo(PROBES);
  }

  @Test
  void noPlaceOfOneDependencyIsTakenWhileAnotherRefuses() throws TException {
    for (BreakerState state : List.of(BreakerState.HALF_OPEN, BreakerState.OPEN)) {
      bring(bank, state);
      clock.addAndGet(Duration.ofSeconds(2).toNanos()); // an early probe is due
      bring(stock, BreakerState.OPEN);
      int free = freePlaces(bank);
      assertThat(free).isPositive();
      assertThat(serve(TOUCH).dependency()).isEqualTo("stock");
      assertThat(freePlaces(bank)).isEqualTo(free);
    }
    assertThat(bank.snapshot().refused()).isZero();
  }

  @Test
  void requestsRacingForTheLastPlaceOfOneDependencyLoseNoneOfAnother() throws Exception {
    // given a place of the bank for each of two requests, and one of the stock for both
    Requirements both =
        new Requirements(
            List.of(new Downstream(bank), new Downstream(stock)), List.of(), false, bound -> 1);
    bring(bank, BreakerState.HALF_OPEN);
    HeadOn.run(
        4_000,
        () -> {
          bring(stock, BreakerState.OPEN);
          bring(stock, BreakerState.HALF_OPEN);
          List<Long> taken = new ArrayList<>();
          for (int i = 1; i < PROBES; i++) {
            taken.add(stock.reserve(clock.get()));
          }
          Uses one = new Uses(null);
          Uses other = new Uses(null);
          Need[] inTheWay = new Need[2];
          return new HeadOn.Round() {
            @Override
            public void first() {
              inTheWay[0] = one.begin(both, clock.get());
            }

            @Override
            public void second() {
              inTheWay[1] = other.begin(both, clock.get());
            }

            @Override
            public void check() {
              assertThat(inTheWay)
                  .extracting(need -> need == null ? null : need.breaker)
                  .containsExactlyInAnyOrder(stock, null);
              assertThat(freePlaces(bank)).isEqualTo(PROBES - 1);
              assertThat(freePlaces(stock)).isZero();
              one.abandon();
              other.abandon();
              assertThat(freePlaces(bank)).isEqualTo(PROBES);
              assertThat(freePlaces(stock)).isEqualTo(1);
            }
          };
        });
  }

  @Test
  void aRequestWithinARequestLivesOnTheOuterOnesPlace() throws TException {
    // given all places taken but one, which a request gets that serves another one itself
    bring(stock, BreakerState.HALF_OPEN);
    for (int i = 1; i < PROBES; i++) {
      assertThat(stock.tryAcquire(clock.get())).isPositive();
    }
    body =
        outer -> {
          body = inner -> Guard.call(stock, () -> 1);
          assertThat(serve(TOUCH)).isNull();
          assertThat(stock.snapshot().successes()).isEqualTo(1);
          return 1;
        };
    assertThat(serve(RESERVE)).isNull();
    assertThat(freePlaces(stock)).isEqualTo(1);
    assertThat(stock.snapshot().refused()).isZero();
  }

  @Test
  void aCallOnAThreadThatKnowsNothingOfTheRequestIsNotRefusedBecauseOfIt() throws TException {
    bring(stock, BreakerState.HALF_OPEN);
    List<Long> others = new ArrayList<>();
    body =
        sku -> {
          for (int i = 1; i < PROBES; i++) {
            others.add(stock.tryAcquire(clock.get()));
          }
          return pool.submit(() -> Guard.call(stock, () -> 1)).get();
        };
    assertThat(serve(RESERVE)).isNull();
    assertThat(stock.snapshot().successes()).isEqualTo(1);
    assertThat(stock.snapshot().refused()).isZero();
    others.forEach(permit -> stock.complete(permit, Outcome.IGNORED, clock.get(), null));
    assertAllPlacesAreBack(stock, PROBES);
  }

  @Test
  void aCallWithAFallbackUsesThePlaceAndGivesItBack() throws TException {
    bring(stock, BreakerState.HALF_OPEN);
    Downstream downstream = new Downstream(stock);
    body =
        sku ->
            Guard.<Integer>call(
                downstream,
                () -> {
                  throw new TTransportException("down");
                },
                FallbackOn.FAILURE,
                why -> 1);
    assertThat(serve(RESERVE)).isNull();
    assertThat(downstream.fallbacks()).isEqualTo(1);
    assertThat(stock.snapshot().failures()).isEqualTo(1);
    assertAllPlacesAreBack(stock, PROBES);
  }

  @ParameterizedTest
  @EnumSource(names = {"FORCED_OPEN", "FORCED_CLOSED", "SHADOW"})
  void anOverrideIsHeededAtTheDoorAndInside(Mode mode) throws TException {
    bring(stock, BreakerState.HALF_OPEN);
    long until = clock.get() + Duration.ofMinutes(1).toNanos();
    ModeOverride override = new ModeOverride(mode, until, "alice", "test", false);
    body =
        sku -> {
          stock.override(override);
          return Guard.call(stock, () -> 1);
        };
    // put in force between the door and the call, and then before the door
    boolean refused = mode == Mode.FORCED_OPEN;
    assertThat(serve(RESERVE) != null).isEqualTo(refused);
    assertThat(serve(RESERVE) != null).isEqualTo(refused);
    assertThat(stock.snapshot().successes()).isEqualTo(refused ? 0 : 2);
    stock.release("alice", "over");
    assertAllPlacesAreBack(stock, PROBES);
  }

  @Test
  void aTransitionBetweenDoorAndCallVoidsThePlace() throws TException {
    bring(stock, BreakerState.HALF_OPEN);
    body =
        sku -> {
          bring(stock, BreakerState.OPEN);
          return Guard.call(stock, () -> 1);
        };
    assertThat(serve(RESERVE).state()).isEqualTo("OPEN");
    bring(stock, BreakerState.HALF_OPEN);
    assertAllPlacesAreBack(stock, PROBES);
  }
}
