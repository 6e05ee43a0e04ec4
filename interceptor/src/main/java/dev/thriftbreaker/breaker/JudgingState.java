package dev.thriftbreaker.breaker;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.Collectors;

/**
 * Calls pass and are judged. A success is only counted; a bad outcome is counted and then judged by
 * the thread that brought it, and the tick judges again for the case that a success completed the
 * minimum of calls.
 *
 * <p>The tick also looks at the calls in flight. One that has taken {@code slowCallDuration} is
 * counted as slow while it hangs, once, and not again when it ends; but if it fails then, that
 * counts among the failures in a row.
 */
abstract sealed class JudgingState extends State permits ClosedState, RampingState {

  private static final int REMEMBERED_ERRORS = 64;

  private final Window window;
  private final AtomicInteger consecutiveFailures = new AtomicInteger();
  private final AtomicInteger consecutiveSlowFailures = new AtomicInteger();
  private final AtomicReferenceArray<Class<?>> recentErrors =
      new AtomicReferenceArray<>(REMEMBERED_ERRORS);
  private final AtomicInteger errorCursor = new AtomicInteger();
  private volatile boolean suspicious;

  /** Null until a call has failed. */
  private volatile Burst burst;

  // written by the tick
  private volatile long seenProgressNanos;
  private volatile long fullAtProgress;

  JudgingState(CircuitBreaker breaker, long generation, long now, int consecutiveOpens) {
    super(breaker, generation, now, consecutiveOpens);
    this.window = Window.of(breaker.config(), breaker.cells(), generation, now);
    this.seenProgressNanos = now;
    this.fullAtProgress = breaker.refusedFull();
  }

  @Override
  final boolean probes() {
    return false;
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    if (outcome == Outcome.IGNORED) {
      return true;
    }
    boolean failed = outcome == Outcome.FAILURE;
    if (!failed) {
      endStreak();
    }
    if (!failed && !slow) {
      window.recordGood(mine, now);
      return true;
    }
    window.recordBad(failed, slow, now);
    suspicious = true;
    if (failed) {
      goOnWithStreak(slow, error);
    }
    judgeBad(failed, now);
    return true;
  }

  @Override
  void completeHung(Outcome outcome, long now, Throwable error) {
    if (outcome == Outcome.FAILURE) {
      goOnWithStreak(true, error);
      judgeBad(true, now);
    } else {
      endStreak();
    }
  }

  private void endStreak() {
    if (breaker.hearsSuccesses()) {
      breaker.hearSuccesses(false); // first: a failure from now on sets it again
      consecutiveFailures.set(0);
      consecutiveSlowFailures.set(0);
    }
  }

  private void goOnWithStreak(boolean slow, Throwable error) {
    consecutiveFailures.incrementAndGet();
    breaker.hearSuccesses(true);
    if (slow) {
      consecutiveSlowFailures.incrementAndGet();
    }
    if (error != null) {
      int next = Math.floorMod(errorCursor.getAndIncrement(), REMEMBERED_ERRORS);
      recentErrors.set(next, error.getClass());
    }
  }

  private void judgeBad(boolean failed, long now) {
    // not when this call ended: others may have recorded later ones since
    if (!judge(breaker.now()) && failed) {
      judgeFailures(now);
    }
  }

  @Override
  void tick(long now) {
    if (judgeHung(now) || !suspicious) {
      return;
    }
    suspicious = false; // before the window is read: a bad outcome from now on sets it again
    if (!judge(now)) {
      WindowCounts counts = window.counts(now);
      if (counts.failures() + counts.slowCalls() > 0) {
        suspicious = true;
      }
    }
  }

  private void judgeFailures(long now) {
    BreakerConfig config = breaker.config();
    Burst failures = burst;
    if (failures == null) {
      failures = new Burst(); // another thread's may be lost, and one failure with it
      burst = failures;
    }
    String reason = failures.judge(config, breaker.successCount(), now);
    if (reason != null && window.counts(now).calls() < config.minimumCalls()) {
      reason = null; // rates are not judged yet
    }
    if (reason == null) {
      reason =
          TripRule.judgeSlowFailures(
              config,
              consecutiveSlowFailures.get(),
              breaker.refusedFull() - fullAtProgress,
              breaker.heartbeat().runningNanos(seenProgressNanos, now));
    }
    if (reason != null) {
      breaker.open(this, Cause.LOCAL, evidence(reason, window.recount(now), 0, false, now), now);
    }
  }

  /** Counts the calls that began in this state and hang; opens if nothing but such is left. */
  private boolean judgeHung(long now) {
    Bulkhead bulkhead = breaker.bulkhead();
    long progressNanos = bulkhead.progressNanos();
    if (progressNanos - seenProgressNanos > 0) {
      seenProgressNanos = progressNanos;
      fullAtProgress = breaker.refusedFull();
    }
    int hung = breaker.countHung(this, now);
    if (hung == 0) {
      return false;
    }
    BreakerConfig config = breaker.config();
    String reason =
        TripRule.judgeHung(
            config,
            hung,
            breaker.refusedFull() - fullAtProgress,
            breaker.heartbeat().runningNanos(seenProgressNanos, now));
    if (reason == null) {
      return false;
    }
    breaker.open(this, Cause.LOCAL, evidence(reason, window.recount(now), hung, true, now), now);
    return true;
  }

  /** Counts a call that is found hanging. */
  void recordHung(long now) {
    window.recordBad(false, true, now);
    suspicious = true;
  }

  private boolean judge(long now) {
    WindowCounts counts = window.counts(now);
    int inARow = consecutiveFailures.get();
    String reason = TripRule.judge(breaker.config(), counts, inARow);
    if (reason != null) {
      counts = window.recount(now);
      reason = TripRule.judge(breaker.config(), counts, inARow);
    }
    if (reason == null) {
      return false;
    }
    breaker.open(this, Cause.LOCAL, evidence(reason, counts, 0, false, now), now);
    return true;
  }

  private Evidence evidence(
      String reason, WindowCounts counts, int hung, boolean withMethods, long now) {
    return new Evidence(
        reason,
        counts.calls(),
        counts.failures(),
        counts.slowCalls(),
        hung,
        consecutiveFailures.get(),
        topErrors(),
        breaker.inFlight().oldest(withMethods ? 0 : Long.MAX_VALUE, now),
        breaker.configVersion());
  }

  private Map<String, Long> topErrors() {
    Map<Class<?>, Long> counted = new LinkedHashMap<>();
    for (int i = 0; i < REMEMBERED_ERRORS; i++) {
      Class<?> type = recentErrors.get(i);
      if (type != null) {
        counted.merge(type, 1L, Long::sum);
      }
    }
    return counted.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(3)
        .collect(
            Collectors.toMap(
                entry -> entry.getKey().getName(),
                Map.Entry::getValue,
                Long::sum,
                LinkedHashMap::new));
  }

  /** Whether time alone brings nothing about. */
  final boolean isCalm() {
    return !suspicious;
  }

  @Override
  final WindowCounts counts(long now) {
    return window.counts(now);
  }
}
