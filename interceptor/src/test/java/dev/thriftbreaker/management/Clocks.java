package dev.thriftbreaker.management;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Both clocks of a test, moved by hand: the breaker's nanoseconds and the time of day. */
final class Clocks extends Clock {

  static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000_000_000L);
  private final AtomicLong wallNanos = new AtomicLong();

  LongSupplier nanoClock() {
    return nanos::get;
  }

  void advance(Duration time) {
    nanos.addAndGet(time.toNanos());
    wallNanos.addAndGet(time.toNanos());
  }

  void setTimeOfDay(Duration later) {
    wallNanos.addAndGet(later.toNanos());
  }

  @Override
  public Instant instant() {
    return START.plusNanos(wallNanos.get());
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }
}
