package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.thrift.TException;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;

/** What answers in place of a dependency whose calls end later. */
class AsyncFallbackTest {

  private static final TTransportException GONE = new TTransportException("gone");

  private final CircuitBreaker breaker = Breakers.closed("stock");
  private final Downstream stock = new Downstream(breaker);
  private final Held client = new Held();
  private final Held cached = new Held();
  private final Stock.AsyncIface guarded =
      Guard.of(stock, Stock.AsyncIface.class, client, cached, FallbackOn.FAILURE);
  private final List<Object> told = new ArrayList<>();
  private final AsyncMethodCallback<Integer> callback =
      new AsyncMethodCallback<>() {
        @Override
        public void onComplete(Integer response) {
          told.add(response);
        }

        @Override
        public void onError(Exception exception) {
          told.add(exception);
        }
      };

  /** Keeps the callbacks, or throws. */
  private final class Held implements Stock.AsyncIface {
    private final List<AsyncMethodCallback<Integer>> callbacks = new ArrayList<>();
    private final List<Long> inFlight = new ArrayList<>();
    private TException thrown;

    @Override
    public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> given)
        throws TException {
      assertThat(sku + quantity).isEqualTo("plum7");
      callbacks.add(given);
      inFlight.add(breaker.snapshot().inFlight());
      if (thrown != null) {
        throw thrown;
      }
    }

    @Override
    public void ping(long number, AsyncMethodCallback<Long> given) {}

    @Override
    public void touch(AsyncMethodCallback<Void> given) {}

    AsyncMethodCallback<Integer> callback() {
      assertThat(callbacks).hasSize(1);
      return callbacks.get(0);
    }
  }

  // ---- callbacks

  @Test
  void answersACallThatFailedOnceThePermitIsBack() throws TException {
    // given
    guarded.reserve("plum", 7, callback);
    assertThat(cached.callbacks).isEmpty();

    // when
    client.callback().onError(GONE);

    // then it gets the same call, and what it tells is the answer
    assertThat(cached.inFlight).containsExactly(0L);
    assertThat(breaker.snapshot().failures()).isEqualTo(1);
    assertThat(stock.fallbacks()).isEqualTo(1);
    assertThat(told).isEmpty();
    cached.callback().onComplete(107);
    assertThat(told).containsExactly(107);
  }

  @Test
  void tellsOnceWhateverTheClientAndTheFallbackTellLater() throws TException {
    guarded.reserve("plum", 7, callback);
    client.callback().onError(GONE);
    client.callback().onError(GONE);
    client.callback().onComplete(7);
    cached.callback().onError(GONE);
    cached.callback().onComplete(107);

    assertThat(told).containsExactly(GONE);
    assertThat(stock.fallbacks()).isEqualTo(1);
  }

  @Test
  void leavesResultsDeclaredExceptionsAndIgnoredOnesAsTheyAre() throws TException {
    OutOfStock declared = new OutOfStock("plum", 0);
    CancellationException ignored = new CancellationException();
    for (Exception exception : List.of(declared, ignored)) {
      guarded.reserve("plum", 7, callback);
      client.callbacks.remove(0).onError(exception);
    }
    guarded.reserve("plum", 7, callback);
    client.callback().onComplete(7);

    assertThat(told).containsExactly(declared, ignored, 7);
    assertThat(cached.callbacks).isEmpty();
    assertThat(stock.fallbacks()).isZero();
  }

  @Test
  void answersACallThatTheClientThrowsOutOf() throws TException {
    // given a client that tells nevertheless, later
    client.thrown = GONE;
    guarded.reserve("plum", 7, callback);
    cached.callback().onComplete(107);

    client.callback().onError(GONE);

    assertThat(told).containsExactly(107);
    assertThat(breaker.snapshot().failures()).isEqualTo(1);
    assertThat(breaker.snapshot().inFlight()).isZero();
  }

  @Test
  void answersARefusedCallOnTheCallersThread() throws TException {
    Breakers.open(breaker);

    guarded.reserve("plum", 7, callback);

    assertThat(client.callbacks).isEmpty();
    cached.callback().onComplete(107);
    assertThat(told).containsExactly(107);
    assertThat(stock.fallbacks()).isEqualTo(1);
  }

  @Test
  void tellsWhatTheFallbackThrows() throws TException {
    OutOfStock none = new OutOfStock("plum", 0);
    cached.thrown = none;
    guarded.reserve("plum", 7, callback);

    client.callback().onError(GONE);

    assertThat(told).containsExactly(none);
  }

  @Test
  void tellsNothingAgainIfTheCallbackThrows() throws TException {
    // given a fallback that answers at once, and a caller that throws when told
    IllegalStateException bug = new IllegalStateException("in the callback");
    Stock.AsyncIface atOnce =
        Guard.of(stock, Stock.AsyncIface.class, client, new AtOnce(), FallbackOn.FAILURE);
    atOnce.reserve(
        "plum",
        7,
        new AsyncMethodCallback<>() {
          @Override
          public void onComplete(Integer response) {
            told.add(response);
            throw bug;
          }

          @Override
          public void onError(Exception exception) {
            told.add(exception);
          }
        });

    assertThatThrownBy(() -> client.callback().onError(GONE)).isSameAs(bug);
    assertThat(told).containsExactly(107);
  }

  private static final class AtOnce implements Stock.AsyncIface {
    @Override
    public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> given) {
      given.onComplete(100 + quantity);
    }

    @Override
    public void ping(long number, AsyncMethodCallback<Long> given) {}

    @Override
    public void touch(AsyncMethodCallback<Void> given) {}
  }

  // ---- stages

  private final CompletableFuture<Integer> source = new CompletableFuture<>();
  private final CompletableFuture<Integer> answer = new CompletableFuture<>();
  private final List<Exception> asked = new ArrayList<>();
  private final List<Long> inFlight = new ArrayList<>();

  private CompletableFuture<Integer> call(FallbackOn on) {
    return Guard.callAsync(
        stock,
        () -> source,
        on,
        why -> {
          asked.add(why);
          inFlight.add(breaker.snapshot().inFlight());
          return answer;
        });
  }

  @Test
  void endsAsTheFallbacksStageDoesWhereTheCallFailed() {
    CompletableFuture<Integer> future = call(FallbackOn.FAILURE);
    source.completeExceptionally(GONE);
    assertThat(asked).containsExactly(GONE);
    assertThat(inFlight).containsExactly(0L);
    assertThat(breaker.snapshot().failures()).isEqualTo(1);
    assertThat(future).isNotDone();

    answer.complete(107);

    assertThat(future).isCompletedWithValue(107);
    assertThat(stock.fallbacks()).isEqualTo(1);
  }

  @Test
  void asksTheFallbackOnlyAsToldTo() {
    CompletableFuture<Integer> failed = call(FallbackOn.REFUSAL);
    source.completeExceptionally(GONE);
    assertThat(failed).isCompletedExceptionally();
    assertThat(asked).isEmpty();

    Breakers.open(breaker);
    CompletableFuture<Integer> refused = call(FallbackOn.REFUSAL);
    answer.complete(107);
    assertThat(refused).isCompletedWithValue(107);
    assertThat(asked).singleElement().isInstanceOf(BreakerOpenException.class);
  }

  @Test
  void asksTheFallbackIfTheCallCannotBegin() {
    CompletableFuture<Integer> future =
        Guard.callAsync(
            stock,
            () -> {
              throw new IllegalStateException("down");
            },
            FallbackOn.FAILURE,
            why -> CompletableFuture.completedFuture(why.getMessage().length()));

    assertThat(future).isCompletedWithValue(4);
    assertThat(breaker.snapshot().inFlight()).isZero();
  }

  @Test
  void endsWithWhatTheFallbackThrowsOrThatItHasNoStage() {
    OutOfStock none = new OutOfStock("plum", 0);
    CompletableFuture<Integer> throwing =
        Guard.callAsync(
            stock,
            () -> source,
            FallbackOn.FAILURE,
            why -> {
              throw none;
            });
    CompletableFuture<Integer> empty =
        Guard.callAsync(stock, () -> source, FallbackOn.FAILURE, why -> null);

    source.completeExceptionally(GONE);

    assertThatThrownBy(throwing::get).isInstanceOf(ExecutionException.class).cause().isSameAs(none);
    assertThatThrownBy(empty::get).hasMessageContaining("the stage of a fallback");
  }

  @Test
  void cancelsTheStageThatItWaitsFor() {
    CompletableFuture<Integer> first = call(FallbackOn.FAILURE);
    first.cancel(true);
    assertThat(source).isCancelled();
    assertThat(asked).isEmpty();
    assertThat(breaker.snapshot().ignored()).isEqualTo(1);

    Breakers.open(breaker);
    CompletableFuture<Integer> second = call(FallbackOn.FAILURE);
    second.cancel(true);
    assertThat(answer).isCancelled();
  }

  @Test
  void asksNoFallbackForACallThatWasCancelled() {
    // given a stage that only its maker can end
    CompletableFuture<Integer> future =
        Guard.callAsync(
            stock,
            source::minimalCompletionStage,
            FallbackOn.FAILURE,
            why -> {
              asked.add(why);
              return answer;
            });
    future.cancel(true);

    // when
    source.completeExceptionally(GONE);

    // then
    assertThat(future).isCancelled();
    assertThat(asked).isEmpty();
    assertThat(breaker.snapshot().failures()).isEqualTo(1);
  }

  @Test
  void refusesToBeWithoutAFallback() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.callAsync(stock, () -> source, FallbackOn.FAILURE, null))
        .withMessage("fallback: null (expected: a fallback)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.callAsync(stock, () -> source, null, why -> answer))
        .withMessage("on: null (expected: REFUSAL or FAILURE)");
  }
}
