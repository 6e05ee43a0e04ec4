package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.nio.charset.StandardCharsets;

/** What is known of a method before its request is served. Immutable, but for what is learned. */
final class Route {

  /** The method's name in a reply; null for the route of all unknown methods. */
  final String method;

  /** The same in bytes. */
  final byte[] methodBytes;

  final boolean oneway;
  final MethodStats stats;
  final Requirements requirements;

  /** What its requests come to that are shed. */
  final ShedReply shedReply;

  /** The breaker of the method itself, or null. */
  final CircuitBreaker own;

  Route(String method, boolean oneway, MethodStats stats, ShedReply shedReply, CircuitBreaker own) {
    this.method = method;
    this.methodBytes = method == null ? null : method.getBytes(StandardCharsets.UTF_8);
    this.oneway = oneway;
    this.stats = stats;
    this.requirements = stats.requirements();
    this.shedReply = shedReply;
    this.own = own;
  }
}
