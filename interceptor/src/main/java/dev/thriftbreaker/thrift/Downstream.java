package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.Cause;
import dev.thriftbreaker.breaker.Cell;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.breaker.TransitionListener;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * What all guards of one dependency share besides its breaker: the time until which the dependency
 * asked to be left alone, and counters.
 *
 * <p><b>Hold-off.</b> Where the dependency is a server that sheds and {@code honorRetryAfter} is
 * set, calls are refused here, with the reason {@code HOLD_OFF}, for the retry-after that it told,
 * at most {@code maxOpenDuration}; and at the door requests of methods that need it. This is no
 * state of the breaker: no probe is spent, and it ends by time alone, or when an operator acts on
 * the breaker. While an operator's override is in force none begins.
 *
 * <p>Thread-safe. Shared are the end of the hold-off, which any thread may move and each call, and
 * each request that needs the dependency, compares with the present once, and counters. Two threads
 * that are told different times at once may leave the shorter one.
 */
public final class Downstream implements TransitionListener {

  private static final String HOLD_OFF = "HOLD_OFF";

  /** Beside the breaker's own refusals. */
  private static final long HELD_OFF = Long.MIN_VALUE;

  private final CircuitBreaker breaker;
  private final LongAdder fallbacks = new LongAdder();
  private final LongAdder heldOff = new LongAdder();
  private volatile long heldUntilNanos;

  /** The latest refusal, as {@link Refusal#next} uses it; written and read without order. */
  private Refusal refusal;

  /**
   * For the guards of a dependency. To be told of operators' acts it must be made a listener of the
   * breaker.
   *
   * @param breaker the dependency's breaker
   */
  public Downstream(CircuitBreaker breaker) {
    this.breaker = Objects.requireNonNull(breaker, "breaker");
    refusal = new Refusal(breaker.name(), HOLD_OFF, 0);
    heldUntilNanos = breaker.now();
  }

  /**
   * The dependency's breaker.
   *
   * @return the breaker
   */
  public CircuitBreaker breaker() {
    return breaker;
  }

  /**
   * Calls that a fallback was asked to answer, whether it did or not.
   *
   * @return the number since the start
   */
  public long fallbacks() {
    return fallbacks.sum();
  }

  /**
   * Calls and requests refused because the dependency asked to be left alone. They are refusals of
   * the breaker too.
   *
   * @return the number since the start
   */
  public long heldOff() {
    return heldOff.sum();
  }

  /**
   * Ends the hold-off when an operator acts on the breaker.
   *
   * @param transition what happened to the breaker
   */
  @Override
  public void onTransition(Transition transition) {
    if (transition.cause() == Cause.OPERATOR || transition.toMode() != Mode.AUTO) {
      heldUntilNanos = breaker.now();
    }
  }

  Cell cell() {
    return breaker.cell();
  }

  long now() {
    return breaker.now();
  }

  /** Whether any number of calls may come now. */
  boolean letsAllPass(long now) {
    return !isHeldOff(now) && breaker.letsAllPass(now);
  }

  /** Whether a call that comes now would be refused, by the breaker or since it is held off. */
  boolean refuses(long now) {
    return isHeldOff(now) || breaker.refuses(now);
  }

  /** Refuses a request that needs the dependency, upon {@link #refuses}, and counts that. */
  Refusal refuseRequest(long now) {
    Refusal refusal = isHeldOff(now) ? heldOff(now) : breaker.refusal(now);
    breaker.countRefusal(refusal);
    return refusal;
  }

  private boolean isHeldOff(long now) {
    return heldUntilNanos - now > 0 && breaker.config().honorRetryAfter();
  }

  private Refusal heldOff(long now) {
    heldOff.increment();
    Refusal last = refusal;
    Refusal next = last.next(HOLD_OFF, Math.max(0, heldUntilNanos - now));
    if (next != last) {
      refusal = next;
    }
    return next;
  }

  long acquire(Cell mine, long now, boolean holdsThread) throws BreakerOpenException {
    long permit = tryAcquire(mine, now, holdsThread);
    if (permit < 0) {
      throw refused(permit, now);
    }
    return permit;
  }

  /** A permit; or if negative, a refusal, which must be given to {@link #refused} once. */
  long tryAcquire(Cell mine, long now, boolean holdsThread) {
    return isHeldOff(now) ? HELD_OFF : Guard.tryAcquire(breaker, mine, now, holdsThread);
  }

  /** Tells a refusal. */
  BreakerOpenException refused(long permit, long now) {
    if (permit != HELD_OFF) {
      return Guard.refused(breaker, permit, now);
    }
    RequestContext.noteUse(breaker);
    RequestContext.noteRefusal(breaker);
    Refusal refusal = heldOff(now);
    breaker.countRefusal(refusal);
    return new BreakerOpenException(refusal);
  }

  void complete(Cell mine, long permit, long startNanos, Object result) {
    Guard.complete(breaker, mine, permit, startNanos, result);
  }

  Outcome completeFailed(Cell mine, long permit, long startNanos, Throwable thrown) {
    BreakerConfig config = breaker.config();
    if (config.honorRetryAfter()) {
      holdOff(Shed.received(thrown), config, breaker.now());
    }
    return Guard.completeFailed(breaker, mine, permit, startNanos, thrown);
  }

  void countFallback() {
    fallbacks.increment();
  }

  private void holdOff(Shed shed, BreakerConfig config, long now) {
    if (shed == null || breaker.snapshot().override() != null) {
      return;
    }
    long nanos = Math.min(shed.retryAfter().toNanos(), config.maxOpenDuration().toNanos());
    if (now + nanos - heldUntilNanos > 0) {
      heldUntilNanos = now + nanos;
    }
  }
}
