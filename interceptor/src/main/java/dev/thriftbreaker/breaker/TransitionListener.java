package dev.thriftbreaker.breaker;

/**
 * Is told of every transition of a breaker, once, in order, from one thread that serves no request.
 */
@FunctionalInterface
public interface TransitionListener {

  /**
   * Takes one transition. What it throws is logged and otherwise without effect. A listener that
   * blocks delays other listeners, never a request.
   *
   * @param transition the transition
   */
  void onTransition(Transition transition);
}
