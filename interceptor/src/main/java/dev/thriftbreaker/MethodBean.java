package dev.thriftbreaker;

import dev.thriftbreaker.breaker.LatencyHistogram;
import dev.thriftbreaker.management.Latency;
import dev.thriftbreaker.management.MethodMXBean;
import java.util.Collection;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The operator's view of one method.
 *
 * @param name the method
 * @param requires the dependencies without which its requests are shed
 * @param requests requests whose header was read
 * @param successes requests that ended normally
 * @param failures requests whose handler or transport failed
 * @param sheds requests shed at the door
 * @param contained failures of a dependency's transport answered instead of closing the connection
 * @param fallbacks requests given to a fallback processor
 * @param inFlight requests under way
 * @param latency how long requests took lately
 */
record MethodBean(
    String name,
    Collection<String> requires,
    LongSupplier requests,
    LongSupplier successes,
    LongSupplier failures,
    LongSupplier sheds,
    LongSupplier contained,
    LongSupplier fallbacks,
    LongSupplier inFlight,
    Supplier<LatencyHistogram.Summary> latency)
    implements MethodMXBean {

  @Override
  public String getName() {
    return name;
  }

  @Override
  public String[] getRequires() {
    return requires.toArray(String[]::new);
  }

  @Override
  public long getRequestCount() {
    return requests.getAsLong();
  }

  @Override
  public long getSuccessCount() {
    return successes.getAsLong();
  }

  @Override
  public long getFailureCount() {
    return failures.getAsLong();
  }

  @Override
  public long getShedCount() {
    return sheds.getAsLong();
  }

  @Override
  public long getContainedCount() {
    return contained.getAsLong();
  }

  @Override
  public long getFallbackCount() {
    return fallbacks.getAsLong();
  }

  @Override
  public long getInFlight() {
    return inFlight.getAsLong();
  }

  @Override
  public Latency getLatency() {
    return Latency.of(latency.get());
  }
}
