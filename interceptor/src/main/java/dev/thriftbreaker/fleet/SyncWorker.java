package dev.thriftbreaker.fleet;

import dev.thriftbreaker.fleet.LinkStatus.State;
import dev.thriftbreaker.fleet.StateStore.Answer;
import dev.thriftbreaker.fleet.StateStore.Kept;
import dev.thriftbreaker.fleet.StateStore.OverrideChange;
import dev.thriftbreaker.fleet.StateStore.StateChange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that reads and writes the store. It looks at what the others left for it, does
 * that, and parks until somebody wakes it or something falls due.
 *
 * <p>Where breakers are many, they are read {@value #PART} at a time, and events, openings and
 * pings pass in between. After a failure it reads everything before it writes anything, so that
 * nothing goes out on stale knowledge. {@link #add}, {@link #wake}, {@link #readSoon}, {@link
 * #submit}, {@link #stop} and the counters are safe from any thread.
 */
final class SyncWorker implements Runnable {

  private static final Logger log = LoggerFactory.getLogger(FleetSync.class);

  private static final long PING_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
  private static final long RECONCILE_LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);
  private static final long RECONCILE_MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);

  /** So many are read as often as that; more, less often in proportion. */
  private static final int FEW_BREAKERS = 1_000;

  /** So many are read at once, for which everything else waits. */
  static final int PART = 500;

  private static final long FLUSH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final int MOST_REQUESTS = 16;
  private static final int MOST_TRIES = 3;

  private final StateStore store;
  private final String namespace;
  private final String instance;
  private final LinkHealth health;
  private final Alarms alarms;
  private final Runnable onRecovery;
  private final Map<String, SyncedBreaker> breakers = new ConcurrentHashMap<>();

  private final BlockingQueue<OverrideRequest> incoming = new ArrayBlockingQueue<>(MOST_REQUESTS);
  private final AtomicLong writes = new AtomicLong();
  private final AtomicLong reconciles = new AtomicLong();
  private final AtomicLong repairs = new AtomicLong();
  private volatile Thread thread;
  private volatile boolean readWanted = true;
  private volatile boolean stopped;

  // the worker's own
  private final Deque<OverrideRequest> requests = new ArrayDeque<>();

  /** What is still to be read of a reading that has begun, a part in each round. */
  private Iterator<List<SyncedBreaker>> unread = Collections.emptyIterator();

  private final Retry retry = new Retry();
  private final Retry writeRetry = new Retry();
  private State lastState = State.CONNECTING;
  private boolean failing = true;
  private long readAtNanos;
  private long retryAtNanos;
  private long writeAtNanos;
  private long pingAtNanos;

  /**
   * Makes one; run it on a thread of its own.
   *
   * @param onRecovery called when the store answers after a time in which it did not
   */
  SyncWorker(
      StateStore store,
      String namespace,
      String instance,
      LinkHealth health,
      Alarms alarms,
      Runnable onRecovery) {
    this.store = store;
    this.namespace = namespace;
    this.instance = instance;
    this.health = health;
    this.alarms = alarms;
    this.onRecovery = onRecovery;
  }

  /** At any time; what the fleet knows of it is read soon. */
  void add(SyncedBreaker breaker) {
    breakers.put(breaker.name(), breaker);
    readSoon();
  }

  /** The breaker of that dependency, or null. */
  SyncedBreaker breaker(String dependency) {
    return breakers.get(dependency);
  }

  void wake() {
    LockSupport.unpark(thread);
  }

  /** Something may have been missed. */
  void readSoon() {
    readWanted = true;
    wake();
  }

  /** False if there are too many of them. */
  boolean submit(OverrideRequest request) {
    boolean taken = incoming.offer(request);
    wake();
    if (stopped) {
      request.refused("closed");
    }
    return taken;
  }

  void stop() {
    stopped = true;
    wake();
  }

  long writes() {
    return writes.get();
  }

  long reconciles() {
    return reconciles.get();
  }

  long repairs() {
    return repairs.get();
  }

  int pendingWrites() {
    int pending = 0;
    for (SyncedBreaker breaker : breakers.values()) {
      pending += breaker.unwritten() ? 1 : 0;
    }
    return pending;
  }

  // ---- the loop

  @Override
  public void run() {
    thread = Thread.currentThread();
    long now = System.nanoTime();
    readAtNanos = retryAtNanos = writeAtNanos = pingAtNanos = now;
    while (!stopped) {
      try {
        round();
      } catch (RuntimeException | Error unexpected) {
        health.failed(unexpected.toString());
        alarms.raise("defect", "unexpected: " + unexpected);
        log.error("Fleet state: unexpected", unexpected);
        backOff(retry.slowMillis());
      }
      reportState();
      if (!stopped) {
        LockSupport.parkNanos(this, dueInNanos());
      }
    }
    flush();
    incoming.drainTo(requests);
    requests.forEach(request -> request.refused("closed"));
    reportState();
  }

  private void round() {
    ping();
    breakers.values().forEach(SyncedBreaker::mergeEvents);
    incoming.drainTo(requests);
    requests.removeIf(OverrideRequest::over);
    if (failing && requests.isEmpty() && System.nanoTime() - retryAtNanos < 0) {
      return;
    }
    try {
      if (failing || isReading() || readWanted || System.nanoTime() - readAtNanos >= 0) {
        readPart();
      }
      if (failing) {
        return; // until all is read
      }
      for (SyncedBreaker breaker : breakers.values()) {
        if (breaker.hasToWrite()) { // few have, of perhaps ten thousand
          repair(breaker);
          write(breaker);
        }
      }
      for (OverrideRequest request : requests) {
        override(request);
      }
    } catch (StoreException e) {
      failed(e);
    }
    requests.removeIf(OverrideRequest::over);
  }

  private boolean isReading() {
    return unread.hasNext();
  }

  /** Reads on, or begins to. What is urgent passes between two parts. */
  private void readPart() {
    if (!isReading()) {
      readWanted = false; // before the read, so that a wish that comes meanwhile is not missed
      unread = parts().iterator();
    }
    List<SyncedBreaker> part = unread.next();
    Map<String, Kept> all =
        store.readAll(namespace, part.stream().map(SyncedBreaker::name).toList());
    for (SyncedBreaker breaker : part) {
      Kept kept = all.get(breaker.name());
      breaker.merge(kept.state());
      breaker.mergeOverride(kept.override());
      breaker.enforceOverride();
      breaker.lookForChange();
    }
    if (!isReading()) {
      haveReadAll();
    }
  }

  private List<List<SyncedBreaker>> parts() {
    List<SyncedBreaker> all = List.copyOf(breakers.values());
    List<List<SyncedBreaker>> parts = new ArrayList<>();
    int from = 0;
    do {
      int to = Math.min(from + PART, all.size());
      parts.add(all.subList(from, to));
      from = to;
    } while (from < all.size());
    return parts;
  }

  private void haveReadAll() {
    boolean recovered = failing;
    failing = false;
    retry.succeeded();
    health.succeeded();
    alarms.clear("denied");
    double chance = ThreadLocalRandom.current().nextDouble();
    readAtNanos = System.nanoTime() + reconcileNanos(breakers.size(), chance);
    reconciles.incrementAndGet();
    if (breakers.values().stream().noneMatch(SyncedBreaker::hasToWrite)) {
      health.nothingToWrite();
    }
    if (recovered) {
      onRecovery.run();
      askForWarnings();
    }
  }

  /**
   * How long after everything was read it is read again, in case an event was missed.
   *
   * @param chance from 0 to 1, so that instances do not all read at once
   */
  static long reconcileNanos(int breakers, double chance) {
    double nanos = RECONCILE_LEAST_NANOS + chance * (RECONCILE_MOST_NANOS - RECONCILE_LEAST_NANOS);
    return (long) (nanos * Math.max(1, breakers / (double) FEW_BREAKERS));
  }

  private void askForWarnings() {
    try {
      store.warnings().forEach(warning -> alarms.raise(warning, warning));
    } catch (StoreException e) {
      health.complain(e.getMessage()); // it may not be asked; nothing depends on it
    }
  }

  private void repair(SyncedBreaker breaker) {
    if (!mayWrite(breaker)) {
      return;
    }
    try {
      int repaired = breaker.repair(store, namespace);
      if (repaired > 0) {
        repairs.addAndGet(repaired);
        wrote(breaker);
      }
    } catch (StoreException e) {
      if (!survives(e, breaker)) {
        throw e;
      }
      if (e.kind() == StoreException.Kind.BROKEN) {
        breaker.giveUpRepair();
      }
    }
  }

  private void write(SyncedBreaker breaker) {
    for (int tries = 0; breaker.unwritten() && mayWrite(breaker); tries++) {
      if (tries == MOST_TRIES) {
        writeAtNanos = System.nanoTime() + PING_NANOS; // whatever it is, do not spin
        return;
      }
      StateChange change = breaker.nextWrite();
      if (change == null) {
        return;
      }
      try {
        Answer<FleetState> answer = store.write(namespace, change);
        wrote(breaker);
        if (breaker.answered(answer)) {
          writes.incrementAndGet();
        }
      } catch (StoreException e) {
        if (!survives(e, breaker)) {
          throw e;
        }
        if (e.kind() == StoreException.Kind.BROKEN) {
          breaker.giveUpWrite();
        }
      }
    }
  }

  private void override(OverrideRequest request) {
    SyncedBreaker breaker = breakers.get(request.dependency);
    if (!request.send()) {
      return;
    }
    OverrideChange change =
        new OverrideChange(
            request.dependency,
            request.id,
            request.seenVersion(breaker.overrideVersion()),
            request.mode,
            request.lastsMillis,
            request.by,
            request.reason,
            instance);
    try {
      Answer<FleetOverride> answer = store.override(namespace, change);
      breaker.mergeOverride(answer.current());
      wrote(breaker);
      FleetOverride current = answer.current().value();
      String decided = " (" + breaker.overrideInWords() + ")";
      if (answer.accepted() && (current == null || current.isOf(request.id))) {
        request.stored();
      } else if (answer.accepted()) {
        request.failed("stored, but somebody decided otherwise since" + decided);
      } else if (current == null) {
        request.refused("the stored override cannot be used: " + answer.current().problem());
      } else {
        request.refused("somebody decided meanwhile" + decided);
      }
    } catch (StoreException e) {
      if (e.kind() == StoreException.Kind.UNREACHABLE) {
        request.unanswered();
      }
      if (!survives(e, breaker)) {
        throw e; // tried again until the operator gives up
      }
      request.refused(e.getMessage());
    }
  }

  private boolean mayWrite(SyncedBreaker breaker) {
    return System.nanoTime() - writeAtNanos >= 0 && breaker.heldNanos() <= 0;
  }

  private void wrote(SyncedBreaker breaker) {
    alarms.clear(breaker.name() + " writes denied");
    alarms.clear(breaker.name() + " broken");
    writeRetry.succeeded();
    health.wrote();
    health.succeeded();
  }

  /** Whether the link is all right although this one write failed. */
  private boolean survives(StoreException failure, SyncedBreaker breaker) {
    String words = failure.getMessage();
    if (failure.kind() == StoreException.Kind.READ_ONLY) {
      health.refusedWrite(words);
      writeAtNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(writeRetry.failedMillis());
      return true;
    }
    if (failure.kind() == StoreException.Kind.DENIED) {
      health.refusedWrite(words);
      String name = breaker.name();
      alarms.raise(name + " writes denied", name + ": no permission to write: " + words);
      breaker.holdWrites(TimeUnit.MILLISECONDS.toNanos(writeRetry.slowMillis()));
      return true;
    }
    if (failure.kind() == StoreException.Kind.BROKEN) {
      health.complain(words);
      alarms.raise(breaker.name() + " broken", breaker.name() + ": not written: " + words);
      return true;
    }
    return false;
  }

  private void failed(StoreException failure) {
    String words = failure.getMessage();
    health.failed(words);
    if (failure.kind() == StoreException.Kind.DENIED) {
      alarms.raise("denied", "no permission: " + words);
      backOff(retry.slowMillis());
    } else {
      backOff(retry.failedMillis());
    }
    if (health.state() == State.DEGRADED) {
      for (OverrideRequest request : requests) {
        if (!request.sent()) {
          request.refused("no link to the fleet's store: " + words);
        }
      }
    }
  }

  private void backOff(long millis) {
    unread = Collections.emptyIterator();
    failing = true;
    retryAtNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
  }

  private void ping() {
    if (System.nanoTime() - pingAtNanos >= 0) {
      pingAtNanos = System.nanoTime() + PING_NANOS;
      store.pingSubscription();
    }
  }

  private long dueInNanos() {
    long now = System.nanoTime();
    long due = pingAtNanos - now;
    if (failing) {
      return Math.max(1, Math.min(due, retryAtNanos - now));
    }
    if (readWanted || isReading()) {
      return 1;
    }
    due = Math.min(due, readAtNanos - now);
    for (SyncedBreaker breaker : breakers.values()) {
      if (!breaker.hasToWrite()) {
        continue;
      }
      long held = Math.max(writeAtNanos - now, breaker.heldNanos());
      long repair = breaker.repairInNanos();
      long write = breaker.unwritten() ? 0 : Long.MAX_VALUE;
      due = Math.min(due, Math.max(held, Math.min(repair, write)));
    }
    return Math.max(1, due);
  }

  private void reportState() {
    State state = health.state();
    if (state != lastState) {
      if (state == State.DEGRADED) {
        log.warn("Fleet state: link to {} is {}: {}", store.address(), state, health.lastError());
      } else {
        log.info("Fleet state: link to {} is {}", store.address(), state);
      }
      lastState = state;
    }
  }

  // ---- the end

  /** Writes what is still unwritten, if the link was well. */
  private void flush() {
    long until = System.nanoTime() + FLUSH_NANOS;
    try {
      for (SyncedBreaker breaker : breakers.values()) {
        if (failing || System.nanoTime() - until >= 0) {
          return;
        }
        breaker.lookForChange();
        write(breaker);
      }
    } catch (RuntimeException e) {
      health.complain(String.valueOf(e.getMessage()));
    }
  }

  List<String> names() {
    return List.copyOf(breakers.keySet());
  }
}
