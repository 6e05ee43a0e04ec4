package dev.thriftbreaker.breaker;

/**
 * Tells time in which this JVM ran from time in which it stood still: stopped by a signal, in a
 * long collection of garbage, on a machine that was suspended. A dependency is not to blame for
 * that. The one that beats does little else, so a beat that is late by far means that nobody ran.
 *
 * <p>Concurrency: one thread beats, any may ask.
 */
final class Heartbeat {

  /** Never stands still: for clocks that only a test moves. */
  static final Heartbeat STEADY = new Heartbeat();

  /** A beat later than this means that the JVM stood still. */
  private static final long LATE_NANOS = 100_000_000;

  private record Beat(long atNanos, long nextNanos, boolean stopped, long resumedNanos) {}

  private volatile Beat last;

  /** Beats, and says when the next one is due. */
  void beat(long now, long periodNanos) {
    Beat before = last;
    boolean late = before != null && isLate(before, now);
    last =
        new Beat(
            now,
            now + periodNanos,
            late || before != null && before.stopped,
            late || before == null ? now : before.resumedNanos);
  }

  private static boolean isLate(Beat beat, long now) {
    return now - beat.nextNanos > LATE_NANOS;
  }

  /** How much of the time up to now counts: what has passed since the JVM last stood still. */
  long runningNanos(long fromNanos, long now) {
    Beat beat = last;
    long since = now - fromNanos;
    if (beat == null) {
      return since;
    }
    if (isLate(beat, now)) {
      return 0; // it has just woken up, and the next beat is still to come
    }
    return beat.stopped ? Math.min(since, now - beat.resumedNanos) : since;
  }
}
