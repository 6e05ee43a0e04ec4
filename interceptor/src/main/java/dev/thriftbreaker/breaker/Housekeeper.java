package dev.thriftbreaker.breaker;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two threads behind the breakers of one server: one ticks them, one tells their listeners.
 * They are apart so that a listener that blocks stops no clock. Both are daemons and end with
 * {@link #close()}.
 *
 * <p>A breaker that nobody calls rests: it is ticked every few seconds only, until something
 * happens to it. So thousands of breakers cost no more than those that are in use.
 */
public final class Housekeeper implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Housekeeper.class);
  private static final long END_MILLIS = 1_000;
  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long SHORTEST_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long TICK_ALL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final List<CircuitBreaker> breakers = new CopyOnWriteArrayList<>();
  private final Woken woken = new Woken();
  private final Heartbeat heartbeat = new Heartbeat();
  private final Workers workers;
  private final LongSupplier clock;
  private final CoarseClock coarseClock;
  private final Thread ticker;
  private final Thread teller;
  private volatile boolean closed;

  /**
   * Makes one; its breakers are looked after from {@link #start()} on.
   *
   * @param server the server's name, for the names of the threads
   * @param workers the threads that serve the server's requests
   * @param coarse whether the breakers' clock is one that a third thread moves once a millisecond,
   *     in place of {@code System.nanoTime}
   */
  public Housekeeper(String server, Workers workers, boolean coarse) {
    this.workers = workers;
    coarseClock = coarse ? new CoarseClock(server) : null;
    clock = coarse ? coarseClock : System::nanoTime;
    ticker = new Thread(this::tick, "thrift-breaker-tick-" + server);
    teller = new Thread(this::tell, "thrift-breaker-events-" + server);
    ticker.setDaemon(true);
    teller.setDaemon(true);
  }

  /** Starts the threads. Once. */
  public void start() {
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
    return breaker(name, config, workers);
  }

  /**
   * The same for something that is no dependency and gets no share of the server's threads: a
   * method of the server's own.
   *
   * @param name the breaker's name
   * @param config its settings
   * @return the breaker
   */
  public CircuitBreaker breakerWithoutShare(String name, BreakerConfig config) {
    return breaker(name, config, Workers.NONE);
  }

  private CircuitBreaker breaker(String name, BreakerConfig config, Workers share) {
    CircuitBreaker breaker =
        new CircuitBreaker(
            name,
            config,
            clock,
            () -> ThreadLocalRandom.current().nextDouble(),
            () -> LockSupport.unpark(teller),
            woken::add,
            share,
            heartbeat);
    breakers.add(breaker);
    woken.add(breaker);
    return breaker;
  }

  private void tick() {
    List<CircuitBreaker> awake = new ArrayList<>();
    long lookedNanos = System.nanoTime() - LOOK_NANOS; // a number that is told holds at once
    long tickedAllNanos = lookedNanos;
    long period = TICK_NANOS;
    boolean goesOn;
    do {
      goesOn = !closed;
      long now = System.nanoTime();
      heartbeat.beat(now, period);
      if (now - lookedNanos >= LOOK_NANOS) {
        lookedNanos = now;
        look();
        period = periodNanos();
      }
      int before = awake.size();
      woken.drainTo(awake::add);
      for (CircuitBreaker fresh : awake.subList(before, awake.size())) {
        period = Math.min(period, periodNanos(fresh));
      }
      if (now - tickedAllNanos >= TICK_ALL_NANOS) {
        tickedAllNanos = now;
        breakers.forEach(breaker -> tend(breaker, CircuitBreaker::tick));
      }
      awake.removeIf(this::tickAndRest);
      pause(period);
    } while (goesOn);
  }

  /** Woken by each transition; the long period is only a safety net. */
  private void tell() {
    try {
      Rehearsal.once();
    } catch (RuntimeException | Error broken) { // it only saves time; the thread has to go on
      log.warn("The first opening of a breaker could not be rehearsed", broken);
    }
    boolean goesOn;
    do {
      goesOn = !closed;
      breakers.forEach(breaker -> tend(breaker, CircuitBreaker::dispatch));
      pause(20 * TICK_NANOS);
    } while (goesOn);
  }

  private boolean tickAndRest(CircuitBreaker breaker) {
    boolean[] rests = {false};
    tend(
        breaker,
        ticked -> {
          ticked.tick();
          rests[0] = ticked.rest();
        });
    return rests[0];
  }

  /** Often enough to see a hung call soon after it has become slow. */
  private long periodNanos() {
    long period = TICK_NANOS;
    for (CircuitBreaker breaker : breakers) {
      period = Math.min(period, periodNanos(breaker));
    }
    return period;
  }

  private static long periodNanos(CircuitBreaker breaker) {
    return Math.max(SHORTEST_TICK_NANOS, Math.min(TICK_NANOS, breaker.slowNanos() / 8));
  }

  private void look() {
    try {
      workers.look();
    } catch (Throwable broken) { // whoever tells the number is somebody else's code
      log.error("The number of the server's threads could not be found out", broken);
    }
  }

  private static void tend(CircuitBreaker breaker, Consumer<CircuitBreaker> work) {
    try {
      work.accept(breaker);
    } catch (Throwable broken) {
      log.error("Housekeeping of breaker {} failed", breaker.name(), broken);
    }
  }

  private void pause(long nanos) {
    if (!closed) {
      Thread.interrupted(); // a listener's; with the flag set there is no parking
      LockSupport.parkNanos(this, nanos);
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
    if (coarseClock != null) {
      coarseClock.close();
    }
  }
}
