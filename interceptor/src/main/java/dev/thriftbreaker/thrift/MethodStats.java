package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.LatencyHistogram;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * What became of the requests of one method. Counters only grow. Any number of threads count and
 * read at once; a reader sees each counter at a moment of its own.
 */
public final class MethodStats {

  private final String name;
  private final Requirements requirements;
  private final LongSupplier nanoClock;
  private final LongAdder begun = new LongAdder();
  private final LongAdder successes = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder sheds = new LongAdder();
  private final LongAdder contained = new LongAdder();
  private final LongAdder fallbacks = new LongAdder();
  private final LatencyHistogram latency = new LatencyHistogram();

  MethodStats(String name, Requirements requirements, LongSupplier nanoClock) {
    this.name = name;
    this.requirements = requirements;
    this.nanoClock = nanoClock;
  }

  /** A request is let in, or given to a fallback. */
  void countBegun() {
    begun.increment();
  }

  /** A request is not let in. */
  void countShed() {
    sheds.increment();
  }

  void countFallback() {
    fallbacks.increment();
  }

  void countContained() {
    contained.increment();
  }

  void countEnded(boolean succeeded, long startNanos, long endNanos) {
    latency.record(endNanos - startNanos, endNanos);
    (succeeded ? successes : failures).increment();
  }

  /**
   * The method's name; of a service that shares its server with others {@code Service.method}.
   *
   * @return letters, digits, {@code _}, {@code .} and {@code -} only; {@code unknown} for all
   *     requests of methods that the server does not have
   */
  public String name() {
    return name;
  }

  /**
   * The dependencies while any of which refuses calls the requests are shed.
   *
   * @return their names now, those declared first, in that order; unmodifiable
   */
  public List<String> requires() {
    return requirements.inForce();
  }

  /**
   * What the method needs, and why.
   *
   * @return the requirements, which change as requests teach them
   */
  public Requirements requirements() {
    return requirements;
  }

  /**
   * Requests whose header was read.
   *
   * @return the number since the start
   */
  public long requests() {
    return begun.sum() + sheds.sum();
  }

  /**
   * Requests that ended well: with a result or with an exception that the IDL declares. A oneway
   * request whose handler failed is one too, as generated code keeps the failure to itself; one to
   * an asynchronous processor ends when the handler's method returns, whatever comes later.
   *
   * @return the number since the start
   */
  public long successes() {
    return successes.sum();
  }

  /**
   * Requests that were answered with a TApplicationException or not at all, those that were shed
   * apart.
   *
   * @return the number since the start
   */
  public long failures() {
    return failures.sum();
  }

  /**
   * Requests shed; those that a fallback processor was given instead are not among them.
   *
   * @return the number since the start
   */
  public long sheds() {
    return sheds.sum();
  }

  /**
   * Failures among {@link #failures()} that were answered where a bare server would have closed the
   * caller's connection.
   *
   * @return the number since the start
   */
  public long contained() {
    return contained.sum();
  }

  /**
   * Requests given to a fallback processor because a breaker refused. How they ended is counted as
   * if the server's own processor had served them.
   *
   * @return the number since the start
   */
  public long fallbacks() {
    return fallbacks.sum();
  }

  /**
   * Requests under way. One that the handler of an asynchronous processor never answers stays so.
   *
   * @return the number now
   */
  public long inFlight() {
    long ended = successes.sum() + failures.sum();
    return begun.sum() - ended;
  }

  /**
   * How long requests took lately, from the header read to the reply written; those that were shed
   * are not among them.
   *
   * @return the summary, in nanoseconds
   */
  public LatencyHistogram.Summary latency() {
    return latency.summary(nanoClock.getAsLong());
  }
}
