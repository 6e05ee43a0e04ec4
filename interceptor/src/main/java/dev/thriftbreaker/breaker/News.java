package dev.thriftbreaker.breaker;

/**
 * A transition and the one before it: the order of the swaps of {@link Status} is the order in
 * which listeners hear of them, without a queue. The link is cut once they have heard.
 */
final class News {

  /** Null only in the one that a breaker begins with. */
  final Transition transition;

  /** Touched by the dispatching thread only, once published. */
  News previous;

  News(Transition transition, News previous) {
    this.transition = transition;
    this.previous = previous;
  }
}
