package dev.thriftbreaker.thrift;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The deadline of whatever uses one connection: a slot that serves one call after the other.
 *
 * <p>Its whole state is one number: {@link #IDLE}, {@link #PASSED}, or the time at which the call
 * under way must have ended. Whoever swaps that number decides the call: {@link #end} for the call,
 * {@link #expire} for the keeper, and exactly one of the two. A keeper that was held up and swaps
 * late cannot hit a later call by mistake: it swaps only a deadline that it has seen pass, and if
 * the later call has the very same one, that one has passed as well. PASSED is for ever: such a
 * connection serves no more calls.
 *
 * <p>{@link #arm} and {@link #end} are for the thread that has the connection, {@link #expire} and
 * {@link #abort} for the keeper's.
 */
abstract class Deadline {

  /** No call under way, or one without a deadline. */
  static final long IDLE = 0;

  /** What {@link #expire} answers if nothing is due, ever. Also the deadline of a call without. */
  static final long NEVER = Long.MAX_VALUE;

  private static final long PASSED = -1;

  private final AtomicLong at = new AtomicLong(IDLE);

  /**
   * Begins a call.
   *
   * @param deadline more than 0, or {@link #NEVER}
   */
  final void arm(long deadline) {
    if (deadline != NEVER) {
      at.set(deadline); // a full fence: the keeper sees it, or this thread sees the keeper's plans
    }
  }

  /**
   * Ends the call that was armed with this deadline.
   *
   * @return false if the deadline has passed first: the connection is being closed
   */
  final boolean end(long deadline) {
    return deadline == NEVER || at.compareAndSet(deadline, IDLE);
  }

  /** Whether the deadline of the call under way has passed. */
  final boolean isPassed() {
    return at.get() == PASSED;
  }

  /**
   * Lets the deadline pass if it is due.
   *
   * @return when to look again; {@link #NEVER} if no call is under way
   */
  final long expire(long now) {
    long deadline = at.get();
    if (deadline == IDLE || deadline == PASSED) {
      return NEVER;
    }
    if (deadline > now) {
      return deadline;
    }
    if (at.compareAndSet(deadline, PASSED)) {
      abort();
    }
    return NEVER; // the next call's deadline is told by whoever arms it
  }

  /** Closes the connection under a thread that reads, writes or connects. Must not block. */
  abstract void abort();
}
