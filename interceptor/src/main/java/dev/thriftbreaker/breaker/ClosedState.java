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
 */
final class ClosedState extends State {

  private static final int REMEMBERED_ERRORS = 64;

  private final Window window;
  private final AtomicInteger consecutiveFailures = new AtomicInteger();
  private final AtomicReferenceArray<Class<?>> recentErrors =
      new AtomicReferenceArray<>(REMEMBERED_ERRORS);
  private final AtomicInteger errorCursor = new AtomicInteger();
  private volatile boolean suspicious;

  ClosedState(CircuitBreaker breaker, long generation, long now) {
    super(breaker, generation, now, 0);
    this.window = Window.of(breaker.config(), breaker.cells(), generation, now);
  }

  @Override
  BreakerState kind() {
    return BreakerState.CLOSED;
  }

  @Override
  long tryAcquire(long now) {
    return permit();
  }

  @Override
  boolean refuses(long now) {
    return false;
  }

  @Override
  boolean complete(
      long permit, Cell mine, Outcome outcome, boolean slow, long now, Throwable error) {
    if (outcome == Outcome.IGNORED) {
      return true;
    }
    boolean failed = outcome == Outcome.FAILURE;
    if (!failed && consecutiveFailures.get() != 0) {
      consecutiveFailures.set(0);
    }
    if (!failed && !slow) {
      window.recordGood(mine, now);
      return true;
    }
    window.recordBad(failed, slow, now);
    if (failed) {
      consecutiveFailures.incrementAndGet();
      if (error != null) {
        int next = Math.floorMod(errorCursor.getAndIncrement(), REMEMBERED_ERRORS);
        recentErrors.set(next, error.getClass());
      }
    }
    suspicious = true;
    judge(breaker.now()); // not when this call ended: others may have recorded later ones since
    return true;
  }

  @Override
  void tick(long now) {
    if (!suspicious) {
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
    Evidence evidence =
        new Evidence(
            reason,
            counts.calls(),
            counts.failures(),
            counts.slowCalls(),
            inARow,
            topErrors(),
            breaker.configVersion());
    breaker.open(this, Cause.LOCAL, evidence, now);
    return true;
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

  @Override
  long retryAfterNanos(long now) {
    return 0;
  }

  @Override
  WindowCounts counts(long now) {
    return window.counts(now);
  }
}
