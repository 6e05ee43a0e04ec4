package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What is known of one method and one dependency. Any threads read and write: each of the three
 * fields is one word, and none depends on another.
 */
final class Need {

  final Downstream dependency;
  final CircuitBreaker breaker;
  final boolean declared;
  final AtomicLong evidence = new AtomicLong(NeedEvidence.NONE);

  /** When evidence of a refusal was last given or asked for, on the breakers' clock. */
  final AtomicLong examinedNanos = new AtomicLong();

  volatile Requirement.Word word = Requirement.Word.LEARN;

  Need(Downstream dependency, boolean declared) {
    this.dependency = dependency;
    this.breaker = dependency.breaker();
    this.declared = declared;
  }

  boolean isInForce() {
    return switch (word) {
      case NEEDED -> true;
      case NOT_NEEDED -> false;
      case LEARN -> declared || NeedEvidence.isNeeded(evidence.get());
    };
  }

  boolean isLearned() {
    return word == Requirement.Word.LEARN && !declared;
  }

  /** Whether there is anything to show. */
  boolean isKnown() {
    return declared
        || word != Requirement.Word.LEARN
        || NeedEvidence.uses(evidence.get()) > 0
        || NeedEvidence.refusals(evidence.get()) > 0;
  }

  Requirement view() {
    long known = evidence.get();
    Requirement.Source source =
        word != Requirement.Word.LEARN
            ? Requirement.Source.OPERATOR
            : declared ? Requirement.Source.DECLARED : Requirement.Source.LEARNED;
    return new Requirement(
        breaker.name(),
        isInForce(),
        source,
        NeedEvidence.requests(known),
        NeedEvidence.uses(known),
        NeedEvidence.refusals(known),
        NeedEvidence.failures(known));
  }
}
