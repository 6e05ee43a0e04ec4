package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Cause;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.breaker.TransitionListener;
import dev.thriftbreaker.fleet.MergeRule.Verdict;
import dev.thriftbreaker.fleet.StateStore.StateChange;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One breaker and what this instance knows of the fleet's state of it.
 *
 * <p>Other threads leave news here, of which only the latest is kept: a local change ({@link
 * #onTransition}), an event of the fleet ({@link #heard(FleetState)}, {@link
 * #heard(FleetOverride)}). They, {@link #epoch} and {@link #unwritten} are safe from any thread;
 * everything else belongs to the worker.
 */
final class SyncedBreaker implements TransitionListener {

  private static final long REPAIR_SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** One period in one state of the breaker. */
  private record Period(BreakerState state, long sinceNanos, long opened) {
    static Period of(BreakerSnapshot snapshot) {
      return new Period(snapshot.state(), snapshot.sinceNanos(), snapshot.opened());
    }
  }

  /** Something of the fleet's and when it came, on the breaker's clock. */
  private record Received<T>(T value, long atNanos) {}

  /** A period on its way to the store; every try bears the same request. */
  private record Write(String request, Period period) {}

  private final CircuitBreaker breaker;
  private final String instance;
  private final String session;
  private final Alarms alarms;
  private final Runnable wake;

  private final AtomicReference<Received<FleetState>> stateEvent = new AtomicReference<>();
  private final AtomicReference<Received<FleetOverride>> overrideEvent = new AtomicReference<>();
  private volatile Transition lastOwn;
  private volatile boolean changed;
  private volatile long epoch;

  private Received<FleetState> known;
  private Received<FleetOverride> knownOverride;
  private boolean repairWanted;
  private boolean overrideRepairWanted;

  /** Means nothing unless something is wanted. */
  private long repairAtNanos;

  /** The latest own period that needs no writing (any more). */
  private Period settled;

  private Write write;
  private long writes;
  private long writeAtNanos = System.nanoTime();

  /**
   * Makes one.
   *
   * @param session begins the name of every request, and of no other instance's or run's
   * @param wake wakes the worker
   */
  SyncedBreaker(
      CircuitBreaker breaker, String instance, String session, Alarms alarms, Runnable wake) {
    this.breaker = breaker;
    this.instance = instance;
    this.session = session + "-";
    this.alarms = alarms;
    this.wake = wake;
    BreakerSnapshot snapshot = breaker.snapshot();
    if (snapshot.sequence() == 0) {
      settled = Period.of(snapshot); // as built: nobody decided that
    } else {
      changed = true;
    }
  }

  String name() {
    return breaker.name();
  }

  /** The fleet's epoch as known here, 0 if none. */
  long epoch() {
    return epoch;
  }

  /** Whether an own change is not stored yet. */
  boolean unwritten() {
    return changed;
  }

  // ---- news, from other threads

  @Override
  public void onTransition(Transition transition) {
    // overrides of the fleet come in by FleetSync, and what the fleet decided is not written again
    if (transition.stateChanged() && transition.cause() != Cause.REMOTE) {
      lastOwn = transition;
      changed = true;
      wake.run();
    }
  }

  void heard(FleetState state) {
    Received<FleetState> news = new Received<>(state, breaker.now());
    stateEvent.accumulateAndGet(
        news, (old, now) -> old != null && old.value.epoch() >= now.value.epoch() ? old : now);
    wake.run();
  }

  void heard(FleetOverride override) {
    Received<FleetOverride> news = new Received<>(override, breaker.now());
    overrideEvent.accumulateAndGet(
        news, (old, now) -> old != null && old.value.version() >= now.value.version() ? old : now);
    wake.run();
  }

  // ---- merging

  /** Merges what was heard since the last time. */
  void mergeEvents() {
    if (stateEvent.get() != null) { // mostly not: a look is cheaper than an exchange
      merge(stateEvent.getAndSet(null), false);
    }
    if (overrideEvent.get() != null) {
      mergeOverride(overrideEvent.getAndSet(null), false);
    }
  }

  /** Merges what was just read from the store. */
  void merge(Reading<FleetState> reading) {
    if (sound(reading, "state")) {
      merge(new Received<>(reading.value(), breaker.now()), true);
    } else if (!reading.foreign() && known != null) {
      wantRepair(true, overrideRepairWanted);
    }
  }

  /** Merges what was just read from the store. */
  void mergeOverride(Reading<FleetOverride> reading) {
    if (sound(reading, "override")) {
      mergeOverride(new Received<>(reading.value(), breaker.now()), true);
    } else if (!reading.foreign() && knownOverride != null) {
      wantRepair(repairWanted, true);
    }
  }

  private boolean sound(Reading<?> reading, String what) {
    String subject = name() + " unreadable " + what;
    if (reading.problem() == null) {
      alarms.clear(subject);
      return true;
    }
    alarms.raise(subject, name() + ": the stored " + what + " is ignored: " + reading.problem());
    return false;
  }

  private void merge(Received<FleetState> incoming, boolean fromStore) {
    FleetState state = incoming.value;
    BreakerSnapshot snapshot = breaker.snapshot();
    if (state != null && write != null && state.remembers(write.request)) {
      settle(write.period); // it is stored, whether an answer comes or not
    }
    FleetState aged = state == null ? null : state.after(age(incoming.atNanos));
    MergeRule.Local local =
        new MergeRule.Local(
            snapshot.state(), snapshot.cause(), isOwn(snapshot), age(snapshot.sinceNanos()));
    FleetState before = known == null ? null : known.value;
    Verdict verdict = MergeRule.state(before, aged, fromStore, local);
    if (verdict == Verdict.TAKE_OVER
        && snapshot.cause() != Cause.REMOTE
        && state.lastRequest().startsWith(session)) {
      // an earlier state of our own, whose answer was lost: what we are now came after it
      verdict = Verdict.KEEP_LOCAL;
    }
    switch (verdict) {
      case IGNORE -> {}
      case KEEP_LOCAL -> {
        know(incoming);
        lookForChange();
      }
      case AGREE -> {
        boolean newlyClosed =
            snapshot.state() == BreakerState.CLOSED && !state.lastRequest().startsWith(session);
        if (newlyClosed && !apply(snapshot, incoming)) { // empties the window
          merge(incoming, fromStore);
          return;
        }
        know(incoming);
        settle(Period.of(snapshot));
      }
      case TAKE_OVER -> {
        if (!apply(snapshot, incoming)) {
          merge(incoming, fromStore); // there was a transition since the snapshot: judge again
          return;
        }
        know(incoming);
        settle(Period.of(snapshot));
      }
      case REGRESSION -> {
        String found = state == null ? "nothing" : "epoch " + state.epoch();
        alarms.raise(
            name() + " lost state",
            name() + ": the store lost epoch " + epoch + " and had " + found + "; written again");
        wantRepair(true, overrideRepairWanted);
      }
    }
    if (fromStore && verdict != Verdict.REGRESSION) {
      repairWanted = false;
    }
  }

  private boolean apply(BreakerSnapshot seen, Received<FleetState> incoming) {
    FleetState state = incoming.value.after(age(incoming.atNanos));
    return breaker.apply(
        seen.sequence(),
        state.state(),
        Duration.ofMillis(state.remainingMillis()),
        state.consecutiveOpens(),
        state.by(),
        state.why());
  }

  private void mergeOverride(Received<FleetOverride> incoming, boolean fromStore) {
    FleetOverride override = incoming.value;
    FleetOverride before = knownOverride == null ? null : currentOverride();
    Verdict verdict = MergeRule.override(before, override, fromStore);
    if (verdict == Verdict.TAKE_OVER) {
      knownOverride = incoming;
      enforce(override.by(), override.why());
    } else if (verdict == Verdict.REGRESSION) {
      String found = override == null ? "none" : "version " + override.version();
      alarms.raise(
          name() + " lost override",
          name()
              + ": the store lost version "
              + before.version()
              + " of the override and had "
              + found
              + "; written again");
      wantRepair(repairWanted, true);
    }
    if (fromStore && verdict != Verdict.REGRESSION) {
      overrideRepairWanted = false;
    }
  }

  /**
   * Puts the fleet's override in force where nothing overrides, as when a local one has ended, and
   * ends it where the fleet has none any more.
   */
  void enforceOverride() {
    if (knownOverride != null) {
      ModeOverride present = breaker.snapshot().override();
      if (present == null && currentOverride().inForce()) {
        enforce(knownOverride.value.by(), knownOverride.value.why());
      }
    }
  }

  private void enforce(String by, String why) {
    FleetOverride override = currentOverride();
    if (override.inForce()) {
      long untilNanos =
          knownOverride.atNanos
              + TimeUnit.MILLISECONDS.toNanos(knownOverride.value.remainingMillis());
      breaker.override(new ModeOverride(override.mode(), untilNanos, by, why, true));
      return;
    }
    ModeOverride present = breaker.snapshot().override();
    if (present != null && present.fleet()) {
      breaker.release(by, why);
    }
  }

  private FleetOverride currentOverride() {
    return knownOverride.value.after(age(knownOverride.atNanos));
  }

  /** The version of the override that is known here, 0 if none. */
  long overrideVersion() {
    return knownOverride == null ? 0 : knownOverride.value.version();
  }

  /** The override in words. */
  String overrideInWords() {
    if (knownOverride == null || !currentOverride().inForce()) {
      return "no override";
    }
    return knownOverride.value.mode() + " by " + knownOverride.value.by();
  }

  // ---- repairing

  private void wantRepair(boolean state, boolean override) {
    if (!repairWanted && !overrideRepairWanted) {
      // all instances notice at about the same time; the first one's repair spares the others'
      repairAtNanos = System.nanoTime() + ThreadLocalRandom.current().nextLong(REPAIR_SPREAD_NANOS);
    }
    repairWanted = state;
    overrideRepairWanted = override;
  }

  /** Whether anything is to be written or repaired, now or later. */
  boolean hasToWrite() {
    return changed || repairWanted || overrideRepairWanted;
  }

  /** How long until there is something to repair; {@link Long#MAX_VALUE} if there is nothing. */
  long repairInNanos() {
    boolean wanted = repairWanted || overrideRepairWanted;
    return wanted ? Math.max(0, repairAtNanos - System.nanoTime()) : Long.MAX_VALUE;
  }

  /** Writes again what the store lost, if its time has come. Returns how much was written. */
  int repair(StateStore store, String namespace) {
    if (repairInNanos() > 0) {
      return 0;
    }
    int repaired = 0;
    if (repairWanted) {
      FleetState lost = known.value.after(age(known.atNanos));
      var answer = store.repair(namespace, name(), lost, instance);
      repairWanted = false;
      repaired += answer.accepted() ? 1 : 0;
      merge(answer.current());
    }
    if (overrideRepairWanted) {
      var answer = store.repairOverride(namespace, name(), currentOverride(), instance);
      overrideRepairWanted = false;
      repaired += answer.accepted() ? 1 : 0;
      mergeOverride(answer.current());
    }
    return repaired;
  }

  /** The store cannot be repaired; what is wrong with it is an alarm already. */
  void giveUpRepair() {
    repairWanted = false;
    overrideRepairWanted = false;
  }

  // ---- writing

  /**
   * What is to be written now: the breaker's present state, if it is its own and not stored yet.
   *
   * @return null for nothing
   */
  StateChange nextWrite() {
    changed = false; // before the look, so that what comes later is not missed
    BreakerSnapshot snapshot = breaker.snapshot();
    if (!isOwn(snapshot)) {
      write = null;
      return null;
    }
    Period period = Period.of(snapshot);
    if (write == null || !write.period.equals(period)) {
      write = new Write(session + ++writes, period);
    }
    changed = true;
    Transition own = lastOwn;
    boolean operators =
        own != null && own.to() == snapshot.state() && snapshot.cause() == Cause.OPERATOR;
    return new StateChange(
        name(),
        write.request,
        knownEpoch(),
        snapshot.state(),
        age(snapshot.sinceNanos()),
        TimeUnit.NANOSECONDS.toMillis(snapshot.remainingNanos()),
        snapshot.consecutiveOpens(),
        operators && !own.by().isEmpty() ? own.by() : instance,
        snapshot.cause().name(),
        snapshot.evidence().reason(),
        instance);
  }

  /** The store answered to {@link #nextWrite}. Returns whether it took the state. */
  boolean answered(StateStore.Answer<FleetState> answer) {
    boolean readable = answer.current().value() != null;
    if (answer.accepted() || !readable) {
      settle(write.period);
    }
    if (!answer.warning().isEmpty()) {
      alarms.raise(name() + " half written", name() + ": " + answer.warning());
    }
    merge(answer.current());
    lookForChange();
    return answer.accepted();
  }

  /** Writes nothing for a while. */
  void holdWrites(long nanos) {
    writeAtNanos = System.nanoTime() + nanos;
  }

  /** How long until it may write; not above 0 if now. */
  long heldNanos() {
    return writeAtNanos - System.nanoTime();
  }

  /** The store will never take {@link #nextWrite}; what is wrong is an alarm already. */
  void giveUpWrite() {
    settle(write.period);
    lookForChange();
  }

  /** Finds out whether there is something to write, without relying on the listener. */
  void lookForChange() {
    changed = false; // before the look, so that what comes later is not missed
    if (isOwn(breaker.snapshot())) {
      changed = true;
    }
  }

  private void settle(Period period) {
    settled = period;
    write = null;
  }

  private boolean isOwn(BreakerSnapshot snapshot) {
    boolean rampEnded = snapshot.state() == BreakerState.CLOSED && snapshot.cause() == Cause.TIMER;
    boolean closedInFleet = known != null && known.value.state() == BreakerState.CLOSED;
    return snapshot.cause() != Cause.REMOTE
        && !(rampEnded && closedInFleet) // since the ramp began, if that could be stored
        && !Period.of(snapshot).equals(settled);
  }

  private void know(Received<FleetState> state) {
    known = state;
    epoch = state.value.epoch();
  }

  private long knownEpoch() {
    return known == null ? 0 : known.value.epoch();
  }

  private long age(long sinceNanos) {
    return Math.max(0, TimeUnit.NANOSECONDS.toMillis(breaker.now() - sinceNanos));
  }
}
