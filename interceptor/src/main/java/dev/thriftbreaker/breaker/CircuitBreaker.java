package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A circuit breaker for one dependency. The package's description holds the state diagram.
 *
 * <p><b>Concurrency.</b> Shared are one {@link Status} reference, swapped by compare-and-set in
 * {@link #change} and nowhere else, and the counters. A call reads the reference once when it
 * begins and once when it ends. It takes no lock and does no I/O. What a good call counts goes to a
 * {@link Cell} that only its own thread writes, so it makes no atomic write and allocates nothing,
 * but for the cell at a thread's first call and a histogram each 30 s; a count window, a virtual
 * thread and a thread beyond 256 use shared counters instead. Listeners of transitions are called
 * from {@link #dispatch} only, in the order of the swaps.
 *
 * <p><b>Permits.</b> {@link #tryAcquire(long)} and {@link #complete} are the allocation-free pair
 * that guards use: the permit is a number that names the generation of the state that issued it,
 * the slot that watches the call's age and, for a probe, its lease. Each permit must be completed
 * exactly once, by any thread. {@link #tryAcquire()} wraps one in an object that sees to that. A
 * call that ends on the thread that began it looks its {@link #cell} up only once.
 *
 * <p><b>What a call writes.</b> A good call on a closed breaker, whose thread has a cell and before
 * which another one ended not long ago: five plain stores to its own cell, and at most twenty
 * thousand times a second in all, a few to the stamps of the {@link Bulkhead}. No atomic
 * instruction, no fence, no lock; it reads nothing that another thread writes more often than that.
 * Where calls are rarer, one fence and a look at the other cells come on top; where the limit is a
 * number that was set, two atomic adds. A refused call of an open breaker: one plain store.
 *
 * <p><b>Waiting.</b> Nothing waits, with one exception: where the limit is automatic, a call that
 * holds a thread and finds no place, while other calls to a healthy dependency are about to end,
 * parks for some milliseconds at the most, or 500 where calls take as long ({@link
 * BreakerConfig.Builder#maxConcurrentCalls}).
 */
public final class CircuitBreaker {

  /** What {@link #tryAcquire(long)} returns instead of a permit: the state or mode refuses. */
  public static final long REFUSED = -1;

  /** The same, where as many calls are in flight as may be. */
  public static final long FULL = -2;

  /** What {@link #reserve} returns while a call needs no place. */
  public static final long NO_PLACE_NEEDED = 0;

  private static final String FULL_REASON = "FULL";

  /**
   * The generation of a call that passes only because an operator said so: no state takes its
   * outcome.
   */
  private static final long UNJUDGED = 0;

  private static final Logger log = LoggerFactory.getLogger(CircuitBreaker.class);

  /** More openings in a row make no difference to the back-off. */
  private static final int MOST_OPENS = 1_000_000;

  /** For how long a refusal must hold that is told again; two ticks at the least. */
  private static final long AGAIN_NANOS = 100_000_000L;

  /** How long the cell of a dead thread may stay taken. */
  private static final long SWEEP_NANOS = 5_000_000_000L;

  /** How often the bulkhead learns. */
  private static final long LEARN_NANOS = 1_000_000_000L;

  /** A call that has taken so many times as long as a slow one is given up: its permit was lost. */
  private static final int GIVEN_UP = 30;

  /**
   * A breaker that is called no more than so often between two ticks rests in between: the calls
   * that wake it up are too few to be felt, and each costs one tick, not two.
   */
  private static final int FEW = 1;

  private static final int STATE_HEARS = 1;
  private static final int LISTENERS_HEAR = 2;

  private static final VarHandle STATUS;
  private static final VarHandle RESTING;
  private static final VarHandle HEARERS;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      STATUS = lookup.findVarHandle(CircuitBreaker.class, "status", Status.class);
      RESTING = lookup.findVarHandle(CircuitBreaker.class, "resting", boolean.class);
      HEARERS = lookup.findVarHandle(CircuitBreaker.class, "hearers", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private record Configured(BreakerConfig config, int version) {}

  private final String name;
  private final LongSupplier nanoClock;
  private final DoubleSupplier random;
  private final Runnable onChange;

  /** Called when a breaker that rests must be ticked again. */
  private final Consumer<CircuitBreaker> onWake;

  private final Object settingsLock = new Object();
  private final LatencyHistogram latency = new LatencyHistogram();
  private final List<TransitionListener> transitionListeners = new CopyOnWriteArrayList<>();
  private final AtomicBoolean dispatching = new AtomicBoolean();
  private final AtomicBoolean callListenerComplained = new AtomicBoolean();
  private final CellTable cells = new CellTable(cells -> owned = cells);
  private final InFlight inFlight = new InFlight(cells);
  private final Heartbeat heartbeat;
  private final Bulkhead bulkhead;
  private final LongAdder acquired = new LongAdder();
  private final LongAdder successes = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder ignored = new LongAdder();
  private final LongAdder slowCalls = new LongAdder();
  private final LongAdder lateOutcomes = new LongAdder();
  private final LongAdder hung = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder refusedFull = new LongAdder();
  private final LongAdder wouldRefuse = new LongAdder();

  // the tick's own
  private long sweptNanos;
  private long learnedNanos;
  private long seenAcquired;
  private boolean idle;

  /** The next of those that were woken; see {@link Woken}. */
  CircuitBreaker nextWoken;

  private volatile Configured configured;
  private volatile long slowNanos;
  private volatile CallListener[] callListeners;

  /** Who has to hear of each success, so that none is only counted: bits, 0 if nobody. */
  private volatile int hearers;

  /** Whether the tick passes over this breaker, as nothing happens to it. */
  private volatile boolean resting;

  private volatile Status status;

  /** The cells by their threads' ids; see {@link CellTable}. */
  private volatile Cell[] owned;

  /** The newest transition that listeners have heard of. Written under {@code dispatching}. */
  private volatile News delivered;

  /**
   * Makes a closed breaker.
   *
   * @param name the dependency's name
   * @param config its settings
   * @param nanoClock monotonic nanoseconds, such as {@code System::nanoTime}
   * @param random numbers from 0 to 1, for the jitter of the open time
   * @param onChange called after each transition on the thread that made it; must not block, and
   *     must lead to a call of {@link #dispatch} on another thread
   */
  public CircuitBreaker(
      String name,
      BreakerConfig config,
      LongSupplier nanoClock,
      DoubleSupplier random,
      Runnable onChange) {
    this(name, config, nanoClock, random, onChange, breaker -> {}, Workers.NONE, Heartbeat.STEADY);
  }

  CircuitBreaker(
      String name,
      BreakerConfig config,
      LongSupplier nanoClock,
      DoubleSupplier random,
      Runnable onChange,
      Consumer<CircuitBreaker> onWake,
      Workers workers,
      Heartbeat heartbeat) {
    this.name = Objects.requireNonNull(name, "name");
    this.nanoClock = Objects.requireNonNull(nanoClock, "nanoClock");
    this.random = Objects.requireNonNull(random, "random");
    this.onChange = Objects.requireNonNull(onChange, "onChange");
    this.onWake = onWake;
    this.configured = new Configured(Objects.requireNonNull(config, "config"), 1);
    this.heartbeat = heartbeat;
    this.bulkhead =
        new Bulkhead(workers, inFlight, config.maxConcurrentCalls(), nanoClock.getAsLong());
    this.sweptNanos = nanoClock.getAsLong();
    this.learnedNanos = sweptNanos;
    this.slowNanos = config.slowAfter().toNanos();
    this.status =
        new Status(new ClosedState(this, 1, nanoClock.getAsLong()), Evidence.of("as built", 1));
    this.delivered = status.news;
  }

  /**
   * The dependency's name.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * The settings in force.
   *
   * @return the settings
   */
  public BreakerConfig config() {
    return configured.config;
  }

  /**
   * The version of the settings in force.
   *
   * @return 1 as built, one more with each change
   */
  public int configVersion() {
    return configured.version;
  }

  /**
   * The present on this breaker's clock.
   *
   * @return monotonic nanoseconds of no fixed origin; compare by subtraction
   */
  public long now() {
    return nanoClock.getAsLong();
  }

  /**
   * How long calls took lately.
   *
   * @return the summary
   */
  public LatencyHistogram.Summary latency() {
    List<LatencyHistogram> all = new ArrayList<>();
    all.add(latency);
    cells.forEach(cell -> all.add(cell.latency()));
    return LatencyHistogram.summary(all, now());
  }

  // ---- the request path

  /**
   * Where calls of the current thread are counted. To be found before the clock is read, and handed
   * from the beginning of a call to its end: it takes some memory reads, each of an address that
   * the one before brings, for which a reading of the clock would wait.
   *
   * @return the thread's own, or null if it has none: as a virtual thread, or one beyond 256
   */
  public Cell cell() {
    Thread me = Thread.currentThread();
    Cell[] near = owned;
    Cell cell = near[(int) me.getId() & near.length - 1];
    return cell != null && cell.owner == me ? cell : cells.find(me);
  }

  /**
   * Asks for a permit for a call that holds its thread until it ends.
   *
   * @param now the present, from {@link #now()}
   * @return a permit, which must be given to {@link #complete} exactly once, or if negative a
   *     refusal: {@link #REFUSED} or {@link #FULL}
   */
  public long tryAcquire(long now) {
    return tryAcquire(now, true);
  }

  /**
   * Asks for a permit.
   *
   * @param now the present, from {@link #now()}
   * @param holdsThread whether the call holds a thread until it ends; one that does not is not
   *     subject to a limit that follows the number of threads
   * @return a permit, which must be given to {@link #complete} exactly once, or if negative a
   *     refusal: {@link #REFUSED} or {@link #FULL}
   */
  public long tryAcquire(long now, boolean holdsThread) {
    return tryAcquire(cell(), now, holdsThread);
  }

  /**
   * Asks for a permit, as {@link #tryAcquire(long, boolean)} does.
   *
   * @param mine from {@link #cell()}, on this thread
   * @param now the present, from {@link #now()}
   * @param holdsThread whether the call holds a thread until it ends; one that does not is not
   *     subject to a limit that follows the number of threads
   * @return a permit, which must be given to {@link #complete} exactly once, or if negative a
   *     refusal: {@link #REFUSED} or {@link #FULL}
   */
  public long tryAcquire(Cell mine, long now, boolean holdsThread) {
    Status current = status;
    if (mine != null && mine.isReadyFor(current.quick) && bulkhead.isFresh(now)) {
      return mine.beginQuick(InFlight.stamp(now));
    }
    return tryAcquireWithCare(mine, current, now, holdsThread);
  }

  private long tryAcquireWithCare(Cell mine, Status current, long now, boolean holdsThread) {
    if (current.state instanceof OpenState open
        && current.override == null
        && open.refusesAll(now)
        && mine != null
        && callListeners == null) {
      mine.countRefused(); // what follows comes to the same
      return REFUSED;
    }
    long permit =
        current.override == null
            ? current.state.tryAcquire(now)
            : tryAcquireOverridden(current, now);
    return admit(mine, current, permit, now, holdsThread);
  }

  private long admit(Cell mine, Status current, long permit, long now, boolean holdsThread) {
    if (permit == REFUSED) {
      countRefusal(mine, REFUSED, now);
      return REFUSED;
    }
    int slot = inFlight.begin(mine, now);
    VarHandle.fullFence(); // whoever looks for calls sees this one, or this one sees them
    wakeUp();
    boolean counts = bulkhead.isFixed();
    if (!enter(current, counts, holdsThread, now)) {
      inFlight.end(slot);
      countRefusal(mine, FULL, now);
      return FULL;
    }
    if (mine != null) {
      mine.countAcquired();
    } else {
      acquired.increment();
    }
    long withSlot = Permits.with(permit, slot);
    return counts ? Permits.counted(withSlot) : withSlot;
  }

  /**
   * Lets a call in. Probes are bounded by their states, and an operator's word stands above.
   *
   * @param counts whether the bulkhead counts it; it may be set to another limit meanwhile
   */
  private boolean enter(Status seen, boolean counts, boolean holdsThread, long now) {
    boolean overridden = seen.override != null && !seen.override.expired(now);
    if (!seen.state.probes() && !overridden) {
      return counts ? bulkhead.enterCounted() : !holdsThread || bulkhead.enter(now, nanoClock);
    }
    if (overridden && bulkhead.refuses(now)) {
      wouldRefuse.increment();
    }
    if (counts) {
      bulkhead.count();
    }
    return true;
  }

  /**
   * Asks for a permit that takes care of being completed once.
   *
   * @return the permit, or empty if the call is refused
   */
  public Optional<Permit> tryAcquire() {
    long now = now();
    long permit = tryAcquire(now);
    return permit < 0 ? Optional.empty() : Optional.of(new Permit(this, permit, now));
  }

  /**
   * Ends a call. An outcome of a call that began in an earlier state updates the totals only.
   *
   * @param permit what {@link #tryAcquire(long)} returned
   * @param outcome how the call is judged
   * @param startNanos when it began, as given to {@link #tryAcquire(long)}
   * @param error what it threw, or null
   * @throws IllegalArgumentException if the permit is a refusal
   */
  public void complete(long permit, Outcome outcome, long startNanos, Throwable error) {
    complete(cell(), permit, outcome, startNanos, error);
  }

  /**
   * Ends a call, as {@link #complete(long, Outcome, long, Throwable)} does.
   *
   * @param mine from {@link #cell()}, on this thread
   * @param permit what {@link #tryAcquire(Cell, long, boolean)} returned
   * @param outcome how the call is judged
   * @param startNanos when it began, as given to {@link #tryAcquire(Cell, long, boolean)}
   * @param error what it threw, or null
   * @throws IllegalArgumentException if the permit is a refusal
   */
  public void complete(Cell mine, long permit, Outcome outcome, long startNanos, Throwable error) {
    if (outcome == Outcome.SUCCESS && mine != null && mine.isQuick(permit, status.quick)) {
      mine.endQuick(); // before the clock is read: InFlight says why
      long endNanos = now();
      long duration = endNanos - startNanos;
      if (hearers != 0 || duration >= slowNanos || !mine.countQuick(duration, endNanos)) {
        completeWithCare(mine, permit, outcome, startNanos, endNanos, error);
      }
    } else {
      completeLong(mine, permit, outcome, startNanos, error);
    }
  }

  private void completeLong(
      Cell mine, long permit, Outcome outcome, long startNanos, Throwable error) {
    Objects.requireNonNull(outcome, "outcome");
    if (permit < 0) {
      throw new IllegalArgumentException("permit: " + permit + " (expected: one that was granted)");
    }
    inFlight.end(Permits.slot(permit)); // before the clock is read, here too
    completeWithCare(mine, permit, outcome, startNanos, now(), error);
  }

  private void completeWithCare(
      Cell mine, long permit, Outcome outcome, long startNanos, long endNanos, Throwable error) {
    int slot = Permits.slot(permit);
    long duration = endNanos - startNanos;
    bulkhead.ended(duration, outcome == Outcome.SUCCESS, endNanos);
    if (Permits.isCounted(permit)) {
      bulkhead.leaveCounted();
    }
    boolean slow = false;
    boolean countedAsHung = false;
    if (outcome == Outcome.IGNORED) {
      ignored.increment();
    } else {
      if (duration >= slowNanos && heartbeat.runningNanos(startNanos, endNanos) >= slowNanos) {
        slow = true;
        slowCalls.increment();
        countedAsHung = !inFlight.claim(slot, startNanos);
      }
      if (outcome == Outcome.FAILURE) {
        failures.increment();
      } else if (mine == null) {
        successes.increment();
      }
      if (mine == null) {
        latency.record(duration, endNanos);
      } else {
        mine.recordLatency(duration, endNanos);
      }
    }
    long windowed = mine == null ? 0 : mine.windowed();
    if (Permits.generation(permit) != UNJUDGED) {
      State state = status.state;
      boolean own = Permits.generation(permit) == state.generation;
      if (own && countedAsHung && !state.probes()) {
        state.completeHung(outcome, endNanos, error);
      } else if (!own || !state.complete(permit, mine, outcome, slow, endNanos, error)) {
        lateOutcomes.increment();
      }
    }
    if (mine != null && outcome == Outcome.SUCCESS && mine.windowed() == windowed) {
      mine.countOtherSuccess();
    }
    CallListener[] listeners = callListeners;
    if (listeners != null) {
      tellCompleted(listeners, outcome, slow, duration, error);
    }
  }

  /**
   * Takes a place for a call that will perhaps be made, as the door of a server does for a request
   * before it lets it in. Counts nothing. While the breaker is closed, or an operator lets all
   * calls pass, none is needed.
   *
   * <p>A reservation keeps the place from other reservations, and from calls as long as there is
   * another for them: a call that comes without one and finds none takes over one that has not
   * begun. So a call made on a thread that knows nothing of its request is not refused because of
   * that request.
   *
   * <p>Nothing is judged by a reservation: it is no call in flight, and the time of a call, and
   * that which a probe may take, run from {@link #begin}. It lapses when the state ends, and in a
   * half-open one after {@code slowCallDuration}.
   *
   * @param now the present, from {@link #now()}
   * @return a reservation, which must be given to {@link #begin} or {@link #giveBack} exactly once;
   *     or {@link #NO_PLACE_NEEDED}; or {@link #REFUSED}
   */
  public long reserve(long now) {
    Status current = status;
    ModeOverride override = current.override;
    if (override != null && !override.expired(now)) {
      return override.mode() == Mode.FORCED_OPEN ? REFUSED : NO_PLACE_NEEDED;
    }
    State state = current.state;
    long reservation = state.reserve(now);
    // those that are reserved count like calls in flight, this one for the next
    if (state.reserved() > 0
        && reservation != REFUSED
        && bulkhead.refuses(now, state.reserved() - 1)) {
      state.giveBack(reservation, now);
      return REFUSED;
    }
    return reservation;
  }

  /**
   * Begins a call for which a place was reserved. If that has lapsed meanwhile or was taken over,
   * the call asks anew.
   *
   * @param reservation from {@link #reserve}
   * @param now the present, from {@link #now()}
   * @param holdsThread as for {@link #tryAcquire(long, boolean)}
   * @return as {@link #tryAcquire(long, boolean)} returns
   */
  public long begin(long reservation, long now, boolean holdsThread) {
    Status current = status;
    State state = current.state;
    if (Permits.generation(reservation) == state.generation) {
      if (current.override == null && state.begin(reservation, now)) {
        return admit(cell(), current, reservation, now, holdsThread);
      }
      state.giveBack(reservation, now);
    }
    return tryAcquire(cell(), now, holdsThread);
  }

  /**
   * Gives a place back that is not used. It counts for nothing, and the next call may have it.
   *
   * @param reservation from {@link #reserve}
   */
  public void giveBack(long reservation) {
    State state = status.state;
    if (Permits.generation(reservation) == state.generation) {
      state.giveBack(reservation, now());
    }
  }

  /**
   * Whether any number of calls may pass now, as far as one look can tell: the state is closed, no
   * override is in force, and not as many calls are in flight as may be. Else it takes {@link
   * #refuses} and {@link #reserve} to tell.
   *
   * @param now the present, from {@link #now()}
   * @return true if nothing is in a call's way, and nothing need be reserved for it
   */
  public boolean letsAllPass(long now) {
    return status.quick != Status.NOT_QUICK && !bulkhead.refuses(now);
  }

  /**
   * Whether a call would be refused now. Takes nothing and counts nothing.
   *
   * @param now the present, from {@link #now()}
   * @return true if {@link #reserve} would refuse, or if as many calls are in flight as may be
   */
  public boolean refuses(long now) {
    Status current = status;
    ModeOverride override = current.override;
    if (override != null && !override.expired(now)) {
      return override.mode() == Mode.FORCED_OPEN;
    }
    State state = current.state;
    return state.refuses(now) || !state.probes() && bulkhead.refuses(now, state.reserved());
  }

  /**
   * Counts a refusal that somebody made on this breaker's word without asking for a permit, as the
   * door of a server does.
   *
   * @param refusal what was refused, from {@link #refusal(long)}
   */
  public void countRefusal(Refusal refusal) {
    if (refusal.reason().equals(FULL_REASON)) {
      refusedFull.increment();
    }
    countRefused(cell());
    CallListener[] listeners = callListeners;
    if (listeners != null) {
      tellRefused(listeners, refusal);
    }
  }

  /**
   * Refuses a call, and counts that, without a look at the clock: where another was refused since
   * the last tick, nothing has changed, and the next probe is some ticks away. What it tells is
   * older than now by a tick at the most. Should there be no ticks, every sixteenth call of a
   * thread looks at the clock.
   *
   * @return why, or null if it takes {@link #refuses} to tell; then nothing is counted
   */
  public Refusal refuseAgain() {
    Refusal again = status.again;
    if (again == null || callListeners != null) {
      return null;
    }
    Cell mine = cell();
    return mine != null && mine.countRefusedAgain() ? again : null;
  }

  private void countRefused(Cell mine) {
    if (mine != null) {
      mine.countRefused();
    } else {
      refused.increment();
    }
    status.state.countRefusal();
  }

  private void countRefusal(Cell mine, long permit, long now) {
    if (permit == FULL) {
      refusedFull.increment();
    }
    countRefused(mine);
    CallListener[] listeners = callListeners;
    if (listeners != null) {
      tellRefused(listeners, refusal(permit, now));
    }
  }

  /**
   * Why calls are refused now, in words for the caller.
   *
   * @param now the present, from {@link #now()}
   * @return the refusal
   */
  public Refusal refusal(long now) {
    Status current = status;
    ModeOverride override = current.override;
    if (override != null && override.mode() == Mode.FORCED_OPEN && !override.expired(now)) {
      return current.refusal(Mode.FORCED_OPEN.name(), override.untilNanos() - now);
    }
    State state = current.state;
    boolean ramps = state instanceof RampingState && !bulkhead.refuses(now, state.reserved());
    if (!ramps && !state.probes() && !state.refuses(now)) {
      return full(current); // or was so a moment ago
    }
    Refusal refusal = current.refusal(state.kind().name(), state.retryAfterNanos(now));
    if (override == null && state instanceof OpenState open && open.refusesAll(now + AGAIN_NANOS)) {
      current.again = refusal;
    }
    return refusal;
  }

  /**
   * Why a call was refused, in words for the caller.
   *
   * @param permit what {@link #tryAcquire(long)} returned instead of a permit
   * @param now the present, from {@link #now()}
   * @return the refusal
   */
  public Refusal refusal(long permit, long now) {
    return permit == FULL ? full(status) : refusal(now);
  }

  /** When about one of the calls in flight will have ended. */
  private Refusal full(Status current) {
    return current.refusal(FULL_REASON, bulkhead.latencyNanos());
  }

  private long tryAcquireOverridden(Status current, long now) {
    if (current.override.expired(now)) {
      expireOverride(now);
      return status.state.tryAcquire(now);
    }
    if (current.override.mode() == Mode.FORCED_OPEN) {
      return REFUSED;
    }
    long permit = current.state.tryAcquire(now);
    if (permit == REFUSED) {
      wouldRefuse.increment();
      return Permits.of(UNJUDGED);
    }
    return permit;
  }

  private void tellCompleted(
      CallListener[] listeners,
      Outcome outcome,
      boolean slow,
      long durationNanos,
      Throwable error) {
    for (CallListener listener : listeners) {
      try {
        listener.onCompleted(name, outcome, slow, durationNanos, error);
      } catch (Throwable broken) {
        complainOfCallListener(broken);
      }
    }
  }

  private void tellRefused(CallListener[] listeners, Refusal refusal) {
    for (CallListener listener : listeners) {
      try {
        listener.onRefused(refusal);
      } catch (Throwable broken) {
        complainOfCallListener(broken);
      }
    }
  }

  private void complainOfCallListener(Throwable broken) {
    if (callListenerComplained.compareAndSet(false, true)) {
      log.warn("A call listener of breaker {} threw. Logged once.", name, broken);
    }
  }

  // ---- what moves the state

  /**
   * Does what time alone brings about: an open breaker whose time is over makes way for probes, an
   * override expires. Calls do the same for themselves; this is for the time between calls. Never
   * blocks.
   */
  public void tick() {
    long now = now();
    ModeOverride override = status.override;
    if (override != null && override.expired(now)) {
      expireOverride(now);
    }
    lookAtCalls(now);
    lookAgain();
    status.state.tick(now);
    if (now - learnedNanos >= LEARN_NANOS) {
      learnedNanos = now;
      bulkhead.learn();
    }
    long calls = acquiredCount();
    idle = calls - seenAcquired <= FEW;
    seenAcquired = calls;
    if (now - sweptNanos >= SWEEP_NANOS) {
      sweptNanos = now;
      cells.sweep();
    }
  }

  /**
   * Tells the bulkhead how many calls are in flight, and which nobody waits for any more: those
   * that hung when the state before this one ended, and those that were given up. Their threads are
   * not free, yet a dependency that is back must not be kept full by them.
   */
  private void lookAtCalls(long now) {
    int calls = inFlight.count();
    int[] lost = {0};
    if (calls > 0) {
      long since = status.state.sinceNanos;
      inFlight.forEach(
          (slot, start, thread) -> {
            long age = now - start;
            if (age >= slowNanos && start - since < 0 || age >= GIVEN_UP * slowNanos) {
              lost[0]++;
            }
          });
    }
    bulkhead.look(calls, lost[0]);
  }

  /** Counts the calls in flight that began in a state and are slow, each new one in its window. */
  int countHung(JudgingState state, long now) {
    if (inFlight.count() == 0) {
      return 0;
    }
    int[] count = {0};
    inFlight.forEach(
        (slot, start, thread) -> {
          if (start - state.sinceNanos >= 0
              && heartbeat.runningNanos(start, now) >= slowNanos + InFlight.GRACE_NANOS) {
            count[0]++;
            if (inFlight.claim(slot, start)) {
              hung.increment();
              state.recordHung(now);
            }
          }
        });
    return count[0];
  }

  private long acquiredCount() {
    long[] sum = {acquired.sum()};
    cells.forEach(cell -> sum[0] += cell.acquired());
    return sum[0];
  }

  /**
   * Rests, if hardly anybody called since the tick before this one, no call is under way and time
   * alone brings nothing about: no tick is needed until {@link #wakeUp} says so. By the thread that
   * ticks.
   *
   * @return whether it rests now
   */
  boolean rest() {
    if (!idle || !isCalm()) {
      return false;
    }
    resting = true;
    VarHandle.fullFence(); // whatever happens from now on wakes it up
    boolean happened = inFlight.count() > 0 || acquiredCount() != seenAcquired || !isCalm();
    // if somebody woke it up meanwhile, the waking stands
    return !happened || !RESTING.compareAndSet(this, true, false);
  }

  /** Whether the tick passes over it. */
  boolean isResting() {
    return resting;
  }

  private boolean isCalm() {
    Status current = status;
    return current.override == null
        && current.state instanceof ClosedState closed
        && closed.isCalm();
  }

  private void wakeUp() {
    if (resting && RESTING.compareAndSet(this, true, false)) {
      onWake.accept(this);
    }
  }

  /**
   * Takes over a state that another instance decided, or that was kept from before a restart. A
   * breaker that is in that state already tells its listeners nothing: a closed one empties its
   * window, an open one takes over the deadline, a half-open or ramping one goes on.
   *
   * @param expectedSequence the sequence of the snapshot on which the decision is based, so that
   *     what happened here since then is not overwritten
   * @param state the state; RAMPING counts as CLOSED, and both mean that a breaker which is not
   *     closed begins its ramp
   * @param remaining for OPEN, how long it goes on; at most the longest open time is used
   * @param consecutiveOpens how often in a row it opened
   * @param by who decided
   * @param reason why
   * @return false if there was a transition since then, and nothing was done
   */
  public boolean apply(
      long expectedSequence,
      BreakerState state,
      Duration remaining,
      int consecutiveOpens,
      String by,
      String reason) {
    long now = now();
    int opens = Math.max(1, Math.min(consecutiveOpens, MOST_OPENS));
    while (true) {
      Status current = status;
      if (current.sequence != expectedSequence) {
        return false;
      }
      State old = current.state;
      State fresh =
          switch (state) {
            case OPEN -> openedElsewhere(old, remaining, opens, now);
            case HALF_OPEN ->
                old instanceof HalfOpenState
                    ? old
                    : new HalfOpenState(this, Permits.nextGeneration(old.generation), now, opens);
            case CLOSED, RAMPING -> old instanceof RampingState ? old : recovered(old, now);
          };
      Evidence evidence = Evidence.of(reason, configVersion());
      if (fresh == old
          || change(current, fresh, current.override, Cause.REMOTE, evidence, by, now)) {
        return true;
      }
    }
  }

  private State openedElsewhere(State old, Duration remaining, int opens, long now) {
    Duration longest = config().maxOpenDuration();
    Duration bounded = remaining.compareTo(longest) < 0 ? remaining : longest;
    long nanos = bounded.isNegative() ? 0 : bounded.toNanos();
    return new OpenState(this, Permits.nextGeneration(old.generation), now, opens, nanos);
  }

  /**
   * Puts an operator's override in force, replacing the one before.
   *
   * @param override the override
   */
  public void override(ModeOverride override) {
    Objects.requireNonNull(override, "override");
    overrideTo(override, Cause.OPERATOR, override.reason(), override.by());
  }

  /**
   * Ends the override in force, if there is one: the state decides again.
   *
   * @param by who decided
   * @param reason why
   */
  public void release(String by, String reason) {
    overrideTo(null, Cause.OPERATOR, reason, by);
  }

  private void expireOverride(long now) {
    while (true) {
      Status current = status;
      if (current.override == null
          || !current.override.expired(now)
          || change(
              current,
              current.state,
              null,
              Cause.TIMER,
              Evidence.of("the time of " + current.override.mode() + " is over", configVersion()),
              "",
              now)) {
        return;
      }
    }
  }

  private void overrideTo(ModeOverride override, Cause cause, String reason, String by) {
    Evidence evidence = Evidence.of(reason, configVersion());
    while (true) {
      Status current = status;
      if (Objects.equals(current.override, override)
          || change(current, current.state, override, cause, evidence, by, now())) {
        return;
      }
    }
  }

  /**
   * Closes the breaker and empties its window.
   *
   * @param by who decided
   * @param reason why
   */
  public void reset(String by, String reason) {
    State state;
    do {
      state = status.state;
    } while (!close(state, Cause.OPERATOR, reason, by, now()));
  }

  /**
   * Makes an open breaker probe at once.
   *
   * @param by who decided
   * @param reason why
   * @return false if the breaker is not open
   */
  public boolean probeNow(String by, String reason) {
    return status.state instanceof OpenState open
        && halfOpen(open, Cause.OPERATOR, reason, by, now());
  }

  /**
   * Changes the settings of the running breaker. The window and the state stay; the next call is
   * judged by the new settings. A half-open breaker goes on with the number of probes that it began
   * with.
   *
   * @param config the new settings
   * @return the version of the new settings
   * @throws IllegalArgumentException if the window's type or length differs; those are fixed once
   *     built
   */
  public int configure(BreakerConfig config) {
    synchronized (settingsLock) { // operators' threads only; calls read the volatile fields
      for (Setting setting : Setting.values()) {
        if (!setting.changeable() && !setting.read(config).equals(setting.read(config()))) {
          throw new IllegalArgumentException(
              setting.key()
                  + ": "
                  + setting.read(config)
                  + " (expected: "
                  + setting.read(config())
                  + ", as built; the window of a running breaker keeps its shape)");
        }
      }
      Configured next = new Configured(config, configured.version + 1);
      configured = next;
      slowNanos = config.slowAfter().toNanos();
      bulkhead.configure(config.maxConcurrentCalls());
      return next.version;
    }
  }

  boolean open(State from, Cause cause, Evidence evidence, long now) {
    int inARow = Math.min(from.consecutiveOpens + 1, MOST_OPENS);
    long nanos = BackOff.openNanos(config(), inARow, random.getAsDouble());
    return transition(
        from,
        new OpenState(this, Permits.nextGeneration(from.generation), now, inARow, nanos),
        cause,
        evidence,
        "",
        now);
  }

  boolean halfOpen(OpenState from, Cause cause, String reason, String by, long now) {
    State to =
        new HalfOpenState(
            this, Permits.nextGeneration(from.generation), now, from.consecutiveOpens);
    return transition(from, to, cause, Evidence.of(reason, configVersion()), by, now);
  }

  boolean close(State from, Cause cause, String reason, String by, long now) {
    State to = new ClosedState(this, Permits.nextGeneration(from.generation), now);
    return transition(from, to, cause, Evidence.of(reason, configVersion()), by, now);
  }

  /** The dependency is back: begins the ramp, or closes where there is none. */
  void recover(State from, Cause cause, String reason, String by, long now) {
    transition(from, recovered(from, now), cause, Evidence.of(reason, configVersion()), by, now);
  }

  private State recovered(State from, long now) {
    long generation = Permits.nextGeneration(from.generation);
    boolean ramp = from.probes() && !config().rampInterval().isZero() && config().rampStart() < 1;
    return ramp
        ? new RampingState(this, generation, now, from.consecutiveOpens)
        : new ClosedState(this, generation, now);
  }

  /** Whether the state has to hear of each success, since there were failures in a row. */
  boolean hearsSuccesses() {
    return (hearers & STATE_HEARS) != 0;
  }

  void hearSuccesses(boolean heard) {
    if (heard) {
      HEARERS.getAndBitwiseOr(this, STATE_HEARS);
    } else {
      HEARERS.getAndBitwiseAnd(this, ~STATE_HEARS);
    }
  }

  /** What was refused is not to be refused again without a look. */
  void lookAgain() {
    Status current = status;
    if (current.again != null) {
      current.again = null;
    }
  }

  State state() {
    return status.state;
  }

  CellTable cells() {
    return cells;
  }

  InFlight inFlight() {
    return inFlight;
  }

  Bulkhead bulkhead() {
    return bulkhead;
  }

  Heartbeat heartbeat() {
    return heartbeat;
  }

  /** Calls that went well, ever. */
  long successCount() {
    long[] sum = {successes.sum()};
    cells.forEach(cell -> sum[0] += cell.successes());
    return sum[0];
  }

  long refusedFull() {
    return refusedFull.sum();
  }

  long slowNanos() {
    return slowNanos;
  }

  /**
   * Leaves a state, unless another thread has left it already. An override may change meanwhile.
   */
  private boolean transition(
      State from, State to, Cause cause, Evidence evidence, String by, long now) {
    while (true) {
      Status current = status;
      if (current.state != from) {
        return false;
      }
      if (change(current, to, current.override, cause, evidence, by, now)) {
        return true;
      }
    }
  }

  /** The one place where a breaker changes. False if another thread was faster. */
  private boolean change(
      Status current,
      State to,
      ModeOverride override,
      Cause cause,
      Evidence evidence,
      String by,
      long now) {
    BreakerState fromKind = current.state.kind();
    BreakerState toKind = to.kind();
    Mode toMode = override == null ? Mode.AUTO : override.mode();
    boolean opens = toKind == BreakerState.OPEN && fromKind != BreakerState.OPEN;
    // a failed probe is not news: the trip that began it all is what an operator asks for
    boolean trips = opens && (!current.state.probes() || current.lastTrip == null);
    boolean worthTelling = fromKind != toKind || !Objects.equals(current.override, override);
    long sequence = worthTelling ? current.sequence + 1 : current.sequence;
    Transition transition =
        worthTelling
            ? new Transition(
                name,
                sequence,
                fromKind,
                toKind,
                current.mode(),
                toMode,
                cause,
                evidence,
                by,
                override,
                now,
                to instanceof OpenState open ? open.openNanos : 0,
                to.consecutiveOpens)
            : null;
    boolean sameState = to == current.state;
    Status next =
        new Status(
            sequence,
            to,
            override,
            sameState ? current.cause : cause,
            sameState ? current.evidence : evidence,
            trips ? evidence : current.lastTrip,
            current.opened + (opens ? 1 : 0),
            // not up to the caller's time: an observer may have read a later one
            sameState ? current.openNanosBefore : current.openNanos(now()),
            transition == null ? current.news : new News(transition, current.news));
    if (!STATUS.compareAndSet(this, current, next)) {
      return false;
    }
    wakeUp();
    onChange.run();
    return true;
  }

  // ---- what listeners hear

  /**
   * Adds a listener of transitions. It hears of those that are not yet delivered and all that
   * follow.
   *
   * @param listener the listener
   */
  public void addListener(TransitionListener listener) {
    transitionListeners.add(Objects.requireNonNull(listener, "listener"));
  }

  /**
   * Adds a listener of calls.
   *
   * @param listener the listener
   */
  public void addListener(CallListener listener) {
    Objects.requireNonNull(listener, "listener");
    synchronized (settingsLock) { // set-up only; calls read the volatile field
      CallListener[] old = callListeners;
      CallListener[] fresh = new CallListener[old == null ? 1 : old.length + 1];
      if (old != null) {
        System.arraycopy(old, 0, fresh, 0, old.length);
      }
      fresh[fresh.length - 1] = listener;
      callListeners = fresh;
      HEARERS.getAndBitwiseOr(this, LISTENERS_HEAR);
    }
  }

  /**
   * Tells the listeners of all transitions since the last time, each once and in order. If another
   * thread is at it already, that one does it.
   */
  public void dispatch() {
    while (status.news != delivered && dispatching.compareAndSet(false, true)) {
      try {
        Deque<Transition> untold = new ArrayDeque<>();
        News newest = status.news;
        for (News news = newest; news != delivered; news = news.previous) {
          untold.push(news.transition);
        }
        newest.previous = null;
        delivered = newest;
        untold.forEach(this::tell);
      } finally {
        dispatching.set(false);
      }
    }
  }

  private void tell(Transition transition) {
    for (TransitionListener listener : transitionListeners) {
      try {
        listener.onTransition(transition);
      } catch (Throwable broken) {
        log.warn("A listener of breaker {} threw on {}", name, transition.describe(), broken);
      }
    }
  }

  // ---- what observers read

  /**
   * Reads state and counters.
   *
   * @return a view of this moment
   */
  public BreakerSnapshot snapshot() {
    long now = now();
    long[] inCells = new long[3];
    cells.forEach(
        cell -> {
          inCells[0] += cell.acquired();
          inCells[1] += cell.successes();
          inCells[2] += cell.refused();
        });
    Status current = status;
    return new BreakerSnapshot(
        name,
        current.state.kind(),
        current.override,
        current.sequence,
        current.state.sinceNanos,
        current.state instanceof OpenState open ? open.retryAfterNanos(now) : 0,
        current.state.consecutiveOpens,
        current.cause,
        current.evidence,
        current.lastTrip,
        current.state instanceof RampingState ramp ? ramp.share() : current.state.probes() ? 0 : 1,
        current.state.counts(now),
        acquired.sum() + inCells[0],
        successes.sum() + inCells[1],
        failures.sum(),
        ignored.sum(),
        slowCalls.sum(),
        lateOutcomes.sum(),
        inFlight.count(),
        bulkhead.limit() == Bulkhead.NO_LIMIT ? 0 : bulkhead.limit(),
        hung.sum(),
        refused.sum() + inCells[2],
        refusedFull.sum(),
        wouldRefuse.sum(),
        current.opened,
        current.openNanos(now),
        configVersion());
  }

  /**
   * The calls in flight that began first. Of those that hang, also where they are in the user's
   * code; to see that, their threads are stopped for a moment.
   *
   * @return a few, the oldest first
   */
  public List<Evidence.PendingCall> oldestCalls() {
    return inFlight.oldest(slowNanos, now());
  }

  @Override
  public String toString() {
    Status current = status;
    return name
        + " "
        + current.state.kind()
        + (current.override == null ? "" : " " + current.mode());
  }
}
