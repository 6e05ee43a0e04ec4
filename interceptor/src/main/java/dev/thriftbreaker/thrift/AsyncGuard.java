package dev.thriftbreaker.thrift;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.apache.thrift.async.AsyncMethodCallback;

/** Guarded calls whose end is told later: to a callback, or by a stage. */
final class AsyncGuard {

  private AsyncGuard() {}

  /** A call of a client's method, without its callback. */
  interface Method<T> {
    Object call(AsyncMethodCallback<T> callback) throws Throwable;
  }

  /**
   * Calls a client. Every failure goes to the callback, a refusal too; what the client's method
   * throws by itself is thrown. A fallback gets the call instead where the breaker refuses.
   */
  static <T> Object call(
      Downstream dependency, AsyncMethodCallback<T> callback, Method<T> method, Method<T> fallback)
      throws Throwable {
    PendingCall call;
    try {
      call = new PendingCall(dependency);
    } catch (BreakerOpenException refusal) {
      if (fallback != null) {
        dependency.countFallback();
        return fallback.call(callback);
      }
      callback.onError(refusal);
      return null;
    }
    try {
      return method.call(new GuardedCallback<>(call, callback));
    } catch (Throwable thrown) {
      call.failed(thrown);
      throw thrown;
    }
  }

  static <T> CompletableFuture<T> call(
      Downstream dependency, Supplier<? extends CompletionStage<T>> body) {
    PendingCall call;
    try {
      call = new PendingCall(dependency);
    } catch (BreakerOpenException refusal) {
      return CompletableFuture.failedFuture(refusal);
    }
    try {
      CompletionStage<T> stage = Objects.requireNonNull(body.get(), "the stage of a guarded call");
      GuardedFuture<T> future = new GuardedFuture<>(stage);
      stage.whenComplete(
          (result, thrown) -> call.end(result, cause(thrown), () -> future.settle(result, thrown)));
      return future;
    } catch (Throwable thrown) {
      call.failed(thrown);
      return CompletableFuture.failedFuture(thrown);
    }
  }

  private static Throwable cause(Throwable thrown) {
    Throwable cause = thrown;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Tells the client's callback whatever it is told, even twice. */
  private record GuardedCallback<T>(PendingCall call, AsyncMethodCallback<T> callback)
      implements AsyncMethodCallback<T> {

    @Override
    public void onComplete(T response) {
      call.end(response, null, () -> callback.onComplete(response));
    }

    @Override
    public void onError(Exception exception) {
      call.end(null, exception, () -> callback.onError(exception));
    }
  }

  /** Ends as a stage does, after the guard has seen it; its cancellation is the stage's. */
  private static final class GuardedFuture<T> extends CompletableFuture<T> {
    private final CompletionStage<T> stage;

    GuardedFuture(CompletionStage<T> stage) {
      this.stage = stage;
    }

    void settle(T result, Throwable thrown) {
      if (thrown == null) {
        complete(result);
      } else {
        completeExceptionally(thrown);
      }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      if (stage instanceof Future<?> source) {
        try {
          source.cancel(mayInterruptIfRunning);
        } catch (UnsupportedOperationException e) {
          // a stage that only its maker can end
        }
      }
      return super.cancel(mayInterruptIfRunning);
    }
  }
}
