package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Refusal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntUnaryOperator;

/**
 * The dependencies that a method needs: those declared, or where nothing is declared for it, those
 * that its requests show; an operator's word goes before either.
 *
 * <p><b>Learning.</b> A method needs a dependency if at least 9 of 10 requests use it and at least
 * 19 of 20 fail when it refuses. Use is learned from the first {@value #WATCHED_AT_FIRST} requests
 * and then from one in {@value #SAMPLE}. What a refusal does is learned from requests in which a
 * guard refused, at least {@value NeedEvidence#REFUSALS_TO_LEARN} of them: so many reach the
 * handler when a dependency first goes down, and a few more if they come at once. A handler that
 * answers without the dependency, be it with an exception that its IDL declares, copes, and its
 * method is not shed.
 *
 * <p>Calls count that guards are asked for on the request's own thread, and in the course of an
 * asynchronous request also in callbacks and stages of guarded calls made there, on whatever thread
 * these are told; nobody can tell for which request other threads make theirs. Oneway requests
 * teach nothing: generated code keeps it to itself whether the handler failed on a refusal or coped
 * with it, and a message dropped by mistake would be lost without a word. What they need can be
 * declared.
 *
 * <p>A request that failed counts against the dependency that refused last, if no guard saw a call
 * fail after that; what a handler uses after a refusal or failure is no evidence that it always
 * does.
 *
 * <p><b>Unlearning.</b> While requests are shed on what was learned, one in {@value #EXAMINATION}
 * is let through, and one if there was none for 10 s, unless another dependency that the method
 * needs is not closed. The first one that succeeds ends the need, until refusals teach it anew. A
 * method that uses the dependency no longer is let go after some ten such requests.
 *
 * <p><b>Concurrency.</b> Any threads use it at once. The array of needs in force is replaced by
 * compare-and-set and never changed; a request reads it once. All evidence of one need is one
 * number, written by compare-and-set from requests that are watched or were refused. Whoever
 * changes a verdict then publishes the array, computed after it read the array that it replaces, so
 * the last one published knows all changes.
 */
public final class Requirements {

  static final int WATCHED_AT_FIRST = 32;
  static final int SAMPLE = 16;
  static final int EXAMINATION = 100;
  static final long EXAMINATION_NANOS = 10_000_000_000L;

  private final Need[] needs;
  private final boolean learning;
  private final IntUnaryOperator lots;
  private final AtomicReference<Need[]> inForce = new AtomicReference<>();
  private final AtomicInteger watchedAtFirst = new AtomicInteger();

  /**
   * Sets up what one method needs.
   *
   * @param declared the dependencies declared, in that order
   * @param others all others, which the method may be found to need
   * @param learning whether anything is learned
   * @param lots draws a number from 0 up to the one given
   */
  Requirements(
      Collection<Downstream> declared,
      Collection<Downstream> others,
      boolean learning,
      IntUnaryOperator lots) {
    List<Need> all = new ArrayList<>();
    for (Downstream dependency : declared) {
      all.add(new Need(dependency, true));
    }
    for (Downstream dependency : others) {
      all.add(new Need(dependency, false));
    }
    this.needs = all.toArray(new Need[0]);
    this.learning = learning;
    this.lots = lots;
    publish();
  }

  // ---- the request path

  /**
   * The first need in the way of a request, or null, and then the request has a place of each
   * breaker that does not let all calls pass. Takes none before all were asked and gives all back
   * where one is not to be had: as long as one dependency that the method needs refuses, a request
   * costs the others nothing, not even a probe.
   */
  Need refusing(long now, Uses uses) {
    Need[] needed = inForce.get();
    for (Need need : needed) {
      if (!need.dependency.letsAllPass(now)) {
        return reserve(needed, now, uses);
      }
    }
    return null;
  }

  /** Refuses a request as {@link CircuitBreaker#refuseAgain} does, if one that is set does so. */
  Refusal refuseAgain() {
    for (Need need : inForce.get()) {
      Refusal refusal = need.isLearned() ? null : need.breaker.refuseAgain();
      if (refusal != null) {
        return refusal;
      }
    }
    return null;
  }

  private static Need reserve(Need[] needed, long now, Uses uses) {
    for (Need need : needed) {
      if (need.dependency.refuses(now) && !uses.hasPlace(need.breaker)) {
        return need;
      }
    }
    for (Need need : needed) {
      if (!uses.hasPlace(need.breaker) && !uses.reserve(need.breaker, now)) {
        uses.giveBack();
        return need;
      }
    }
    return null;
  }

  /** Whether a request is to pass a breaker that refuses, to see whether the handler copes now. */
  boolean examines(Need need, long now) {
    if (!need.isLearned()) {
      return false;
    }
    long last = need.examinedNanos.get();
    boolean due = now - last >= EXAMINATION_NANOS || lots.applyAsInt(EXAMINATION) == 0;
    return due && isAlone(need, now) && need.examinedNanos.compareAndSet(last, now);
  }

  /**
   * Whether all others that the method needs are closed. Else the handler may not get as far as
   * this one, or a probe of theirs may be wasted.
   */
  private boolean isAlone(Need need, long now) {
    for (Need other : inForce.get()) {
      boolean closed =
          other.breaker.snapshot().state() == BreakerState.CLOSED && !other.dependency.refuses(now);
      if (other != need && !closed) {
        return false;
      }
    }
    return true;
  }

  boolean learns() {
    return learning;
  }

  /** Whether to note what the next request uses. */
  boolean watches() {
    return watchedAtFirst.get() < WATCHED_AT_FIRST
            && watchedAtFirst.getAndIncrement() < WATCHED_AT_FIRST
        || lots.applyAsInt(SAMPLE) == 0;
  }

  /** Takes in what a request showed. */
  void learn(Uses uses, boolean succeeded) {
    for (Need need : needs) {
      long before = need.evidence.get();
      long after = learned(before, need.breaker, uses, succeeded);
      while (after != before && !need.evidence.compareAndSet(before, after)) {
        before = need.evidence.get();
        after = learned(before, need.breaker, uses, succeeded);
      }
      if (NeedEvidence.refusals(after) != NeedEvidence.refusals(before)) {
        need.examinedNanos.set(uses.startNanos());
      }
      if (NeedEvidence.isNeeded(after) != NeedEvidence.isNeeded(before)) {
        publish();
      }
    }
  }

  private static long learned(long evidence, CircuitBreaker breaker, Uses uses, boolean succeeded) {
    long learned = evidence;
    if (uses.hasUsed(breaker)) {
      learned = NeedEvidence.afterRequest(learned, true);
    } else if (uses.isWatched()
        && uses.isUntroubled()
        && succeeded
        && evidence != NeedEvidence.NONE) {
      learned = NeedEvidence.afterRequest(learned, false);
    }
    if (uses.wasRefused(breaker)
        && (succeeded || uses.wasRefusedLast(breaker))
        && (uses.isWatched() || NeedEvidence.wantsRefusals(evidence))) {
      learned = NeedEvidence.afterRefusal(learned, succeeded);
    }
    return learned;
  }

  private void publish() {
    Need[] old;
    List<Need> fresh = new ArrayList<>();
    do {
      old = inForce.get();
      fresh.clear();
      for (Need need : needs) {
        if (need.isInForce()) {
          fresh.add(need);
        }
      }
    } while (!inForce.compareAndSet(old, fresh.toArray(new Need[0])));
  }

  // ---- what an operator sees and does

  /**
   * The dependencies while any of which refuses calls the requests are shed.
   *
   * @return their names now: those declared first, in that order, the others by name
   */
  public List<String> inForce() {
    return Arrays.stream(inForce.get()).map(need -> need.breaker.name()).toList();
  }

  /**
   * What there is to say about each dependency that the method uses, or that somebody said
   * something about.
   *
   * @return those declared first, in that order, the others by name
   */
  public List<Requirement> all() {
    return Arrays.stream(needs).filter(Need::isKnown).map(Need::view).toList();
  }

  /**
   * What there is to say about one dependency.
   *
   * @param dependency its name
   * @return whether it is needed, and why
   * @throws IllegalArgumentException if there is no such dependency
   */
  public Requirement about(String dependency) {
    return find(dependency).view();
  }

  /**
   * The dependencies that there are.
   *
   * @return their names, sorted; none for {@code unknown} methods
   */
  public Collection<String> dependencies() {
    Collection<String> names = new TreeSet<>();
    for (Need need : needs) {
      names.add(need.breaker.name());
    }
    return names;
  }

  /**
   * Puts an operator's word in force, until the next one or a restart. {@code LEARN} takes it back
   * and forgets what refusals have taught.
   *
   * @param dependency the dependency
   * @param word the word
   * @throws IllegalArgumentException if there is no such dependency
   */
  public void say(String dependency, Requirement.Word word) {
    Objects.requireNonNull(word, "word");
    Need need = find(dependency);
    if (word == Requirement.Word.LEARN) {
      need.evidence.updateAndGet(NeedEvidence::withoutRefusals);
    }
    need.word = word;
    publish();
  }

  private Need find(String dependency) {
    for (Need need : needs) {
      if (need.breaker.name().equals(dependency)) {
        return need;
      }
    }
    throw new IllegalArgumentException(
        "dependency: " + dependency + " (expected one of: " + dependencies() + ")");
  }
}
