package dev.thriftbreaker.management;

import com.codahale.metrics.Counter;
import java.util.function.LongSupplier;

/** A Dropwizard counter that reads a number which is counted elsewhere and only rises. */
final class CounterView extends Counter {

  private final LongSupplier value;

  CounterView(LongSupplier value) {
    this.value = value;
  }

  @Override
  public long getCount() {
    return value.getAsLong();
  }

  @Override
  public void inc(long n) {
    throw new UnsupportedOperationException("read-only");
  }

  @Override
  public void dec(long n) {
    throw new UnsupportedOperationException("read-only");
  }
}
