package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Outcome;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
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
   * throws by itself is thrown. A fallback gets the call instead where the breaker refuses, and if
   * asked to also where the call failed; then the client's first telling counts, and no other.
   */
  static <T> Object call(
      Downstream dependency,
      AsyncMethodCallback<T> callback,
      Method<T> method,
      Method<T> fallback,
      FallbackOn on)
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
    if (fallback == null || on == FallbackOn.REFUSAL) {
      try {
        return method.call(new GuardedCallback<>(call, callback));
      } catch (Throwable thrown) {
        call.failed(thrown);
        throw thrown;
      }
    }
    FallingBack<T> told =
        new FallingBack<>(dependency, call, callback, fallback, new AtomicBoolean());
    try {
      return method.call(told);
    } catch (Throwable thrown) {
      Outcome failure = call.failed(thrown);
      if (Guard.isForFallback(on, failure, thrown) && told.isFirst()) {
        dependency.countFallback();
        return fallback.call(callback);
      }
      throw thrown;
    }
  }

  /**
   * Makes a call that ends as a stage does, or as that of a fallback.
   *
   * @param fallback may be null
   */
  static <T> CompletableFuture<T> call(
      Downstream dependency,
      Supplier<? extends CompletionStage<T>> body,
      FallbackOn on,
      Fallback<? extends CompletionStage<T>> fallback) {
    PendingCall call;
    try {
      call = new PendingCall(dependency);
    } catch (BreakerOpenException refusal) {
      if (fallback == null) {
        return CompletableFuture.failedFuture(refusal);
      }
      GuardedFuture<T> answered = new GuardedFuture<>();
      fallBack(dependency, answered, fallback, refusal);
      return answered;
    }
    GuardedFuture<T> future = new GuardedFuture<>();
    CompletionStage<T> stage;
    try {
      stage = Objects.requireNonNull(body.get(), "the stage of a guarded call");
    } catch (Throwable thrown) {
      fallBackOrSettle(dependency, future, on, fallback, call.failed(thrown), thrown, thrown);
      return future;
    }
    future.follow(stage);
    stage.whenComplete(
        (result, thrown) -> {
          Throwable cause = cause(thrown);
          call.end(
              result,
              cause,
              failure -> {
                if (thrown == null) {
                  future.settle(result, null);
                } else {
                  fallBackOrSettle(dependency, future, on, fallback, failure, cause, thrown);
                }
              });
        });
    return future;
  }

  private static <T> void fallBackOrSettle(
      Downstream dependency,
      GuardedFuture<T> future,
      FallbackOn on,
      Fallback<? extends CompletionStage<T>> fallback,
      Outcome failure,
      Throwable cause,
      Throwable thrown) {
    if (fallback != null && !future.isDone() && Guard.isForFallback(on, failure, cause)) {
      fallBack(dependency, future, fallback, (Exception) cause);
    } else {
      future.settle(null, thrown);
    }
  }

  private static <T> void fallBack(
      Downstream dependency,
      GuardedFuture<T> future,
      Fallback<? extends CompletionStage<T>> fallback,
      Exception why) {
    dependency.countFallback();
    try {
      CompletionStage<T> answer =
          Objects.requireNonNull(fallback.answer(why), "the stage of a fallback");
      future.follow(answer);
      answer.whenComplete(future::settle);
    } catch (Throwable thrown) {
      future.settle(null, thrown);
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
      call.end(response, null, none -> callback.onComplete(response));
    }

    @Override
    public void onError(Exception exception) {
      call.end(null, exception, failure -> callback.onError(exception));
    }
  }

  /**
   * Tells the client's callback what it is told first, and nothing more; or if that is a failure,
   * has the fallback tell it.
   */
  private record FallingBack<T>(
      Downstream dependency,
      PendingCall call,
      AsyncMethodCallback<T> callback,
      Method<T> fallback,
      AtomicBoolean told)
      implements AsyncMethodCallback<T> {

    @Override
    public void onComplete(T response) {
      if (isFirst()) {
        call.end(response, null, none -> callback.onComplete(response));
      }
    }

    @Override
    public void onError(Exception exception) {
      if (isFirst()) {
        call.end(null, exception, failure -> failed(failure, exception));
      }
    }

    boolean isFirst() {
      return told.compareAndSet(false, true);
    }

    private void failed(Outcome failure, Exception exception) {
      if (!Guard.isForFallback(FallbackOn.FAILURE, failure, exception)) {
        callback.onError(exception);
        return;
      }
      dependency.countFallback();
      ToldOnce<T> answer = new ToldOnce<>(callback, new AtomicBoolean());
      try {
        fallback.call(answer);
      } catch (Throwable thrown) {
        answer.onThrown(thrown);
      }
    }
  }

  /** Tells a callback what it is told first, and nothing more. */
  private record ToldOnce<T>(AsyncMethodCallback<T> callback, AtomicBoolean told)
      implements AsyncMethodCallback<T> {

    @Override
    public void onComplete(T response) {
      if (told.compareAndSet(false, true)) {
        callback.onComplete(response);
      }
    }

    @Override
    public void onError(Exception exception) {
      if (told.compareAndSet(false, true)) {
        callback.onError(exception);
      }
    }

    /** A fallback threw this: by itself, or because the callback that it told did. */
    void onThrown(Throwable thrown) {
      if (told.compareAndSet(false, true)) {
        callback.onError(
            thrown instanceof Exception exception ? exception : new ExecutionException(thrown));
      } else if (thrown instanceof RuntimeException exception) {
        throw exception;
      } else if (thrown instanceof Error error) {
        throw error;
      }
    }
  }

  /** Ends as a stage does, after the guard has seen it; its cancellation is the stage's. */
  private static final class GuardedFuture<T> extends CompletableFuture<T> {
    private volatile CompletionStage<T> stage;

    /** Cancels this stage from now on when it is cancelled itself. */
    void follow(CompletionStage<T> next) {
      stage = next;
      if (isCancelled()) {
        cancel(next, true);
      }
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
      CompletionStage<T> current = stage;
      cancel(current, mayInterruptIfRunning);
      boolean cancelled = super.cancel(mayInterruptIfRunning);
      CompletionStage<T> next = stage;
      if (cancelled && next != current) {
        cancel(next, mayInterruptIfRunning); // a fallback's, asked before this was cancelled
      }
      return cancelled;
    }

    private static void cancel(CompletionStage<?> stage, boolean mayInterruptIfRunning) {
      if (stage instanceof Future<?> source) {
        try {
          source.cancel(mayInterruptIfRunning);
        } catch (UnsupportedOperationException e) {
          // a stage that only its maker can end
        }
      }
    }
  }
}
