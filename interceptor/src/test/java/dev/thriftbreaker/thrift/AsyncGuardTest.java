package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.thrift.TException;
import org.apache.thrift.async.AsyncMethodCallback;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AsyncGuardTest {

  private static final String OUTCOMES = "dev.thriftbreaker.thrift.GuardTest#outcomes";

  private final CircuitBreaker breaker = Breakers.closed("stock");
  private final Client client = new Client();
  private final Stock.AsyncIface guarded = Guard.of(breaker, Stock.AsyncIface.class, client);
  private final Told told = new Told();

  // ---- callbacks

  @Test
  void holdsThePermitUntilTheCallbackIsTold() throws TException {
    guarded.reserve("plum", 3, told);
    assertCounted(1, null);

    client.callback.onComplete(3);

    assertThat(told.all).containsExactly(3);
    assertCounted(0, Outcome.SUCCESS);
  }

  static Stream<Arguments> exceptions() {
    return GuardTest.outcomes().filter(outcome -> outcome.get()[0] instanceof Exception);
  }

  @ParameterizedTest
  @MethodSource("exceptions")
  void tellsTheClientsOwnExceptionAndCompletesThePermit(Exception failure, Outcome outcome)
      throws TException {
    guarded.reserve("plum", 1, told);

    client.callback.onError(failure);

    assertThat(told.all).containsExactly(failure);
    assertCounted(0, outcome);
  }

  @ParameterizedTest
  @MethodSource(OUTCOMES)
  void throwsWhatTheClientsMethodThrowsAndCompletesThePermit(Throwable thrown, Outcome outcome) {
    client.thrown = thrown;

    assertThat(catchThrowable(() -> guarded.reserve("plum", 1, told))).isSameAs(thrown);
    assertThat(told.all).isEmpty();
    assertCounted(0, outcome);
  }

  @Test
  void tellsARefusalToTheCallbackWithoutCalling() throws TException {
    Breakers.open(breaker);

    guarded.reserve("plum", 1, told);

    assertThat(told.all).singleElement().isInstanceOf(BreakerOpenException.class);
    assertThat(client.callback).isNull();
    assertThat(breaker.snapshot().refused()).isEqualTo(1);
    assertCounted(0, null);
  }

  @Test
  void givesThePermitBackBeforeTheCallbackIsTold() throws TException {
    // given
    List<Long> inFlight = new ArrayList<>();
    guarded.touch(
        new AsyncMethodCallback<>() {
          @Override
          public void onComplete(Void response) {
            inFlight.add(breaker.snapshot().inFlight());
          }

          @Override
          public void onError(Exception exception) {}
        });

    // when
    client.callback.onComplete(null);

    // then
    assertThat(inFlight).containsExactly(0L);
  }

  @Test
  void completesThePermitOnceHoweverOftenTheCallbackIsTold() throws TException {
    guarded.reserve("plum", 1, told);

    client.callback.onComplete(1);
    client.callback.onError(new IllegalStateException("after all"));
    client.callback.onComplete(2);

    assertThat(told.all).hasSize(3).first().isEqualTo(1);
    assertCounted(0, Outcome.SUCCESS);
  }

  @Test
  void completesThePermitOnceIfTheClientTellsAndThenThrows() {
    client.thrown = new IllegalStateException("after all");
    client.first = 7;

    assertThat(catchThrowable(() -> guarded.reserve("plum", 1, told))).isSameAs(client.thrown);
    assertThat(told.all).containsExactly(7);
    assertCounted(0, Outcome.SUCCESS);
  }

  @Test
  void givesThePermitBackThoughTheCallbackThrows() throws TException {
    IllegalStateException thrown = new IllegalStateException("in the callback");
    told.thrown = thrown;
    guarded.reserve("plum", 1, told);

    assertThatThrownBy(() -> client.callback.onComplete(1)).isSameAs(thrown);
    assertCounted(0, Outcome.SUCCESS);
  }

  @Test
  void judgesResultsByTheBreakersOwnRules() throws TException {
    CircuitBreaker strict = strict();
    Guard.of(strict, Stock.AsyncIface.class, client).reserve("plum", 13, told);

    client.callback.onComplete(13);

    assertThat(strict.snapshot().failures()).isEqualTo(1);
    assertThat(told.all).containsExactly(13);
  }

  // ---- stages

  @Test
  void holdsThePermitUntilTheStageEnds() {
    CompletableFuture<Integer> source = new CompletableFuture<>();
    CompletableFuture<Integer> future = Guard.callAsync(breaker, () -> source);
    assertCounted(1, null);
    CompletableFuture<Long> inFlight = future.thenApply(result -> breaker.snapshot().inFlight());

    source.complete(5);

    assertThat(future).isCompletedWithValue(5);
    assertThat(inFlight).isCompletedWithValue(0L);
    assertCounted(0, Outcome.SUCCESS);
  }

  @ParameterizedTest
  @MethodSource(OUTCOMES)
  void endsWithTheStagesOwnExceptionAndCompletesThePermit(Throwable failure, Outcome outcome) {
    CompletableFuture<Integer> source = new CompletableFuture<>();
    CompletableFuture<Integer> future = Guard.callAsync(breaker, () -> source);
    List<Throwable> seen = new ArrayList<>();
    future.whenComplete((result, thrown) -> seen.add(thrown));

    source.completeExceptionally(failure);

    assertThat(seen).containsExactly(failure);
    assertCounted(0, outcome);
  }

  @Test
  void judgesWhatACompletionExceptionWraps() {
    CompletableFuture<Integer> source = new CompletableFuture<>();
    Guard.callAsync(breaker, () -> source.thenApply(result -> result).thenApply(result -> result));

    source.completeExceptionally(new CompletionException(new OutOfStock("plum", 0)));

    assertCounted(0, Outcome.SUCCESS);
  }

  @ParameterizedTest
  @MethodSource(OUTCOMES)
  void endsWithWhatTheBodyThrows(Throwable thrown, Outcome outcome) {
    CompletableFuture<Integer> future =
        Guard.callAsync(
            breaker,
            () -> {
              throw AsyncGuardTest.<RuntimeException>sneaked(thrown);
            });

    assertThat(future.handle((result, failure) -> failure)).isCompletedWithValue(thrown);
    assertCounted(0, outcome);
  }

  @Test
  void endsWithAFailureIfThereIsNoStage() {
    CompletableFuture<Integer> future = Guard.callAsync(breaker, () -> null);

    assertThat(future.handle((result, failure) -> failure).join())
        .isInstanceOf(NullPointerException.class)
        .hasMessage("the stage of a guarded call");
    assertCounted(0, Outcome.FAILURE);
  }

  @Test
  void endsWithARefusalWithoutCalling() {
    AtomicInteger calls = new AtomicInteger();
    Breakers.open(breaker);

    CompletableFuture<Integer> future =
        Guard.callAsync(breaker, () -> CompletableFuture.completedFuture(calls.incrementAndGet()));

    assertThat(future.handle((result, failure) -> failure).join())
        .isInstanceOf(BreakerOpenException.class)
        .hasMessageStartingWith("SHED dependency=stock state=OPEN");
    assertThat(calls).hasValue(0);
    assertThat(breaker.snapshot().refused()).isEqualTo(1);
  }

  @Test
  void cancelsTheStageAndIgnoresTheCall() {
    CompletableFuture<Integer> source = new CompletableFuture<>();
    CompletableFuture<Integer> future = Guard.callAsync(breaker, () -> source);

    assertThat(future.cancel(true)).isTrue();

    assertThat(source).isCancelled();
    assertThat(future).isCancelled();
    assertCounted(0, Outcome.IGNORED);
  }

  @Test
  void holdsThePermitOfAStageThatCannotBeCancelledUntilItEnds() {
    CompletableFuture<Integer> source = new CompletableFuture<>();
    CompletableFuture<Integer> future = Guard.callAsync(breaker, source::minimalCompletionStage);

    assertThat(future.cancel(true)).isTrue();
    assertCounted(1, null);
    source.complete(1);

    assertThat(future).isCancelled();
    assertCounted(0, Outcome.SUCCESS);
  }

  @Test
  void judgesTheResultOfAStageByTheBreakersOwnRules() {
    CircuitBreaker strict = strict();

    CompletionStage<Integer> stage =
        Guard.callAsync(strict, () -> CompletableFuture.completedFuture(13));

    assertThat(stage.toCompletableFuture()).isCompletedWithValue(13);
    assertThat(strict.snapshot().failures()).isEqualTo(1);
  }

  private static CircuitBreaker strict() {
    return Breakers.closed(
        "stock",
        BreakerConfig.builder()
            .failureResult(result -> Integer.valueOf(13).equals(result))
            .build());
  }

  @SuppressWarnings("unchecked") // any Throwable, past the compiler
  static <T extends Throwable> T sneaked(Throwable thrown) throws T {
    throw (T) thrown;
  }

  private void assertCounted(long inFlight, Outcome outcome) {
    BreakerSnapshot counted = breaker.snapshot();
    assertThat(counted.inFlight()).isEqualTo(inFlight);
    assertThat(counted.successes()).isEqualTo(outcome == Outcome.SUCCESS ? 1 : 0);
    assertThat(counted.failures()).isEqualTo(outcome == Outcome.FAILURE ? 1 : 0);
    assertThat(counted.ignored()).isEqualTo(outcome == Outcome.IGNORED ? 1 : 0);
  }

  /** A client that keeps the callback, or throws. */
  private static final class Client implements Stock.AsyncIface {
    private AsyncMethodCallback<Object> callback;
    private Throwable thrown;
    private Integer first;

    @SuppressWarnings("unchecked") // each test knows the type
    private void keep(AsyncMethodCallback<?> given) {
      callback = (AsyncMethodCallback<Object>) given;
      if (first != null) {
        callback.onComplete(first);
      }
      if (thrown != null) {
        throw AsyncGuardTest.<RuntimeException>sneaked(thrown);
      }
    }

    @Override
    public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> given) {
      keep(given);
    }

    @Override
    public void ping(long number, AsyncMethodCallback<Long> given) {
      keep(given);
    }

    @Override
    public void touch(AsyncMethodCallback<Void> given) {
      keep(given);
    }
  }

  /** Notes what it is told. */
  private static final class Told implements AsyncMethodCallback<Integer> {
    private final List<Object> all = new ArrayList<>();
    private RuntimeException thrown;

    @Override
    public void onComplete(Integer response) {
      all.add(response);
      if (thrown != null) {
        throw thrown;
      }
    }

    @Override
    public void onError(Exception exception) {
      all.add(exception);
    }
  }
}
