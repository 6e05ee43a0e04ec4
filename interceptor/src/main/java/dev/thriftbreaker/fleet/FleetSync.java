package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.PlainName;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Keeps the breakers of one server and the fleet's store in agreement: what a breaker decides is
 * written, what others decided is applied, operators' decisions hold for all and outlive restarts.
 *
 * <p>Breakers never wait for it. While the store is away they go on with their own evidence; when
 * it is back, everything is read before anything is written.
 *
 * <p><b>Concurrency.</b> Two daemon threads: {@link SyncWorker} does all I/O but the subscription,
 * {@link EventFeed} does that. They and the listeners of the breakers share nothing but the latest
 * news of each breaker ({@link SyncedBreaker}), the health of the link and the alarms. All public
 * methods are thread-safe; {@link #override}, {@link #release} and {@link #close} wait a bounded
 * time, the others never.
 */
public final class FleetSync implements AutoCloseable {

  private static final Duration LONGEST_OVERRIDE = Duration.ofDays(1);
  private static final long OPERATOR_WAIT_MILLIS = 2_000;
  private static final long FLUSH_WAIT_MILLIS = 600;
  private static final long END_WAIT_MILLIS = 1_000;

  private final StateStore store;
  private final String namespace;
  private final String instance;
  private final String session =
      Long.toHexString(ThreadLocalRandom.current().nextLong() | 1L << 63);
  private final AtomicLong overrides = new AtomicLong();
  private final Alarms alarms = new Alarms();
  private final LinkHealth health;
  private final SyncWorker worker;
  private final EventFeed feed;
  private final Thread workerThread;
  private final Thread feedThread;
  private final Object lifecycle = new Object();
  private boolean started;
  private boolean closed;

  /**
   * Makes one, which listens to the breakers from now on and does nothing else before {@link
   * #start()}.
   *
   * @param store where the fleet keeps its state; closed with this
   * @param namespace the namespace of the fleet's keys: letters, digits and {@code . _ : -}, at
   *     most 100
   * @param instance the name of this instance in the fleet, for people to read
   * @param breakers the breakers to keep in agreement
   * @throws IllegalArgumentException if the namespace is none, or the instance is blank
   */
  public FleetSync(
      StateStore store, String namespace, String instance, Collection<CircuitBreaker> breakers) {
    this(store, namespace, instance, breakers, System::currentTimeMillis);
  }

  FleetSync(
      StateStore store,
      String namespace,
      String instance,
      Collection<CircuitBreaker> breakers,
      LongSupplier wallMillis) {
    if (!PlainName.is(namespace, "._:-", 100)) {
      throw new IllegalArgumentException(
          "namespace: " + namespace + " (expected: 1 to 100 letters, digits and . _ : -)");
    }
    if (instance.isBlank()) {
      throw new IllegalArgumentException("instance: '" + instance + "' (expected: a name)");
    }
    this.store = Objects.requireNonNull(store, "store");
    this.namespace = namespace;
    health = new LinkHealth(System::nanoTime, wallMillis);
    worker = new SyncWorker(store, namespace, instance, health, alarms, this::onRecovery);
    feed = new EventFeed(store, namespace, worker, health, alarms);
    this.instance = instance;
    for (CircuitBreaker breaker : breakers) {
      add(breaker);
    }
    workerThread = new Thread(worker, "thrift-breaker-redis-sync-" + instance);
    feedThread = new Thread(feed, "thrift-breaker-redis-events-" + instance);
    workerThread.setDaemon(true);
    feedThread.setDaemon(true);
  }

  /**
   * Keeps one more breaker in agreement from now on. Any thread, before or after {@link #start()}.
   *
   * @param breaker one whose name is new to this
   */
  public void add(CircuitBreaker breaker) {
    SyncedBreaker synced = new SyncedBreaker(breaker, instance, session, alarms, worker::wake);
    worker.add(synced);
    breaker.addListener(synced);
  }

  private void onRecovery() {
    feed.retryNow();
  }

  /**
   * Starts the threads. Returns at once, whether the store can be reached or not. What the fleet
   * knows is applied as soon as it was read. Does nothing if started or closed already.
   */
  public void start() {
    synchronized (lifecycle) {
      if (!started && !closed) {
        started = true;
        workerThread.start();
        feedThread.start();
      }
    }
  }

  /**
   * How the link is. Does no I/O.
   *
   * @return a view of this moment
   */
  public LinkStatus status() {
    return new LinkStatus(
        store.address(),
        namespace,
        health.state(),
        feed.isSubscribed(),
        health.successWallMillis(),
        health.lastError(),
        health.errorWallMillis(),
        health.errors(),
        worker.writes(),
        feed.events(),
        worker.reconciles(),
        worker.repairs(),
        worker.pendingWrites(),
        alarms.list());
  }

  /**
   * Puts an override in force on every instance of the fleet, this one included. Waits at most 2 s
   * for the store to have it. When this returns, it is stored and in force here.
   *
   * @param dependency whose breaker
   * @param mode FORCED_OPEN, FORCED_CLOSED or SHADOW
   * @param howLong until it expires, 1 ms to 1 day
   * @param by who decided
   * @param reason why
   * @throws IllegalArgumentException if an argument is out of range or there is no such breaker
   * @throws IllegalStateException if it was not stored, or somebody decided otherwise at once, or
   *     that is not known; the message says which
   */
  public void override(String dependency, Mode mode, Duration howLong, String by, String reason) {
    if (mode == null || mode == Mode.AUTO) {
      throw new IllegalArgumentException(
          "mode: " + mode + " (expected: FORCED_OPEN, FORCED_CLOSED or SHADOW)");
    }
    if (howLong.toMillis() < 1 || howLong.compareTo(LONGEST_OVERRIDE) > 0) {
      throw new IllegalArgumentException(
          "howLong: " + howLong + " (expected: a duration from 1 ms to 1 day)");
    }
    decide(dependency, mode, howLong.toMillis(), by, reason);
  }

  /**
   * Ends the fleet's override on every instance. Waits at most 2 s for the store to have it.
   *
   * @param dependency whose breaker
   * @param by who decided
   * @param reason why
   * @throws IllegalArgumentException if there is no such breaker
   * @throws IllegalStateException if it was not stored, or somebody decided otherwise at once, or
   *     that is not known; the message says which
   */
  public void release(String dependency, String by, String reason) {
    decide(dependency, Mode.AUTO, 0, by, reason);
  }

  private void decide(String dependency, Mode mode, long lastsMillis, String by, String reason) {
    breaker(dependency);
    Objects.requireNonNull(by, "by");
    Objects.requireNonNull(reason, "reason");
    synchronized (lifecycle) {
      if (!started || closed) {
        throw new IllegalStateException(dependency + ": nothing changed: not running");
      }
    }
    String id = session + "-o" + overrides.incrementAndGet();
    OverrideRequest request = new OverrideRequest(dependency, id, mode, lastsMillis, by, reason);
    if (!worker.submit(request)) {
      throw new IllegalStateException(
          dependency + ": nothing changed: too many decisions are waiting for the fleet's store");
    }
    request.await(OPERATOR_WAIT_MILLIS);
  }

  /**
   * The epoch of the fleet's state of a breaker, as this instance knows it.
   *
   * @param dependency whose breaker
   * @return a number that rises with each change; 0 if the fleet has no state of it
   * @throws IllegalArgumentException if there is no such breaker
   */
  public long epoch(String dependency) {
    return breaker(dependency).epoch();
  }

  private SyncedBreaker breaker(String dependency) {
    SyncedBreaker breaker = worker.breaker(dependency);
    if (breaker == null) {
      throw new IllegalArgumentException(
          "dependency: " + dependency + " (expected: one of " + worker.names() + ")");
    }
    return breaker;
  }

  /**
   * Writes what is not yet written, for at most half a second and only if the store answers, ends
   * the threads and closes the store. Waits at most 2 s, whatever state the store is in.
   */
  @Override
  public void close() {
    synchronized (lifecycle) {
      if (closed) {
        return;
      }
      closed = true;
    }
    boolean interrupted = false;
    worker.stop();
    feed.stop();
    interrupted |= join(workerThread, FLUSH_WAIT_MILLIS);
    health.close();
    store.close();
    interrupted |= join(workerThread, END_WAIT_MILLIS);
    interrupted |= join(feedThread, END_WAIT_MILLIS / 3);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean join(Thread thread, long millis) {
    try {
      thread.join(millis);
      return false;
    } catch (InterruptedException e) {
      return true;
    }
  }
}
