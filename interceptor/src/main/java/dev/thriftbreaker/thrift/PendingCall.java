package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Outcome;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A guarded call that ends later, on whatever thread. The first end completes the permit, further
 * ones do not; the permit of a call that never ends stays with the breaker, which has rules for
 * that.
 */
final class PendingCall {

  private final Downstream dependency;
  private final long startNanos;
  private final long permit;

  /** The asynchronous request in whose course the call is made, or null. */
  private final AsyncRequest request;

  private final AtomicBoolean ended = new AtomicBoolean();

  /**
   * Begins a call.
   *
   * @throws BreakerOpenException if the breaker lets no call pass
   */
  PendingCall(Downstream dependency) throws BreakerOpenException {
    this.dependency = dependency;
    this.startNanos = dependency.now();
    this.permit = dependency.acquire(dependency.cell(), startNanos, false);
    this.request = RequestContext.currentAsync();
  }

  /**
   * The call failed on the thread that makes it.
   *
   * @return how that is judged; null if the call had ended before
   */
  Outcome failed(Throwable thrown) {
    return ended.compareAndSet(false, true)
        ? dependency.completeFailed(dependency.cell(), permit, startNanos, thrown)
        : null;
  }

  /**
   * The call ended.
   *
   * @param result what it returned
   * @param thrown what it failed with, or null
   * @param news tells whoever waits for it: after the permit is given back, so that a call made
   *     then finds it free, and with the request in whose course the call was made as the thread's
   *     own, so that a call made then belongs to that too. Is given how a failure is judged; null
   *     for a result, or if the call had ended before
   */
  void end(Object result, Throwable thrown, Consumer<Outcome> news) {
    RequestContext context = request == null ? null : RequestContext.enter(request);
    try {
      Outcome failure = null;
      if (thrown != null) {
        failure = failed(thrown);
      } else if (ended.compareAndSet(false, true)) {
        dependency.complete(dependency.cell(), permit, startNanos, result);
      }
      news.accept(failure);
    } finally {
      if (context != null) {
        context.exit();
      }
    }
  }
}
