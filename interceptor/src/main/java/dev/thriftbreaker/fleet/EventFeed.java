package dev.thriftbreaker.fleet;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The one thread that receives the fleet's events. It hands them on and does nothing else; whenever
 * it cannot be sure that it heard all of them, the worker is told to read everything. {@link
 * #retryNow}, {@link #stop}, {@link #subscribed()} and {@link #events} are safe from any thread.
 */
final class EventFeed implements Runnable, StateStore.Events {

  /** How long a subscription lasts that counts as a success. */
  private static final long LIVES_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static final int FAILURES_IN_A_ROW = 5;
  private static final String NO_EVENTS = "no events";

  private final StateStore store;
  private final String namespace;
  private final SyncWorker worker;
  private final LinkHealth health;
  private final Alarms alarms;
  private final AtomicLong events = new AtomicLong();
  private final Retry retry = new Retry();

  // the feed's own
  private long subscribedAtNanos;
  private int failuresInARow;

  private volatile Thread thread;
  private volatile boolean subscribed;
  private volatile boolean hurry;
  private volatile boolean stopped;

  EventFeed(
      StateStore store, String namespace, SyncWorker worker, LinkHealth health, Alarms alarms) {
    this.store = store;
    this.namespace = namespace;
    this.worker = worker;
    this.health = health;
    this.alarms = alarms;
  }

  /** The store answers again. */
  void retryNow() {
    hurry = true;
    LockSupport.unpark(thread);
  }

  void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  boolean isSubscribed() {
    return subscribed;
  }

  long events() {
    return events.get();
  }

  @Override
  public void run() {
    thread = Thread.currentThread();
    while (!stopped) {
      long waitMillis;
      hurry = false; // before the try, so that a wish that comes meanwhile is not missed
      try {
        store.subscribe(namespace, this);
        waitMillis = retry.failedMillis();
      } catch (StoreException e) {
        waitMillis = lost(e);
      } catch (RuntimeException | Error unexpected) {
        alarms.raise("defect", "unexpected: " + unexpected);
        waitMillis = retry.slowMillis();
      }
      subscribed = false;
      pause(waitMillis);
    }
  }

  private long lost(StoreException failure) {
    if (stopped) {
      return 0;
    }
    if (subscribed) {
      worker.readSoon(); // is the store gone, or only the subscription?
    }
    health.complain("subscription: " + failure.getMessage());
    // where the store is gone too, the state of the link says so
    failuresInARow = health.state() == LinkStatus.State.UP ? failuresInARow + 1 : 0;
    if (failure.kind() != StoreException.Kind.DENIED) {
      if (failuresInARow >= FAILURES_IN_A_ROW) {
        alarms.raise(NO_EVENTS, "events of the fleet are not received: " + failure.getMessage());
      }
      return retry.failedMillis();
    }
    alarms.raise("subscription denied", "no permission to subscribe: " + failure.getMessage());
    return retry.slowMillis();
  }

  private void pause(long millis) {
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (!stopped && !hurry) {
      long left = until - System.nanoTime();
      if (left <= 0) {
        return;
      }
      LockSupport.parkNanos(this, left);
    }
  }

  // ---- what the store tells

  @Override
  public void subscribed() {
    subscribed = true;
    subscribedAtNanos = System.nanoTime();
    alarms.clear("subscription denied");
    health.heard();
    worker.readSoon(); // what happened before was not heard
  }

  @Override
  public void alive() {
    health.heard();
    if (subscribed && System.nanoTime() - subscribedAtNanos >= LIVES_NANOS) {
      retry.succeeded();
      failuresInARow = 0;
      alarms.clear(NO_EVENTS);
    }
  }

  @Override
  public void state(String dependency, FleetState state) {
    count();
    SyncedBreaker breaker = worker.breaker(dependency);
    if (breaker != null) { // other servers of the fleet may have other dependencies
      breaker.heard(state);
    }
  }

  @Override
  public void override(String dependency, FleetOverride override) {
    count();
    SyncedBreaker breaker = worker.breaker(dependency);
    if (breaker != null) {
      breaker.heard(override);
    }
  }

  @Override
  public void unreadable(String dependency, String problem) {
    count();
    // names that nobody here knows must not make ever more subjects
    String subject = worker.breaker(dependency) == null ? "" : dependency + " ";
    alarms.raise(
        subject + "unreadable event",
        "an event is ignored: " + (dependency.isEmpty() ? "" : dependency + ": ") + problem);
    worker.readSoon();
  }

  private void count() {
    events.incrementAndGet();
    health.heard();
  }
}
