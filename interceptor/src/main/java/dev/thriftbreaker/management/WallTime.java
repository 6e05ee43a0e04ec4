package dev.thriftbreaker.management;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.time.Clock;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.concurrent.TimeUnit;

/**
 * Turns the nanoseconds of a breaker's clock into the time of day.
 *
 * <p>The distance between the two clocks is kept, so that the same moment reads the same each time;
 * it is taken anew once they have drifted apart, as after somebody set the time of day. Any thread
 * may ask; the one field is volatile, and a race only takes the distance twice.
 */
final class WallTime {

  /** Made when somebody reads a time: its classes take some milliseconds to load. */
  private static final class Iso {
    static final DateTimeFormatter FORMAT =
        new DateTimeFormatterBuilder().appendInstant(3).toFormatter();
  }

  private static final long TOLERANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Clock wallClock;
  private final CircuitBreaker breaker;
  private volatile long distanceNanos;

  WallTime(Clock wallClock, CircuitBreaker breaker) {
    this.wallClock = wallClock;
    this.breaker = breaker;
    this.distanceNanos = measure();
  }

  long millis(long nanos) {
    long measured = measure();
    if (Math.abs(measured - distanceNanos) > TOLERANCE_NANOS) {
      distanceNanos = measured;
    }
    return Math.floorDiv(nanos + distanceNanos, 1_000_000L);
  }

  String iso(long nanos) {
    return isoOfMillis(millis(nanos));
  }

  static String isoOfMillis(long wallMillis) {
    return Iso.FORMAT.format(Instant.ofEpochMilli(wallMillis));
  }

  private long measure() {
    Instant wall = wallClock.instant();
    return wall.getEpochSecond() * 1_000_000_000L + wall.getNano() - breaker.now();
  }
}
