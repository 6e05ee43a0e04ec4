package dev.thriftbreaker.breaker;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ordered rules that turn the end of a call into an {@link Outcome}: the user's classifier,
 * then the types to ignore, then the types that are failures, then the default of whoever made the
 * call.
 *
 * <p>Immutable and thread-safe, as far as the user's own functions are.
 */
public final class OutcomeRules {

  /** No rule of the user's own: the default decides. */
  public static final OutcomeRules NONE =
      new OutcomeRules(null, List.of(), List.of(), List.of(), null);

  private static final Logger log = LoggerFactory.getLogger(OutcomeRules.class);

  private final Classifier classifier;
  private final List<Class<? extends Throwable>> ignored;
  private final List<Class<? extends Throwable>> failures;
  private final List<Class<? extends Throwable>> unwrapped;
  private final Predicate<Object> failureResult;
  private final AtomicBoolean complained = new AtomicBoolean();

  OutcomeRules(
      Classifier classifier,
      List<Class<? extends Throwable>> ignored,
      List<Class<? extends Throwable>> failures,
      List<Class<? extends Throwable>> unwrapped,
      Predicate<Object> failureResult) {
    this.classifier = classifier;
    this.ignored = List.copyOf(ignored);
    this.failures = List.copyOf(failures);
    this.unwrapped = List.copyOf(unwrapped);
    this.failureResult = failureResult;
  }

  Classifier classifier() {
    return classifier;
  }

  List<Class<? extends Throwable>> ignored() {
    return ignored;
  }

  List<Class<? extends Throwable>> failures() {
    return failures;
  }

  List<Class<? extends Throwable>> unwrapped() {
    return unwrapped;
  }

  Predicate<Object> failureResult() {
    return failureResult;
  }

  /**
   * Judges a call that threw.
   *
   * @param thrown what it threw
   * @param byDefault decides where no rule of the user's does; must not return null
   * @return the outcome, never null
   */
  public Outcome judgeError(Throwable thrown, Classifier byDefault) {
    Throwable error = unwrap(thrown);
    Outcome judged = null;
    if (classifier != null) {
      try {
        judged = classifier.classify(error);
      } catch (Throwable broken) {
        complain("classifier", broken);
      }
    }
    if (judged == null && isAny(ignored, error)) {
      judged = Outcome.IGNORED;
    }
    if (judged == null && isAny(failures, error)) {
      judged = Outcome.FAILURE;
    }
    return judged != null ? judged : Objects.requireNonNull(byDefault.classify(error));
  }

  /**
   * Whether results make a difference: without a predicate of the user's, every call that returned
   * is a SUCCESS.
   *
   * @return whether {@link #judgeResult} looks at the result
   */
  public boolean judgesResults() {
    return failureResult != null;
  }

  /**
   * Judges a call that returned.
   *
   * @param result what it returned, may be null
   * @return SUCCESS, or FAILURE where the user's predicate says so
   */
  public Outcome judgeResult(Object result) {
    if (failureResult == null) {
      return Outcome.SUCCESS;
    }
    try {
      return failureResult.test(result) ? Outcome.FAILURE : Outcome.SUCCESS;
    } catch (Throwable broken) {
      complain("failureResult", broken);
      return Outcome.SUCCESS;
    }
  }

  private Throwable unwrap(Throwable thrown) {
    Throwable error = thrown;
    // a chain of causes can be a ring, so its length is bounded
    for (int depth = 0;
        depth < 16 && error.getCause() != null && isAny(unwrapped, error);
        depth++) {
      error = error.getCause();
    }
    return error;
  }

  private static boolean isAny(List<Class<? extends Throwable>> types, Throwable error) {
    for (int i = 0; i < types.size(); i++) {
      if (types.get(i).isInstance(error)) {
        return true;
      }
    }
    return false;
  }

  private void complain(String what, Throwable broken) {
    if (complained.compareAndSet(false, true)) {
      log.warn(
          "The {} of a breaker threw; its calls are judged without it. Logged once.", what, broken);
    }
  }
}
