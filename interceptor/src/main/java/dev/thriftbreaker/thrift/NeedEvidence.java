package dev.thriftbreaker.thrift;

/**
 * What is known of a method and a dependency, in one number, and what follows from it: the method
 * needs the dependency if nearly every request uses it and nearly every request in which it was
 * refused failed. Pure functions.
 *
 * <p>There are two pairs of counts: requests seen and those among them that went without the
 * dependency; requests in which it was refused and those among them that succeeded nevertheless. A
 * pair that is full is halved, so old evidence fades: a handler that copes at last is believed at
 * once, one that copes no longer after some {@value #MOST_REFUSALS} refusals.
 */
final class NeedEvidence {

  static final long NONE = 0;

  /** So many refusals reach the handler before a method can be known to need a dependency. */
  static final int REFUSALS_TO_LEARN = 10;

  /** So many requests are looked at before a method can be known to use a dependency. */
  static final int REQUESTS_TO_LEARN = 10;

  static final int MOST_REFUSALS = 20;
  static final int MOST_REQUESTS = 100;

  /** One request in so many may go without a dependency that the method needs. */
  private static final int REQUESTS_FOR_ONE_UNUSED = 10;

  /** One request in so many may succeed without a dependency that the method needs. */
  private static final int REFUSALS_FOR_ONE_COPED = 20;

  private static final int BITS = 16;
  private static final long MASK = (1 << BITS) - 1;
  private static final int UNUSED = BITS;
  private static final int REFUSED = 2 * BITS;
  private static final int COPED = 3 * BITS;

  private NeedEvidence() {}

  /** A request was seen that used the dependency, or did its work without. */
  static long afterRequest(long evidence, boolean used) {
    long seen = requests(evidence);
    long unused = evidence >>> UNUSED & MASK;
    if (seen == MOST_REQUESTS) {
      seen /= 2;
      unused /= 2;
    }
    return evidence >>> REFUSED << REFUSED | (used ? unused : unused + 1) << UNUSED | seen + 1;
  }

  /** A request ended in which the dependency was refused. */
  static long afterRefusal(long evidence, boolean coped) {
    long refused = refusals(evidence);
    long succeeded = evidence >>> COPED;
    if (refused == MOST_REFUSALS) {
      refused /= 2;
      succeeded /= 2;
    }
    return withoutRefusals(evidence)
        | refused + 1 << REFUSED
        | (coped ? succeeded + 1 : succeeded) << COPED;
  }

  /** What remains when it is to be learned anew what refusals do. */
  static long withoutRefusals(long evidence) {
    return evidence & (1L << REFUSED) - 1;
  }

  static boolean isNeeded(long evidence) {
    int seen = requests(evidence);
    int refused = refusals(evidence);
    return seen >= REQUESTS_TO_LEARN
        && refused >= REFUSALS_TO_LEARN
        && (seen - uses(evidence)) * REQUESTS_FOR_ONE_UNUSED <= seen
        && (refused - failures(evidence)) * REFUSALS_FOR_ONE_COPED <= refused;
  }

  /** Whether each refusal is wanted as evidence, not just a sample of them. */
  static boolean wantsRefusals(long evidence) {
    return refusals(evidence) < REFUSALS_TO_LEARN || isNeeded(evidence);
  }

  static int requests(long evidence) {
    return (int) (evidence & MASK);
  }

  static int uses(long evidence) {
    return requests(evidence) - (int) (evidence >>> UNUSED & MASK);
  }

  static int refusals(long evidence) {
    return (int) (evidence >>> REFUSED & MASK);
  }

  static int failures(long evidence) {
    return refusals(evidence) - (int) (evidence >>> COPED);
  }
}
