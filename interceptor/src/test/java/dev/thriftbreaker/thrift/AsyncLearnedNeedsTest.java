package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.async.AsyncMethodCallback;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Servers of asynchronous processors learn which dependencies their methods need. */
class AsyncLearnedNeedsTest {

  private interface Reserving {
    void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback) throws TException;
  }

  private static final BreakerConfig SLOW_TO_PROBE =
      BreakerConfig.builder()
          .minimumCalls(1_000_000)
          .consecutiveFailures(0)
          .earlyProbeInterval(Duration.ZERO)
          .rampInterval(Duration.ZERO)
          .build();

  private final CircuitBreaker stock = Breakers.closed("stock", SLOW_TO_PROBE);
  private final CircuitBreaker bank = Breakers.closed("bank", SLOW_TO_PROBE);
  private final RequestPath path =
      new RequestPath(Map.of("stock", stock, "bank", bank), Map.of(), true, System::nanoTime);
  private final ExecutorService elsewhere = Executors.newSingleThreadExecutor();
  private final Stock.AsyncIface guardedStock =
      Guard.of(stock, Stock.AsyncIface.class, new Answering(elsewhere, false));
  private final Stock.AsyncIface guardedBank =
      Guard.of(bank, Stock.AsyncIface.class, new Answering(elsewhere, false));
  private final AtomicInteger handled = new AtomicInteger();
  private TestServer server;
  private Connection connection;
  private Warehouse.Client client;

  /** A dependency that answers each call on a thread of its own, or fails it. */
  private record Answering(Executor executor, boolean fails) implements Stock.AsyncIface {

    private <T> void answer(T result, AsyncMethodCallback<T> callback) {
      executor.execute(
          () -> {
            if (fails) {
              callback.onError(new TApplicationException("failed"));
            } else {
              callback.onComplete(result);
            }
          });
    }

    @Override
    public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback) {
      answer(quantity, callback);
    }

    @Override
    public void ping(long number, AsyncMethodCallback<Long> callback) {
      answer(number, callback);
    }

    @Override
    public void touch(AsyncMethodCallback<Void> callback) {
      answer(null, callback);
    }
  }

  private void serve(Kind kind, Language language, Reserving body) throws Exception {
    Warehouse.AsyncIface handler =
        new AsyncWarehouse(new WarehouseHandler(null), Runnable::run) {
          @Override
          public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback)
              throws TException {
            handled.incrementAndGet();
            body.reserve(sku, quantity, callback);
          }

          @Override
          public void note(String text, AsyncMethodCallback<Void> callback) throws TException {
            handled.incrementAndGet();
            guardedStock.touch(callback);
          }
        };
    server =
        new TestServer(
            kind, Wire.FRAMED, language, path.wrap(new Warehouse.AsyncProcessor<>(handler)));
    connection = server.connect();
    client = new Warehouse.Client(connection.protocol);
  }

  @AfterEach
  void stop() {
    if (server != null) {
      connection.close();
      server.close();
    }
    elsewhere.shutdownNow();
  }

  /** Returns how many reached the handler. */
  private int reserve(int requests) {
    handled.set(0);
    for (int i = 0; i < requests; i++) {
      Throwable thrown = catchThrowable(() -> client.reserve("apple", 1));
      if (thrown != null) {
        assertThat(thrown).isInstanceOf(TApplicationException.class);
      }
    }
    return handled.get();
  }

  private MethodStats stats(String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  private Requirement learned(String dependency) {
    await().untilAsserted(() -> assertThat(stats("reserve").inFlight()).isZero());
    return stats("reserve").requirements().about(dependency);
  }

  private static <T> AsyncMethodCallback<T> then(Runnable next, AsyncMethodCallback<?> failed) {
    return new AsyncMethodCallback<>() {
      @Override
      public void onComplete(T response) {
        next.run();
      }

      @Override
      public void onError(Exception exception) {
        failed.onError(exception);
      }
    };
  }

  /** In the callback of a call to the bank. */
  private void chained(String sku, int quantity, AsyncMethodCallback<Integer> callback)
      throws TException {
    guardedBank.ping(
        1,
        then(
            () -> {
              try {
                guardedStock.reserve(sku, quantity, callback);
              } catch (TException e) {
                callback.onError(e);
              }
            },
            callback));
  }

  /** Through a stage that continues one of the bank's. */
  private void joined(String sku, int quantity, AsyncMethodCallback<Integer> callback) {
    Guard.callAsync(bank, () -> CompletableFuture.supplyAsync(() -> 1, elsewhere))
        .thenCompose(
            one -> Guard.callAsync(stock, () -> CompletableFuture.completedFuture(quantity)))
        .whenComplete(
            (result, thrown) -> {
              if (thrown == null) {
                callback.onComplete(result);
              } else {
                callback.onError((Exception) thrown.getCause());
              }
            });
  }

  // ---- what is learned

  @ParameterizedTest
  @CsvSource({
    "NONBLOCKING, BINARY, direct",
    "NONBLOCKING, TUPLE, chained",
    "HSHA, COMPACT, chained",
    "HSHA, TUPLE, direct",
    "THREADED_SELECTOR, BINARY, joined",
    "THREADED_SELECTOR, COMPACT, direct"
  })
  void aMethodThatNeedsADependencyIsShedAfterTheFirstRefusals(
      Kind kind, Language language, String how) throws Exception {
    // given
    serve(
        kind,
        language,
        switch (how) {
          case "chained" -> this::chained;
          case "joined" -> this::joined;
          default -> guardedStock::reserve;
        });
    assertThat(reserve(20)).isEqualTo(20);
    assertThat(stats("reserve").requires()).isEmpty();

    // when
    Breakers.open(stock);

    // then: a few more than ten may be let through to see whether the handler copes
    assertThat(reserve(200)).isBetween(10, 20);
    assertThat(stats("reserve").requires()).containsExactly("stock");
    assertThat(stats("reserve").sheds()).isBetween(180L, 190L);
    assertThat(client.count(List.of())).isZero();

    // and once it is back, requests pass
    Breakers.close(stock);
    assertThat(reserve(20)).isEqualTo(20);
  }

  @Test
  void aMethodThatCopesIsNeverShed() throws Exception {
    // given a handler that answers without the stock, in the callback that is told
    serve(
        Kind.HSHA,
        Language.BINARY,
        (sku, quantity, callback) ->
            guardedStock.reserve(
                sku,
                quantity,
                new AsyncMethodCallback<>() {
                  @Override
                  public void onComplete(Integer response) {
                    callback.onComplete(response);
                  }

                  @Override
                  public void onError(Exception exception) {
                    callback.onComplete(-1);
                  }
                }));
    reserve(50);
    Breakers.open(stock);

    // when
    assertThat(reserve(500)).isEqualTo(500);

    // then
    assertThat(learned("stock").needed()).isFalse();
    assertThat(learned("stock").refusals()).isPositive();
    assertThat(learned("stock").failures()).isZero();
    assertThat(stats("reserve").sheds()).isZero();
  }

  @Test
  void aFailureThatIsToldAfterARefusalIsNotBlamedOnTheRefusal() throws Exception {
    // given a handler that copes without the stock, and fails as its call of the bank does, later
    Stock.AsyncIface failingBank =
        Guard.of(bank, Stock.AsyncIface.class, new Answering(elsewhere, true));
    serve(
        Kind.NONBLOCKING,
        Language.BINARY,
        (sku, quantity, callback) -> {
          guardedStock.touch(then(() -> {}, new Ignoring()));
          failingBank.reserve(sku, quantity, callback);
        });
    Breakers.open(stock);

    // when
    assertThat(reserve(100)).isEqualTo(100);

    // then
    assertThat(learned("stock").needed()).isFalse();
    assertThat(learned("stock").refusals()).isZero();
    assertThat(stats("reserve").failures()).isEqualTo(100);
  }

  private static final class Ignoring implements AsyncMethodCallback<Object> {
    @Override
    public void onComplete(Object response) {}

    @Override
    public void onError(Exception exception) {}
  }

  // ---- what teaches nothing

  @Test
  void aOnewayRequestTeachesNothingSinceNobodyCanTellHowItEnded() throws Exception {
    serve(Kind.HSHA, Language.BINARY, guardedStock::reserve);
    Breakers.open(stock);

    for (int i = 0; i < 50; i++) {
      client.note("quiet");
    }
    await().until(() -> handled.get() == 50);

    assertThat(stats("note").requirements().all()).isEmpty();
  }

  @Test
  void aCallOnAThreadThatNobodyTiedToTheRequestTeachesNothing() throws Exception {
    serve(
        Kind.HSHA,
        Language.BINARY,
        (sku, quantity, callback) ->
            elsewhere.execute(
                () -> {
                  try {
                    guardedStock.reserve(sku, quantity, callback);
                  } catch (TException e) {
                    callback.onError(e);
                  }
                }));
    Breakers.open(stock);

    assertThat(reserve(50)).isEqualTo(50);
    await().untilAsserted(() -> assertThat(stats("reserve").inFlight()).isZero());
    assertThat(stats("reserve").requirements().all()).isEmpty();
  }
}
