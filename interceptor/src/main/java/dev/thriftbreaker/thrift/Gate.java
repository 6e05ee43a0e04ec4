package dev.thriftbreaker.thrift;

import static dev.thriftbreaker.breaker.Outcome.SUCCESS;

import dev.thriftbreaker.breaker.Cell;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.OutcomeRules;
import java.lang.reflect.UndeclaredThrowableException;

/**
 * What the methods of a guard call before and after the client's; {@link GuardClass} shows in which
 * order. Immutable and thread-safe.
 */
final class Gate {

  private final Downstream dependency;
  private final boolean hasFallback;
  private final FallbackOn on;
  private final Throws[] methods;

  /** The checked exceptions of a method, by each of the interfaces that declare it. */
  record Throws(Class<?>[]... declared) {

    boolean allow(Throwable thrown) {
      if (thrown instanceof RuntimeException || thrown instanceof Error) {
        return true;
      }
      for (Class<?>[] types : declared) {
        if (!isAny(types, thrown)) {
          return false;
        }
      }
      return true;
    }

    private static boolean isAny(Class<?>[] types, Throwable thrown) {
      for (Class<?> type : types) {
        if (type.isInstance(thrown)) {
          return true;
        }
      }
      return false;
    }
  }

  Gate(Downstream dependency, boolean hasFallback, FallbackOn on, Throws... methods) {
    this.dependency = dependency;
    this.hasFallback = hasFallback;
    this.on = on;
    this.methods = methods;
  }

  String breakerName() {
    return dependency.breaker().name();
  }

  Cell cell() {
    return dependency.cell();
  }

  long now() {
    return dependency.now();
  }

  /** A permit; or if negative, the call is {@link #refused}. */
  long tryAcquire(Cell mine, long now) {
    return dependency.tryAcquire(mine, now, true);
  }

  // the call returned; a number becomes an object only where there is somebody to look at it

  void complete(Cell mine, long permit, long startNanos) {
    complete(mine, permit, startNanos, (Object) null);
  }

  void complete(Cell mine, long permit, long startNanos, Object result) {
    dependency.complete(mine, permit, startNanos, result);
  }

  void complete(Cell mine, long permit, long startNanos, boolean result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  void complete(Cell mine, long permit, long startNanos, byte result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  void complete(Cell mine, long permit, long startNanos, char result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  void complete(Cell mine, long permit, long startNanos, short result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  void complete(Cell mine, long permit, long startNanos, int result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  void complete(Cell mine, long permit, long startNanos, long result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  void complete(Cell mine, long permit, long startNanos, float result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  void complete(Cell mine, long permit, long startNanos, double result) {
    OutcomeRules rules = rules();
    end(mine, permit, startNanos, rules.judgesResults() ? rules.judgeResult(result) : SUCCESS);
  }

  private OutcomeRules rules() {
    return dependency.breaker().config().outcomes();
  }

  private void end(Cell mine, long permit, long startNanos, Outcome outcome) {
    Guard.complete(dependency.breaker(), mine, permit, startNanos, outcome);
  }

  /** What the call throws that got no permit, or null if the fallback answers it. */
  Throwable refused(long permit, long now, int method) {
    BreakerOpenException refusal = dependency.refused(permit, now);
    if (hasFallback) {
      dependency.countFallback();
      return null;
    }
    return asDeclared(refusal, method);
  }

  /** The call threw. Returns what is thrown on, or null if the fallback answers. */
  Throwable failed(Cell mine, long permit, long startNanos, Throwable thrown, int method) {
    Outcome outcome = dependency.completeFailed(mine, permit, startNanos, thrown);
    if (hasFallback && Guard.isForFallback(on, outcome, thrown)) {
      dependency.countFallback();
      return null;
    }
    return asDeclared(thrown, method);
  }

  private Throwable asDeclared(Throwable thrown, int method) {
    return methods[method].allow(thrown) ? thrown : new UndeclaredThrowableException(thrown);
  }
}
