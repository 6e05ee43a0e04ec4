package dev.thriftbreaker.management;

import java.time.Clock;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

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
  private final LongSupplier nanoClock;
  private volatile long distanceNanos;

  WallTime(Clock wallClock, LongSupplier nanoClock) {
    this.wallClock = wallClock;
    this.nanoClock = nanoClock;
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
    return wall.getEpochSecond() * 1_000_000_000L + wall.getNano() - nanoClock.getAsLong();
  }
}
