package dev.thriftbreaker.breaker;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two threads behind the breakers of one server: one ticks them, one tells their listeners.
 * They are apart so that a listener that blocks stops no clock. Both are daemons and end with
 * {@link #close()}.
 */
public final class Housekeeper implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Housekeeper.class);
  private static final long END_MILLIS = 1_000;
  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final List<CircuitBreaker> breakers = new CopyOnWriteArrayList<>();
  private final Thread ticker;
  private final Thread teller;
  private volatile boolean closed;

  /**
   * Starts the threads.
   *
   * @param server the server's name, for the names of the threads
   */
  public Housekeeper(String server) {
    ticker =
        new Thread(() -> loop(CircuitBreaker::tick, TICK_NANOS), "thrift-breaker-tick-" + server);
    // woken by each transition; the long period is only a safety net
    teller =
        new Thread(
            () -> loop(CircuitBreaker::dispatch, 20 * TICK_NANOS),
            "thrift-breaker-events-" + server);
    ticker.setDaemon(true);
    teller.setDaemon(true);
    ticker.start();
    teller.start();
  }

  /**
   * Makes a breaker on the system's clock and looks after it.
   *
   * @param name the dependency's name
   * @param config its settings
   * @return the breaker
   */
  public CircuitBreaker breaker(String name, BreakerConfig config) {
    CircuitBreaker breaker = new CircuitBreaker(name, config, () -> LockSupport.unpark(teller));
    breakers.add(breaker);
    return breaker;
  }

  private void loop(Consumer<CircuitBreaker> work, long periodNanos) {
    while (true) {
      boolean last = closed;
      for (CircuitBreaker breaker : breakers) {
        try {
          work.accept(breaker);
        } catch (Throwable broken) {
          log.error("Housekeeping of breaker {} failed", breaker.name(), broken);
        }
      }
      if (last) {
        return;
      }
      Thread.interrupted(); // a listener's; with the flag set there is no parking
      LockSupport.parkNanos(this, periodNanos);
    }
  }

  /**
   * Ends both threads, after the listeners have heard of what happened before; waits for that at
   * most a second. A listener that blocks for longer is left behind on its thread.
   */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(ticker);
    LockSupport.unpark(teller);
    try {
      // the ticker runs nobody else's code and ends at once
      ticker.join(END_MILLIS / 2);
      teller.join(END_MILLIS / 2);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
