package dev.thriftbreaker.thrift;

/** What is known of a method before its request is served. Immutable, but for what is learned. */
final class Route {

  /** The method's name in a reply; null for the route of all unknown methods. */
  final String method;

  final boolean oneway;
  final MethodStats stats;
  final Requirements requirements;

  Route(String method, boolean oneway, MethodStats stats) {
    this.method = method;
    this.oneway = oneway;
    this.stats = stats;
    this.requirements = stats.requirements();
  }
}
