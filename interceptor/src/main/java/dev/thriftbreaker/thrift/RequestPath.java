package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
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
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
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
  private static final Pattern SHOWABLE = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

  /** What is left of 64 characters beside a hash of 8. */
  private static final int SHOWN_LENGTH = 55;

  private final Map<String, CircuitBreaker> breakers;
  private final Map<String, List<String>> requires;
  private final boolean learning;
  private final LongSupplier nanoClock;
  private final ConcurrentSkipListMap<String, MethodStats> stats = new ConcurrentSkipListMap<>();

  /**
   * Sets up a path on which methods require what is declared and nothing is learned.
   *
   * @param breakers the breakers by their dependency's name
   * @param requires as below
   * @param nanoClock the clock of the breakers
   * @throws IllegalArgumentException if a method requires a dependency that has no breaker
   */
  public RequestPath(
      Map<String, CircuitBreaker> breakers,
      Map<String, List<String>> requires,
      LongSupplier nanoClock) {
    this(breakers, requires, false, nanoClock);
  }

  /**
   * Sets up the path.
   *
   * @param breakers the breakers by their dependency's name
   * @param requires by a method's name the dependencies it cannot do without, none if it copes
   *     without any. A method of a {@link org.apache.thrift.TMultiplexedProcessor} is called {@code
   *     Service.method}, or just {@code method} if no other service has one of that name
   * @param learning whether it is learned what methods require for which nothing is declared
   * @param nanoClock the clock of the breakers
   * @throws IllegalArgumentException if a method requires a dependency that has no breaker
   */
  public RequestPath(
      Map<String, CircuitBreaker> breakers,
      Map<String, List<String>> requires,
      boolean learning,
      LongSupplier nanoClock) {
    this.breakers = Map.copyOf(breakers);
    this.learning = learning;
    this.nanoClock = Objects.requireNonNull(nanoClock, "nanoClock");
    Map<String, List<String>> copy = new LinkedHashMap<>();
    requires.forEach((method, dependencies) -> copy.put(method, List.copyOf(dependencies)));
    this.requires = copy;
    copy.forEach((method, dependencies) -> dependencies.forEach(d -> checkKnown(method, d)));
    unknownStats();
  }

  private void checkKnown(String method, String dependency) {
    if (!breakers.containsKey(dependency)) {
      throw bad(method, "a dependency of these: " + new TreeSet<>(breakers.keySet()), dependency);
    }
  }

  /**
   * Wraps a server's processor. Register all services of a multiplexed processor first. A method
   * whose name JMX names cannot hold (64 of {@code A-Z a-z 0-9 _ . -}) is counted under the end of
   * its name and a hash.
   *
   * <p>The methods of a processor that is neither generated nor multiplexed cannot be listed: those
   * named in {@code requires} are taken to exist, all others are counted as unknown. Requests over
   * TTupleProtocol without a framed transport pass untouched and uncounted.
   *
   * @param delegate the processor; it is given the request as if nothing were in between, but the
   *     protocol to write the reply to is not of the server's own class
   * @return the wrapped processor, as thread-safe as the delegate
   * @throws IllegalArgumentException if the delegate is null, asynchronous or wrapped already, or
   *     if a method named in {@code requires} does not exist or is ambiguous
   */
  public TProcessor wrap(TProcessor delegate) {
    refuseUnlessPlain(delegate);
    ServiceMethods methods = new ServiceMethods(delegate);
    Map<String, Set<String>> needs = needs(methods);
    Map<String, Route> routes = new LinkedHashMap<>();
    for (ServiceMethod method : methods.found()) {
      Set<String> declared = needs.get(method.canonicalName());
      routes.put(
          method.wireName(),
          new Route(method.name(), method.oneway(), stats(method.canonicalName(), declared)));
    }
    methods.found().forEach(method -> needs.remove(method.canonicalName()));
    needs.forEach((declared, needed) -> addUnseen(routes, declared, needed));
    Route unknown = new Route(null, false, unknownStats());
    return new InterceptedProcessor(delegate, new RouteTable(routes, unknown), nanoClock);
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
                .computeIfAbsent(resolve(declared, methods), name -> new LinkedHashSet<>())
                .addAll(dependencies));
    return needs;
  }

  private static String resolve(String declared, ServiceMethods methods) {
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
        ? bad(declared, "a method of these: " + canonical, null)
        : bad(declared, "one of these: " + namesakes, null);
  }

  /** Adds a method that was declared for a processor that does not show its methods. */
  private void addUnseen(Map<String, Route> routes, String declared, Set<String> needed) {
    int dot = declared.lastIndexOf('.');
    Route route = new Route(declared.substring(dot + 1), false, stats(declared, needed));
    routes.put(declared, route);
    if (dot > 0) {
      routes.put(
          declared.substring(0, dot) + TMultiplexedProtocol.SEPARATOR + declared.substring(dot + 1),
          route);
    }
  }

  /** All methods in one: what one of them needs, another may not. */
  private MethodStats unknownStats() {
    Requirements none = new Requirements(List.of(), List.of(), false, bound -> 0);
    return stats.computeIfAbsent(UNKNOWN, name -> new MethodStats(name, none, nanoClock));
  }

  /**
   * @param declared what the method needs, or null if that is to be learned
   */
  private MethodStats stats(String canonicalName, Set<String> declared) {
    return stats.computeIfAbsent(
        shownName(canonicalName), name -> new MethodStats(name, requirements(declared), nanoClock));
  }

  private Requirements requirements(Set<String> declared) {
    Set<String> needed = declared == null ? Set.of() : declared;
    Set<String> others = new TreeSet<>(breakers.keySet());
    others.removeAll(needed);
    return new Requirements(
        needed.stream().map(breakers::get).toList(),
        others.stream().map(breakers::get).toList(),
        learning && declared == null,
        bound -> ThreadLocalRandom.current().nextInt(bound));
  }

  /**
   * The name under which operators see a method: its own, or if JMX names cannot hold that, what
   * they can hold of its end, and a hash that tells it from others.
   */
  private static String shownName(String canonicalName) {
    if (SHOWABLE.matcher(canonicalName).matches()) {
      return canonicalName;
    }
    String clean = canonicalName.replaceAll("[^A-Za-z0-9_.-]", "_");
    String end = clean.substring(Math.max(0, clean.length() - SHOWN_LENGTH));
    return end + "-" + HexFormat.of().toHexDigits(canonicalName.hashCode());
  }

  private static IllegalArgumentException bad(String method, String expected, String dependency) {
    return new IllegalArgumentException(
        "requires: "
            + method
            + (dependency == null ? "" : " -> " + dependency)
            + " (expected: "
            + expected
            + ")");
  }
}
