package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.PlainName;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of requests through a server: wraps its processor, and counts what becomes of the
 * requests of each method.
 *
 * <p>Thread-safe. Requests take no lock, and where the transport is framed and the protocol binary
 * or compact, those of known methods that pass allocate nothing beyond what the bare server
 * allocates; elsewhere one small object.
 */
public final class RequestPath {

  private static final Logger log = LoggerFactory.getLogger(RequestPath.class);
  private static final String UNKNOWN = "unknown";
  private static final int SHOWN_LENGTH = 64;

  /** A hyphen and eight digits. */
  private static final int HASH_LENGTH = 9;

  private final Map<String, Downstream> dependencies;
  private final Map<String, List<String>> requires;
  private final boolean learning;
  private final Workers workers;
  private final LongSupplier nanoClock;
  private final ShedReplies shedReplies;
  private final MethodBreakers methodBreakers;
  private final ConcurrentSkipListMap<String, MethodStats> stats = new ConcurrentSkipListMap<>();

  /** The classes of processors from factories that could not be wrapped, which was logged. */
  private final Set<Class<?>> complained = ConcurrentHashMap.newKeySet();

  /**
   * Sets up a path on which methods require what is declared and nothing is learned, for a server
   * whose threads nobody counts, with the default replies to requests that are shed.
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

  /** The same, and if so wished with learning. */
  RequestPath(
      Map<String, CircuitBreaker> breakers,
      Map<String, List<String>> requires,
      boolean learning,
      LongSupplier nanoClock) {
    this(
        breakers.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, one -> new Downstream(one.getValue()))),
        requires,
        learning,
        new Workers(null),
        nanoClock,
        new ShedReplies(),
        MethodBreakers.NONE);
  }

  /**
   * Sets up the path.
   *
   * @param dependencies the dependencies by name; of each the object that its guards share
   * @param requires by a method's name the dependencies it cannot do without, none if it copes
   *     without any. A method of a {@link org.apache.thrift.TMultiplexedProcessor}, or that an
   *     asynchronous processor calls {@code Service:method}, is called {@code Service.method}, or
   *     just {@code method} if no other service has one of that name
   * @param learning whether it is learned what methods require for which nothing is declared
   * @param workers is told of the threads that serve requests
   * @param nanoClock the clock of the breakers
   * @param shedReplies what requests that are shed come to; copied
   * @param methodBreakers the breakers of methods themselves
   * @throws IllegalArgumentException if a method requires a dependency that there is not
   */
  public RequestPath(
      Map<String, Downstream> dependencies,
      Map<String, List<String>> requires,
      boolean learning,
      Workers workers,
      LongSupplier nanoClock,
      ShedReplies shedReplies,
      MethodBreakers methodBreakers) {
    this.shedReplies = shedReplies.copy();
    this.methodBreakers = Objects.requireNonNull(methodBreakers, "methodBreakers");
    this.workers = Objects.requireNonNull(workers, "workers");
    this.dependencies = Map.copyOf(dependencies);
    this.learning = learning;
    this.nanoClock = Objects.requireNonNull(nanoClock, "nanoClock");
    Map<String, List<String>> copy = new LinkedHashMap<>();
    for (Map.Entry<String, List<String>> one : requires.entrySet()) {
      copy.put(one.getKey(), List.copyOf(one.getValue()));
      for (String dependency : one.getValue()) {
        checkKnown(one.getKey(), dependency);
      }
    }
    this.requires = copy;
    unknownStats();
  }

  private void checkKnown(String method, String dependency) {
    if (!dependencies.containsKey(dependency)) {
      throw bad(
          "requires",
          method + " -> " + dependency,
          "a dependency of these: " + new TreeSet<>(dependencies.keySet()));
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
   * @return the wrapped processor, as thread-safe as the delegate; a {@link TAsyncProcessor} if the
   *     delegate is one
   * @throws IllegalArgumentException if the delegate is null, wrapped already or multiplexed over
   *     an asynchronous one, or if a method that is named in {@code requires}, in the shed replies
   *     or to have a breaker does not exist or is ambiguous, or cannot give the reply
   */
  public TProcessor wrap(TProcessor delegate) {
    refuseUnlessBare(delegate);
    ServiceMethods methods = new ServiceMethods(delegate);
    return intercepted(
        delegate,
        routes(
            methods,
            needs(methods),
            shedReplies.resolve(methods),
            methodBreakers.resolve(methods)));
  }

  /**
   * Wraps a factory of processors: each processor it gives out is wrapped, as by {@link
   * #wrap(TProcessor)}, and a server finds it as synchronous or asynchronous as before.
   *
   * <p>What a factory of a class of its own will give out is not known before it does. So nothing
   * is refused there: what {@code requires} names counts for the processors that have it, and a
   * processor that cannot be wrapped passes as it is; either is logged. Processors with the same
   * methods share what is known of these.
   *
   * @param factory the factory
   * @param onNewMethods called when {@link #methods()} has grown since this call returned, on the
   *     thread of the connection or request that made it
   * @return the wrapped factory, as thread-safe as the one within
   * @throws IllegalArgumentException if the factory is null or wrapped already, or if it is plainly
   *     a TProcessorFactory and {@link #wrap(TProcessor)} would refuse its processor
   */
  public TProcessorFactory wrap(TProcessorFactory factory, Runnable onNewMethods) {
    if (factory == null || factory instanceof InterceptedProcessorFactory) {
      throw new IllegalArgumentException(
          "factory: "
              + (factory == null ? null : "wrapped already")
              + " (expected: a factory as the server had it before)");
    }
    if (factory.getClass() == TProcessorFactory.class) {
      return new TProcessorFactory(wrap(factory.getProcessor(null)));
    }
    Map<ServiceMethods.Listing, RouteTable> known = new ConcurrentHashMap<>();
    return new InterceptedProcessorFactory(
        factory, processor -> wrapGiven(processor, known, onNewMethods));
  }

  /** Wraps what a factory gave, for a connection or request that waits for it: throws nothing. */
  private TProcessor wrapGiven(
      TProcessor given, Map<ServiceMethods.Listing, RouteTable> known, Runnable onNewMethods) {
    try {
      ServiceMethods methods = new ServiceMethods(given);
      RouteTable routes = known.get(methods.listing());
      if (routes == null) {
        routes =
            routes(
                methods,
                needsOfGiven(methods, given),
                shedReplies.resolve(methods),
                methodBreakers.resolve(methods));
        known.put(methods.listing(), routes);
        tell(onNewMethods);
      }
      return intercepted(given, routes);
    } catch (RuntimeException e) {
      if (complained.add(given.getClass())) {
        log.error("A processor of {} is left unwrapped", given.getClass().getName(), e);
      }
      return given;
    }
  }

  private static void tell(Runnable onNewMethods) {
    try {
      onNewMethods.run();
    } catch (RuntimeException e) {
      log.error("Methods of a factory's processor cannot be shown", e);
    }
  }

  private Map<String, Set<String>> needsOfGiven(ServiceMethods methods, TProcessor given) {
    Map<String, Set<String>> needs = new LinkedHashMap<>();
    requires.forEach(
        (declared, dependencies) -> {
          try {
            add(needs, resolve("requires", declared, methods), dependencies);
          } catch (IllegalArgumentException e) {
            log.warn("Not for {}: {}", given.getClass().getName(), e.getMessage());
          }
        });
    return needs;
  }

  private TProcessor intercepted(TProcessor delegate, RouteTable routes) {
    return delegate instanceof TAsyncProcessor
        ? new InterceptedAsyncProcessor(delegate, routes, workers, nanoClock)
        : new InterceptedProcessor(delegate, routes, workers, nanoClock);
  }

  private RouteTable routes(
      ServiceMethods methods,
      Map<String, Set<String>> needs,
      Map<String, ShedReply> replies,
      Map<String, CircuitBreaker> own) {
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
    Route unknown = new Route(null, false, unknownStats(), ShedReply.DEFAULT, null);
    return new RouteTable(routes, unknown);
  }

  static void refuseUnlessBare(TProcessor processor) {
    if (processor == null) {
      throw new IllegalArgumentException("processor: null (expected: a TProcessor)");
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
            add(needs, resolve("requires", declared, methods), dependencies));
    return needs;
  }

  private static void add(Map<String, Set<String>> needs, String method, List<String> more) {
    needs.computeIfAbsent(method, name -> new LinkedHashSet<>()).addAll(more);
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
    MethodStats stats = stats(canonicalName, needs.get(canonicalName));
    return new Route(name, oneway, stats, reply, own.get(canonicalName));
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
        shownName(canonicalName, SHOWN_LENGTH),
        name -> new MethodStats(name, requirements(declared), nanoClock));
  }

  private Requirements requirements(Set<String> declared) {
    Set<String> needed = declared == null ? Set.of() : declared;
    Set<String> others = new TreeSet<>(dependencies.keySet());
    others.removeAll(needed);
    return new Requirements(
        needed.stream().map(dependencies::get).toList(),
        others.stream().map(dependencies::get).toList(),
        learning && declared == null,
        bound -> ThreadLocalRandom.current().nextInt(bound));
  }

  /**
   * The name under which operators see a method: its own, or if JMX names cannot hold that, what
   * they can hold of its end, and a hash that tells it from others.
   */
  static String shownName(String canonicalName, int longest) {
    if (PlainName.is(canonicalName, "_.-", longest)) {
      return canonicalName;
    }
    String clean = canonicalName.replaceAll("[^A-Za-z0-9_.-]", "_");
    String end = clean.substring(Math.max(0, clean.length() - (longest - HASH_LENGTH)));
    return end + "-" + HexFormat.of().toHexDigits(canonicalName.hashCode());
  }

  private static IllegalArgumentException bad(String what, String value, String expected) {
    return new IllegalArgumentException(what + ": " + value + " (expected: " + expected + ")");
  }
}
