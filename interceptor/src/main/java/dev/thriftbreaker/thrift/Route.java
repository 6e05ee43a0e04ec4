package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.List;

/** What is known of a method before its request is served. Immutable. */
final class Route {

  /** The method's name in a reply; null for the route of all unknown methods. */
  final String method;

  final boolean oneway;
  final MethodStats stats;

  /** What its requests come to that are shed. */
  final ShedReply shedReply;

  /** The breaker of the method itself, or null. */
  final CircuitBreaker own;

  private final CircuitBreaker[] required;

  Route(
      String method,
      boolean oneway,
      List<CircuitBreaker> required,
      MethodStats stats,
      ShedReply shedReply,
      CircuitBreaker own) {
    this.method = method;
    this.oneway = oneway;
    this.required = required.toArray(CircuitBreaker[]::new);
    this.stats = stats;
    this.shedReply = shedReply;
    this.own = own;
  }

  /** The first breaker in the way of a request, or null. */
  CircuitBreaker refusing(long now) {
    for (CircuitBreaker breaker : required) {
      if (breaker.refuses(now)) {
        return breaker;
      }
    }
    return null;
  }
}
