package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.thrift.ServiceMethods.ServiceMethod;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TMultiplexedProtocol;

/**
 * The way of requests through a server: wraps its processor, and counts what becomes of the
 * requests of each method.
 *
 * <p>Thread-safe. Requests take no lock, and where the transport is framed and the protocol binary
 * or compact, those of known methods that pass allocate nothing beyond what the bare server
 * allocates; elsewhere one small object.
 */
public final class RequestPath {

  private static final String UNKNOWN = "unknown";
  private static final int SHOWN_LENGTH = 64;

  /** A hyphen and eight digits. */
  private static final int HASH_LENGTH = 9;

  private final Map<String, CircuitBreaker> breakers;
  private final Map<String, List<String>> requires;
  private final Workers workers;
  private final LongSupplier nanoClock;
  private final ShedReplies shedReplies;
  private final MethodBreakers methodBreakers;
  private final ConcurrentSkipListMap<String, MethodStats> stats = new ConcurrentSkipListMap<>();

  /**
   * Sets up the path for a server whose threads nobody counts, with the default replies to requests
   * that are shed.
   *
   * @param breakers the breakers by their dependency's name
   * @param requires by a method's name the dependencies it cannot do without. A method of a {@link
   *     org.apache.thrift.TMultiplexedProcessor} is called {@code Service.method}, or just {@code
   *     method} if no other service has one of that name
   * @param nanoClock the clock of the breakers
   * @throws IllegalArgumentException if a method requires a dependency that has no breaker
   */
  public RequestPath(
      Map<String, CircuitBreaker> breakers,
      Map<String, List<String>> requires,
      LongSupplier nanoClock) {
    this(breakers, requires, new Workers(null), nanoClock, new ShedReplies(), MethodBreakers.NONE);
  }

  /**
   * Sets up the path.
   *
   * @param breakers the breakers by their dependency's name
   * @param requires by a method's name the dependencies it cannot do without; see above
   * @param workers is told of the threads that serve requests
   * @param nanoClock the clock of the breakers
   * @param shedReplies what requests that are shed come to; copied
   * @param methodBreakers the breakers of methods themselves
   * @throws IllegalArgumentException if a method requires a dependency that has no breaker
   */
  public RequestPath(
      Map<String, CircuitBreaker> breakers,
      Map<String, List<String>> requires,
      Workers workers,
      LongSupplier nanoClock,
      ShedReplies shedReplies,
      MethodBreakers methodBreakers) {
    this.shedReplies = shedReplies.copy();
    this.methodBreakers = Objects.requireNonNull(methodBreakers, "methodBreakers");
    this.workers = Objects.requireNonNull(workers, "workers");
    this.breakers = Map.copyOf(breakers);
    this.nanoClock = Objects.requireNonNull(nanoClock, "nanoClock");
    Map<String, List<String>> copy = new LinkedHashMap<>();
    requires.forEach((method, dependencies) -> copy.put(method, List.copyOf(dependencies)));
    this.requires = copy;
    copy.forEach((method, dependencies) -> dependencies.forEach(d -> checkKnown(method, d)));
    stats(UNKNOWN, Set.of());
  }

  private void checkKnown(String method, String dependency) {
    if (!breakers.containsKey(dependency)) {
      throw bad(
          "requires",
          method + " -> " + dependency,
          "a dependency of these: " + new TreeSet<>(breakers.keySet()));
    }
  }

  /**
   * Wraps a server's processor. Register all services of a multiplexed processor first. A method
   * whose name JMX names cannot hold (64 of {@code A-Z a-z 0-9 _ . -}) is counted under the end of
   * its name and a hash.
   *
   * <p>The methods of a processor that is neither generated nor multiplexed cannot be listed: those
   * named in {@code requires}, and those that shall have a shed reply or a breaker of their own,
   * are taken to exist, all others are counted as unknown. Requests over TTupleProtocol without a
   * framed transport pass untouched and uncounted.
   *
   * @param delegate the processor; it is given the request as if nothing were in between, but the
   *     protocol to write the reply to is not of the server's own class
   * @return the wrapped processor, as thread-safe as the delegate
   * @throws IllegalArgumentException if the delegate is null, asynchronous or wrapped already, or
   *     if a method that is named in {@code requires}, in the shed replies or to have a breaker
   *     does not exist or is ambiguous, or cannot give the reply
   */
  public TProcessor wrap(TProcessor delegate) {
    refuseUnlessPlain(delegate);
    ServiceMethods methods = new ServiceMethods(delegate);
    Map<String, Set<String>> needs = needs(methods);
    Map<String, ShedReply> replies = shedReplies.resolve(methods);
    Map<String, CircuitBreaker> own = methodBreakers.resolve(methods);
    Map<String, Route> routes = new LinkedHashMap<>();
    Set<String> unseen = new LinkedHashSet<>(needs.keySet());
    unseen.addAll(replies.keySet());
    unseen.addAll(own.keySet());
    for (ServiceMethod method : methods.found()) {
      String name = method.canonicalName();
      own.computeIfAbsent(name, methodBreakers::other);
      routes.put(
          method.wireName(),
          route(name, method.name(), method.oneway(), needs, replies.get(name), own));
      unseen.remove(name);
    }
    for (String name : unseen) {
      ShedReply reply = replies.getOrDefault(name, shedReplies.ofUnseen());
      addUnseen(
          routes,
          name,
          route(name, name.substring(name.lastIndexOf('.') + 1), false, needs, reply, own));
    }
    Route unknown =
        new Route(null, false, List.of(), stats(UNKNOWN, Set.of()), ShedReply.DEFAULT, null);
    return new InterceptedProcessor(delegate, new RouteTable(routes, unknown), workers, nanoClock);
  }

  static void refuseUnlessPlain(TProcessor processor) {
    if (processor == null || processor instanceof TAsyncProcessor) {
      throw new IllegalArgumentException(
          "processor: "
              + (processor == null
                  ? null
                  : processor.getClass().getName() + ", which is asynchronous")
              + " (expected: a synchronous TProcessor)");
    }
    if (processor instanceof InterceptedProcessor) {
      throw new IllegalArgumentException(
          "processor: wrapped already (expected: a processor as the server had it before)");
    }
  }

  /**
   * The methods of all wrapped processors, in the order of their names, and the one called {@code
   * unknown} that stands for all others.
   *
   * @return what is known so far
   */
  public Collection<MethodStats> methods() {
    return List.copyOf(stats.values());
  }

  /** What each method needs, by its canonical name, or the declared one if it cannot be seen. */
  private Map<String, Set<String>> needs(ServiceMethods methods) {
    Map<String, Set<String>> needs = new LinkedHashMap<>();
    requires.forEach(
        (declared, dependencies) ->
            needs
                .computeIfAbsent(
                    resolve("requires", declared, methods), name -> new LinkedHashSet<>())
                .addAll(dependencies));
    return needs;
  }

  /** The canonical name of a declared method, or the declared one if it cannot be seen. */
  static String resolve(String what, String declared, ServiceMethods methods) {
    Set<String> canonical = new TreeSet<>();
    Set<String> namesakes = new TreeSet<>();
    for (ServiceMethod method : methods.found()) {
      canonical.add(method.canonicalName());
      if (method.name().equals(declared)) {
        namesakes.add(method.canonicalName());
      }
    }
    if (canonical.contains(declared) || namesakes.isEmpty() && !methods.isComplete()) {
      return declared;
    }
    if (namesakes.size() == 1) {
      return namesakes.iterator().next();
    }
    throw namesakes.isEmpty()
        ? bad(what, declared, "a method of these: " + canonical)
        : bad(what, declared, "one of these: " + namesakes);
  }

  /** Adds a method that was declared for a processor that does not show its methods. */
  private static void addUnseen(Map<String, Route> routes, String declared, Route route) {
    int dot = declared.lastIndexOf('.');
    routes.put(declared, route);
    if (dot > 0) {
      routes.put(
          declared.substring(0, dot) + TMultiplexedProtocol.SEPARATOR + declared.substring(dot + 1),
          route);
    }
  }

  private Route route(
      String canonicalName,
      String name,
      boolean oneway,
      Map<String, Set<String>> needs,
      ShedReply reply,
      Map<String, CircuitBreaker> own) {
    Set<String> needed = needs.getOrDefault(canonicalName, Set.of());
    List<CircuitBreaker> required = needed.stream().map(breakers::get).toList();
    MethodStats stats = stats(canonicalName, needed);
    return new Route(name, oneway, required, stats, reply, own.get(canonicalName));
  }

  private MethodStats stats(String canonicalName, Set<String> needed) {
    String name = shownName(canonicalName, SHOWN_LENGTH);
    return stats.computeIfAbsent(
        name, absent -> new MethodStats(name, List.copyOf(needed), nanoClock));
  }

  /**
   * The name under which operators see a method: its own, or if JMX names cannot hold that, what
   * they can hold of its end, and a hash that tells it from others.
   */
  static String shownName(String canonicalName, int longest) {
    String clean = canonicalName.replaceAll("[^A-Za-z0-9_.-]", "_");
    if (clean.equals(canonicalName) && clean.length() <= longest && !clean.isEmpty()) {
      return canonicalName;
    }
    String end = clean.substring(Math.max(0, clean.length() - (longest - HASH_LENGTH)));
    return end + "-" + HexFormat.of().toHexDigits(canonicalName.hashCode());
  }

  private static IllegalArgumentException bad(String what, String value, String expected) {
    return new IllegalArgumentException(what + ": " + value + " (expected: " + expected + ")");
  }
}
