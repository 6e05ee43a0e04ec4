package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The right to make one call, for code that no guard can wrap. Complete it exactly once; whatever
 * comes after the first completion is a no-op. Any thread may complete it.
 *
 * <pre>{@code
 * try (Permit permit = breaker.tryAcquire().orElseThrow(..)) {
 *   ...
 *   permit.success();
 * }
 * }</pre>
 */
public final class Permit implements AutoCloseable {

  private final CircuitBreaker breaker;
  private final long permit;
  private final long startNanos;
  private final AtomicBoolean completed = new AtomicBoolean();

  Permit(CircuitBreaker breaker, long permit, long startNanos) {
    this.breaker = breaker;
    this.permit = permit;
    this.startNanos = startNanos;
  }

  /** The call did its job. */
  public void success() {
    complete(Outcome.SUCCESS, null);
  }

  /**
   * The dependency failed.
   *
   * @param error how, or null
   */
  public void failure(Throwable error) {
    complete(Outcome.FAILURE, error);
  }

  /** The call says nothing about the dependency. */
  public void ignore() {
    complete(Outcome.IGNORED, null);
  }

  /** The same as {@link #ignore()}: for a call that was abandoned. */
  @Override
  public void close() {
    ignore();
  }

  private void complete(Outcome outcome, Throwable error) {
    if (completed.compareAndSet(false, true)) {
      breaker.complete(permit, outcome, startNanos, error);
    }
  }
}
