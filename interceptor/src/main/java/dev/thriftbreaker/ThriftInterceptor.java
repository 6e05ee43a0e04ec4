package dev.thriftbreaker;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CallListener;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Housekeeper;
import dev.thriftbreaker.breaker.PlainName;
import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.breaker.TransitionListener;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.redis.RedisStore;
import dev.thriftbreaker.management.GuardNumbers;
import dev.thriftbreaker.management.InterceptorMXBean;
import dev.thriftbreaker.management.Management;
import dev.thriftbreaker.management.PoolNumbers;
import dev.thriftbreaker.thrift.ClientPool;
import dev.thriftbreaker.thrift.ClientPools;
import dev.thriftbreaker.thrift.Downstream;
import dev.thriftbreaker.thrift.Fallback;
import dev.thriftbreaker.thrift.FallbackOn;
import dev.thriftbreaker.thrift.Guard;
import dev.thriftbreaker.thrift.MethodBreakers;
import dev.thriftbreaker.thrift.MethodStats;
import dev.thriftbreaker.thrift.RequestPath;
import dev.thriftbreaker.thrift.ShedReplies;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.apache.thrift.TBase;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts a circuit breaker in front of each dependency that a Thrift server's handler uses, and wraps
 * the server's processor so that requests which cannot succeed are shed at the door. The one entry
 * point of the library.
 *
 * <pre>{@code
 * ThriftInterceptor interceptor = ThriftInterceptor.builder("checkout")
 *     .redis(URI.create("redis://127.0.0.1:6379"))
 *     .dependency("inventory", d -> d.failureRateThreshold(0.5).slowCallDuration(Duration.ofMillis(500)))
 *     .requires("placeOrder", "inventory", "payments")
 *     .build();
 * Inventory.Iface inventory = interceptor.guard("inventory", Inventory.Iface.class, inventoryClient);
 * TProcessor processor = interceptor.wrap(new Checkout.Processor<>(new CheckoutHandler(inventory)));
 * }</pre>
 *
 * <p>Thread-safe. Holds threads, MBeans and, with Redis, connections until {@link #close()}.
 */
public final class ThriftInterceptor implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ThriftInterceptor.class);
  private static final int LONGEST_NAME = 64;
  private static final int LONGEST_METHOD = 255;

  private final String server;
  private final String instance;
  private final Instant startTime = Instant.now();
  private final Workers workers;
  private final boolean threadsTold;
  private final Map<String, CircuitBreaker> breakers;
  private final RequestPath requestPath;
  private final Housekeeper housekeeper;
  private final ClientPools clientPools;
  private final FleetSync fleet;
  private final Management management;
  private final Map<String, Downstream> downstreams = new ConcurrentHashMap<>();
  private final List<TransitionListener> transitionListeners;
  private final List<CallListener> callListeners;
  private final Set<String> registeredMethods = new HashSet<>();
  private final Set<String> registeredPools = new HashSet<>();
  private boolean closed;

  private ThriftInterceptor(Builder settings) {
    server = settings.server;
    clientPools = new ClientPools(server);
    instance = settings.instance != null ? settings.instance : madeUpInstance(server);
    workers = new Workers(settings.serverThreads);
    threadsTold = settings.serverThreads != null;
    transitionListeners = List.copyOf(settings.transitionListeners);
    callListeners = List.copyOf(settings.callListeners);
    Map<String, BreakerConfig> configs = settings.configs();
    Map<String, BreakerConfig> methodConfigs = settings.methodConfigs(configs.keySet());
    BreakerConfig eachMethod = settings.eachMethodConfig(configs.keySet());
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      housekeeper = opened(opened, new Housekeeper(server, workers, settings.coarseClock));
      Map<String, CircuitBreaker> made = new LinkedHashMap<>();
      for (Map.Entry<String, BreakerConfig> config : configs.entrySet()) {
        CircuitBreaker breaker = housekeeper.breaker(config.getKey(), config.getValue());
        made.put(breaker.name(), breaker);
        downstreams.put(breaker.name(), listening(breaker));
      }
      Map<String, Downstream> ofDependencies = Map.copyOf(downstreams);
      Map<String, CircuitBreaker> ofMethods = new LinkedHashMap<>();
      for (Map.Entry<String, BreakerConfig> config : methodConfigs.entrySet()) {
        String name = MethodBreakers.breakerName(config.getKey());
        CircuitBreaker breaker = housekeeper.breakerWithoutShare(name, config.getValue());
        ofMethods.put(config.getKey(), breaker);
        made.put(name, breaker);
      }
      breakers = new ConcurrentHashMap<>(made);
      requestPath =
          new RequestPath(
              ofDependencies,
              settings.requires,
              settings.learnRequirements,
              workers,
              System::nanoTime,
              settings.shedReplies,
              new MethodBreakers(
                  ofMethods, name -> eachMethod == null ? null : methodBreaker(name, eachMethod)));
      fleet =
          settings.redis == null
              ? null
              : opened(
                  opened,
                  new FleetSync(
                      new RedisStore(settings.redis),
                      settings.namespace == null ? server : settings.namespace,
                      instance,
                      breakers.values()));
      management = opened(opened, new Management(server, settings.registry));
      management.register("Interceptor", null, this::interceptorBean, InterceptorMXBean.class);
      for (CircuitBreaker breaker : made.values()) {
        register(breaker, fleet);
      }
      registerMethods();
      if (fleet != null) {
        management.redisLink(fleet);
      }

      // last, so that what other threads do at first does not keep this one waiting
      management.open();
      housekeeper.start();
      if (fleet != null) {
        fleet.start();
      }
    } catch (RuntimeException | Error e) {
      for (int i = opened.size() - 1; i >= 0; i--) {
        close(opened.get(i));
      }
      throw e;
    }
  }

  private InterceptorBean interceptorBean() {
    return new InterceptorBean(
        server,
        instance,
        startTime,
        workers::size,
        threadsTold,
        fleet != null,
        breakers.values(),
        () -> requestPath.methods().stream().map(MethodStats::name).toList(),
        () -> requestPath.methods().stream().mapToLong(MethodStats::requests).sum(),
        () -> requestPath.methods().stream().mapToLong(MethodStats::sheds).sum());
  }

  private void register(CircuitBreaker breaker, FleetSync sharedIn) {
    Downstream guarded = downstreams.get(breaker.name());
    if (guarded == null) {
      management.breaker(breaker, sharedIn);
    } else {
      management.breaker(
          breaker, sharedIn, () -> new GuardNumbers(guarded.fallbacks(), guarded.heldOff()));
    }
    for (TransitionListener listener : transitionListeners) {
      breaker.addListener(listener);
    }
    for (CallListener listener : callListeners) {
      breaker.addListener(listener);
    }
  }

  /** The breaker of a method that nobody named. */
  private synchronized CircuitBreaker methodBreaker(String name, BreakerConfig config) {
    CircuitBreaker breaker = breakers.get(name);
    if (breaker == null && !closed) {
      breaker = housekeeper.breakerWithoutShare(name, config);
      if (fleet != null) {
        fleet.add(breaker);
      }
      register(breaker, fleet);
      breakers.put(name, breaker);
    }
    return breaker;
  }

  private static String madeUpInstance(String server) {
    String start = server.substring(0, Math.min(40, server.length()));
    String digits = Integer.toHexString(1 << 16 | ThreadLocalRandom.current().nextInt(1 << 16));
    return start + "-" + pid() + "-" + digits.substring(1);
  }

  /** ProcessHandle takes milliseconds to load; Linux tells without it. */
  private static String pid() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self")).toString();
    } catch (IOException | UnsupportedOperationException notLinux) {
      return Long.toString(ProcessHandle.current().pid());
    }
  }

  private static <T extends AutoCloseable> T opened(List<AutoCloseable> opened, T resource) {
    opened.add(resource);
    return resource;
  }

  /**
   * Starts to build an interceptor.
   *
   * @param server the server's name, which stands in every ObjectName: 1 to 64 of {@code A-Z a-z
   *     0-9 _ . -}; one JVM can hold any number of interceptors of different names
   * @return a builder
   * @throws IllegalArgumentException if the name is not of that form
   */
  public static Builder builder(String server) {
    return new Builder(name("server", server));
  }

  /**
   * Builds an interceptor from a properties file, as {@link #builder(Path)} reads it.
   *
   * @param file the file
   * @return the interceptor, running
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if a key or a value is bad; the message names the file, the
   *     line where there is one, the value and what was expected
   */
  public static ThriftInterceptor fromProperties(Path file) throws IOException {
    return builder(file).build();
  }

  /**
   * Starts to build an interceptor from a properties file (UTF-8); what only code can give, such as
   * listeners, may be added.
   *
   * <pre>
   * server = checkout
   * redis = redis://127.0.0.1:6379
   * dependencies = inventory, payments
   * defaults.openDuration = 5s
   * dependency.inventory.failureRateThreshold = 0.5
   * dependency.inventory.ignore = com.example.Cancelled
   * requires.placeOrder = inventory, payments
   * requires.ping =
   * learnRequirements = true
   * coarseClock = false
   * </pre>
   *
   * <p>An empty {@code requires} says that the method requires nothing.
   *
   * <p>A file that has {@code dependencies} may name no others elsewhere.
   *
   * @param file the file
   * @return a builder
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if a key or a value is bad; the message names the file, the
   *     line where there is one, the value and what was expected
   */
  public static Builder builder(Path file) throws IOException {
    return SettingsFile.read(file);
  }

  /**
   * Puts a dependency's breaker in front of a client.
   *
   * <p>The guard calls the client on the caller's thread. It throws what the client throws,
   * unchanged, and a {@link dev.thriftbreaker.thrift.BreakerOpenException} where the breaker
   * refuses. It is as thread-safe as the client: generated Thrift clients are not, so give it one
   * that borrows from a pool.
   *
   * <p>A method whose last parameter is an AsyncMethodCallback is asynchronous: its call ends when
   * the callback is told. A refusal goes to {@code onError} too, before the method returns, as all
   * failures of a generated asynchronous client do; it is not thrown.
   *
   * @param <T> the interface
   * @param dependency the dependency's name
   * @param type the interface to guard, such as a generated {@code Iface} or {@code AsyncIface}
   * @param client the client
   * @return a guarded client
   * @throws IllegalArgumentException if there is no such dependency, or the type is not an
   *     interface that can be guarded
   */
  public <T> T guard(String dependency, Class<T> type, T client) {
    return guard(dependency, type, client, null);
  }

  /**
   * Puts a dependency's breaker in front of a client, with a fallback that gets the call where the
   * breaker refuses it.
   *
   * @param <T> the interface
   * @param dependency the dependency's name
   * @param type the interface to guard, such as a generated {@code Iface}
   * @param client the client
   * @param fallback answers instead: from a cache, with a default; null for none
   * @return a guarded client
   * @throws IllegalArgumentException if there is no such dependency, or the type is not an
   *     interface that can be guarded
   */
  public <T> T guard(String dependency, Class<T> type, T client, T fallback) {
    return guard(dependency, type, client, fallback, FallbackOn.REFUSAL);
  }

  /**
   * Puts a dependency's breaker in front of a client, with a fallback.
   *
   * @param <T> the interface
   * @param dependency the dependency's name
   * @param type the interface to guard, such as a generated {@code Iface}
   * @param client the client
   * @param fallback gets the call that the client does not answer; null for none
   * @param on whether it does so where the breaker refuses only, or also where the call failed
   * @return a guarded client
   * @throws IllegalArgumentException if there is no such dependency, or the type is not an
   *     interface that can be guarded
   */
  public <T> T guard(String dependency, Class<T> type, T client, T fallback, FallbackOn on) {
    return Guard.of(downstream(dependency), type, client, fallback, on);
  }

  /**
   * Puts a dependency's breaker in front of a pool of generated clients, which any number of
   * threads may call, and keeps the dependency's {@link BreakerConfig.Builder#callTimeout
   * callTimeout} for each call.
   *
   * <p>Throws what the client throws, a {@link dev.thriftbreaker.thrift.BreakerOpenException} where
   * the breaker refuses, a TTransportException of type TIMED_OUT when the callTimeout passes, and a
   * {@link dev.thriftbreaker.thrift.NoConnectionException} if the pool has no connection to give.
   *
   * @param <T> the interface
   * @param dependency the dependency's name
   * @param type the interface to guard, a generated {@code Iface}
   * @param pool describes the pool, which is closed with this interceptor
   * @return a guarded client
   * @throws IllegalArgumentException if there is no such dependency, or the type is not an
   *     interface that can be guarded
   * @throws IllegalStateException if this interceptor is closed
   */
  public <T> T guard(String dependency, Class<T> type, ClientPool.Builder<? extends T> pool) {
    T guarded = clientPools.guard(downstream(dependency), type, pool);
    registerPool(dependency);
    return guarded;
  }

  /** Once for a dependency, however many pools it has. */
  private synchronized void registerPool(String dependency) {
    if (!closed && !registeredPools.contains(dependency)) {
      management.pool(
          dependency,
          () -> {
            ClientPools.Numbers numbers = clientPools.numbers(dependency);
            return new PoolNumbers(
                numbers.active(),
                numbers.idle(),
                numbers.opened(),
                numbers.discarded(),
                numbers.timeouts(),
                numbers.unserved());
          });
      registeredPools.add(dependency);
    }
  }

  /**
   * Makes one call under a dependency's breaker, for anything that is not a Thrift client: SQL,
   * HTTP, a cache.
   *
   * @param <T> the type of the result
   * @param dependency the dependency's name
   * @param body makes the call, on this thread
   * @return the body's result
   * @throws dev.thriftbreaker.thrift.BreakerOpenException if the breaker refuses
   * @throws IllegalArgumentException if there is no such dependency
   * @throws Exception what the body throws, unchanged
   */
  public <T> T call(String dependency, Callable<T> body) throws Exception {
    return Guard.call(downstream(dependency), body);
  }

  /**
   * Makes one call under a dependency's breaker, with a fallback where the breaker refuses it.
   *
   * @param <T> the type of the result
   * @param dependency the dependency's name
   * @param body makes the call, on this thread
   * @param fallback answers instead, given the {@link
   *     dev.thriftbreaker.thrift.BreakerOpenException}
   * @return the body's or the fallback's result
   * @throws IllegalArgumentException if there is no such dependency
   * @throws Exception what the body or the fallback throws, unchanged
   */
  public <T> T call(String dependency, Callable<T> body, Fallback<? extends T> fallback)
      throws Exception {
    return call(dependency, body, FallbackOn.REFUSAL, fallback);
  }

  /**
   * Makes one call under a dependency's breaker, with a fallback.
   *
   * @param <T> the type of the result
   * @param dependency the dependency's name
   * @param body makes the call, on this thread
   * @param on whether the fallback answers where the breaker refuses only, or also where the call
   *     failed
   * @param fallback answers instead, given what was thrown
   * @return the body's or the fallback's result
   * @throws IllegalArgumentException if there is no such dependency
   * @throws Exception what the body or the fallback throws, unchanged
   */
  public <T> T call(
      String dependency, Callable<T> body, FallbackOn on, Fallback<? extends T> fallback)
      throws Exception {
    return Guard.call(downstream(dependency), body, on, fallback);
  }

  /**
   * What the guards of a dependency share besides its breaker: how often a fallback was asked, how
   * often a call was held off because the dependency told so.
   *
   * @param dependency its name
   * @return the dependency, always the same object
   * @throws IllegalArgumentException if there is none of that name
   */
  public Downstream downstream(String dependency) {
    Downstream known = downstreams.get(dependency); // computeIfAbsent may lock
    return known != null ? known : newDownstream(dependency);
  }

  private Downstream newDownstream(String dependency) {
    CircuitBreaker breaker = breaker(dependency);
    return downstreams.computeIfAbsent(dependency, absent -> listening(breaker));
  }

  private static Downstream listening(CircuitBreaker breaker) {
    Downstream made = new Downstream(breaker);
    breaker.addListener(made);
    return made;
  }

  /**
   * Begins one call under a dependency's breaker whose result comes later, on whatever thread.
   *
   * @param <T> the type of the result
   * @param dependency the dependency's name
   * @param body begins the call, on this thread
   * @return ends as the body's stage does, after the breaker has been told; ends with what the body
   *     throws, or with a {@link dev.thriftbreaker.thrift.BreakerOpenException} if the breaker
   *     refuses and the body is not called. Cancelling it cancels the body's stage where that is
   *     possible; a call cancelled is neither success nor failure
   * @throws IllegalArgumentException if there is no such dependency
   */
  public <T> CompletableFuture<T> callAsync(
      String dependency, Supplier<? extends CompletionStage<T>> body) {
    return Guard.callAsync(downstream(dependency), body);
  }

  /**
   * Begins one call under a dependency's breaker whose result comes later, with a fallback.
   *
   * @param <T> the type of the result
   * @param dependency the dependency's name
   * @param body begins the call, on this thread
   * @param on whether the fallback answers where the breaker refuses only, or also where the call
   *     failed
   * @param fallback begins another call instead, given what went wrong: on this thread, or where
   *     the body's stage failed on the one that ended it. It is not guarded
   * @return ends as the body's stage does, or as the fallback's where that was asked. Cancelling it
   *     cancels the stage that it waits for where that is possible
   * @throws IllegalArgumentException if there is no such dependency
   */
  public <T> CompletableFuture<T> callAsync(
      String dependency,
      Supplier<? extends CompletionStage<T>> body,
      FallbackOn on,
      Fallback<? extends CompletionStage<T>> fallback) {
    return Guard.callAsync(downstream(dependency), body, on, fallback);
  }

  /**
   * Wraps the processor of a server: requests of methods that require a refusing dependency, as
   * declared or learned, are shed at the door, and a dependency's broken transport does not close
   * the caller's connection. Everything else passes as if the wrapper were not there.
   *
   * <p>The caller's connection is kept if the exception that leaves the handler is the very
   * TTransportException that a guard threw on the request's own thread; any other closes it, as
   * without the wrapper.
   *
   * <p>An asynchronous processor stays one: a TNonblockingServer, THsHaServer or
   * TThreadedSelectorServer calls it as before. Its request ends when the handler answers, a oneway
   * one when the handler's method returns. Of an asynchronous request that the handler ends with a
   * TTransportException the connection is kept if a guard saw a dependency's transport fail in its
   * course: in the handler's method, or in the callback or stage of a guarded call made there. A
   * second answer to one request is dropped.
   *
   * <p>Register all services of a multiplexed processor first. Every method that {@code requires}
   * names must be one of this processor's: to serve two processors that share dependencies on two
   * ports, make them one multiplexed processor or give each an interceptor. Methods of a processor
   * that is neither generated nor multiplexed are counted as {@code unknown}, but for those named
   * in {@code requires}, a shed reply or a breaker of their own. A frame is taken to hold one
   * message, as all of Apache Thrift's clients send it. Requests over TTupleProtocol without a
   * framed transport pass untouched and uncounted.
   *
   * @param processor the processor, synchronous and perhaps multiplexed, or asynchronous
   * @return the wrapped processor; a {@link org.apache.thrift.TAsyncProcessor} if it was one
   * @throws IllegalArgumentException if it is wrapped already, or a TMultiplexedProcessor over an
   *     asynchronous one, which libthrift cannot serve; if a setting names a method that it does
   *     not have, or a method cannot give the shed reply that was set
   * @throws IllegalStateException if the name of a method's breaker is registered in this JVM
   */
  public TProcessor wrap(TProcessor processor) {
    TProcessor wrapped = requestPath.wrap(processor);
    registerMethods();
    return wrapped;
  }

  /**
   * Wraps the factory of a server's processors: each processor that it gives out is wrapped, as by
   * {@link #wrap(TProcessor)}.
   *
   * <p>What a factory of a class of its own will give out is not known before it does. So nothing
   * is refused there: what {@code requires} names counts for the processors that have it, and a
   * processor that cannot be wrapped passes as it is; either is logged.
   *
   * @param factory the factory, of synchronous processors or of asynchronous ones
   * @return the wrapped factory
   * @throws IllegalArgumentException if it is wrapped already, or if it is plainly a
   *     TProcessorFactory and its processor would be refused
   */
  public TProcessorFactory wrap(TProcessorFactory factory) {
    TProcessorFactory wrapped = requestPath.wrap(factory, this::registerMethods);
    registerMethods();
    return wrapped;
  }

  private synchronized void registerMethods() {
    for (MethodStats method : requestPath.methods()) {
      if (!closed && !registeredMethods.contains(method.name())) {
        management.method(method.name(), () -> methodBean(method), method::latency);
        registeredMethods.add(method.name());
      }
    }
  }

  private static MethodBean methodBean(MethodStats method) {
    return new MethodBean(
        method.name(),
        method.requirements(),
        method::requests,
        method::successes,
        method::failures,
        method::sheds,
        method::contained,
        method::fallbacks,
        method::inFlight,
        method::latency);
  }

  /**
   * The breaker of a dependency.
   *
   * @param dependency its name
   * @return the breaker
   * @throws IllegalArgumentException if there is none of that name; the message lists those there
   *     are
   */
  public CircuitBreaker breaker(String dependency) {
    CircuitBreaker breaker = breakers.get(Objects.requireNonNull(dependency, "dependency"));
    if (breaker == null) {
      throw new IllegalArgumentException(
          "dependency: "
              + dependency
              + " (expected one of: "
              + new TreeSet<>(breakers.keySet())
              + ")");
    }
    return breaker;
  }

  /**
   * All breakers.
   *
   * @return the breakers, in no particular order; unmodifiable
   */
  public Collection<CircuitBreaker> breakers() {
    return Collections.unmodifiableCollection(breakers.values());
  }

  /**
   * Gives everything back: threads, MBeans, metrics, connections. Writes to Redis what is still to
   * be written, for at most half a second. Requests may go on; breakers then neither probe by
   * themselves nor hear of the fleet. A second call does nothing.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    close(housekeeper); // first, so that the last transitions reach the others
    if (fleet != null) {
      close(fleet);
    }
    close(management);
    close(clientPools);
  }

  private static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      log.warn("{} did not close cleanly", resource.getClass().getSimpleName(), e);
    }
  }

  private static String name(String what, String name) {
    if (!PlainName.is(name, "_.-", LONGEST_NAME)) {
      throw new IllegalArgumentException(
          what + ": " + name + " (expected: 1 to 64 of the characters A-Z a-z 0-9 _ . -)");
    }
    return name;
  }

  /** Collects settings; {@link #build()} checks them together. Not thread-safe. */
  public static final class Builder {

    private static final Consumer<BreakerConfig.Builder> NO_CHANGE = config -> {};

    private final String server;
    private final Map<String, Consumer<BreakerConfig.Builder>> dependencies = new LinkedHashMap<>();
    private final Map<String, List<String>> requires = new LinkedHashMap<>();
    private final Set<String> nothingRequired = new HashSet<>();
    private final List<TransitionListener> transitionListeners = new ArrayList<>();
    private final List<CallListener> callListeners = new ArrayList<>();
    private final Map<String, Consumer<BreakerConfig.Builder>> methodBreakers =
        new LinkedHashMap<>();
    private final ShedReplies shedReplies = new ShedReplies();
    private Consumer<BreakerConfig.Builder> eachMethod;
    private Consumer<BreakerConfig.Builder> defaults = NO_CHANGE;
    private URI redis;
    private String namespace;
    private String instance;
    private MetricRegistry registry;
    private IntSupplier serverThreads;
    private boolean learnRequirements = true;
    private boolean coarseClock;

    private Builder(String server) {
      this.server = server;
    }

    /**
     * Keeps the state in Redis: a restarted server resumes with it, and all servers of the
     * namespace agree. Left out, the state is in memory only.
     *
     * @param uri {@code redis://[user:password@]host[:port][/database]}; port 6379 by default
     * @return this
     * @throws IllegalArgumentException if the URI is not of that form
     */
    public Builder redis(URI uri) {
      new RedisStore(uri).close(); // checks the URI; connects to nothing
      redis = uri;
      return this;
    }

    /**
     * The name under which servers share their state in Redis.
     *
     * @param namespace 1 to 64 of {@code A-Z a-z 0-9 _ . -}; the server's name by default
     * @return this
     * @throws IllegalArgumentException if the name is not of that form
     */
    public Builder namespace(String namespace) {
      this.namespace = name("namespace", namespace);
      return this;
    }

    /**
     * This instance's name in the fleet, as others see it in the audit.
     *
     * @param instance 1 to 64 of {@code A-Z a-z 0-9 _ . -}, different for each instance; by default
     *     made of the server's name, the process id and chance
     * @return this
     * @throws IllegalArgumentException if the name is not of that form
     */
    public Builder instance(String instance) {
      this.instance = name("instance", instance);
      return this;
    }

    /**
     * Declares a dependency with the default settings.
     *
     * @param name 1 to 64 of {@code A-Z a-z 0-9 _ . -}
     * @return this
     * @throws IllegalArgumentException if the name is not of that form
     */
    public Builder dependency(String name) {
      return dependency(name, NO_CHANGE);
    }

    /**
     * Declares a dependency.
     *
     * @param name 1 to 64 of {@code A-Z a-z 0-9 _ . -}
     * @param settings changes settings from their defaults
     * @return this
     * @throws IllegalArgumentException if the name is not of that form or declared already
     */
    public Builder dependency(String name, Consumer<BreakerConfig.Builder> settings) {
      Objects.requireNonNull(settings, "settings");
      if (dependencies.putIfAbsent(name("dependency", name), settings) != null) {
        throw new IllegalArgumentException(
            "dependency: " + name + " (expected: each one declared once)");
      }
      return this;
    }

    /**
     * Settings that all dependencies start from.
     *
     * @param settings changes settings from the library's defaults
     * @return this
     */
    public Builder defaults(Consumer<BreakerConfig.Builder> settings) {
      defaults = defaults.andThen(settings);
      return this;
    }

    /**
     * Says that a method cannot do its work without some dependencies: while one of them refuses,
     * requests of the method are shed at the door. It needs these and no others; nothing is learned
     * for it.
     *
     * @param method the method's name as in the IDL; {@code Service.method} where a multiplexed
     *     processor has methods of the same name
     * @param dependencies the dependencies; those not declared otherwise get the default settings
     * @return this
     * @throws IllegalArgumentException if a name is not well-formed, the list is empty or the
     *     method was said to require nothing
     */
    public Builder requires(String method, String... dependencies) {
      method(method);
      if (dependencies.length == 0) {
        throw new IllegalArgumentException(
            "requires "
                + method
                + ": nothing (expected: at least one dependency, or requiresNothing)");
      }
      List<String> needs = requires.computeIfAbsent(method, none -> new ArrayList<>());
      if (nothingRequired.contains(method)) {
        throw contradiction(method, List.of(dependencies));
      }
      for (String dependency : dependencies) {
        if (!needs.contains(name("dependency", dependency))) {
          needs.add(dependency);
        }
      }
      return this;
    }

    private static String method(String method) {
      if (method == null || !isMethod(method)) {
        throw new IllegalArgumentException(
            "method: " + method + " (expected: its name as in the IDL, or Service.method)");
      }
      return method;
    }

    /** All but blanks and control characters may be in it. */
    private static boolean isMethod(String text) {
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c <= ' ' || c == 0x7f) {
          return false;
        }
      }
      return !text.isEmpty() && text.codePointCount(0, text.length()) <= LONGEST_METHOD;
    }

    /**
     * The type of the TApplicationException that answers a request which is shed at the door. What
     * a guard throws inside a handler keeps its type.
     *
     * @param type {@link dev.thriftbreaker.thrift.BreakerOpenException#SHED}, which is 11, by
     *     default
     * @return this
     */
    public Builder shedType(int type) {
      shedReplies.type(type);
      return this;
    }

    /**
     * The type of the TApplicationException that answers a request of one method which is shed at
     * the door.
     *
     * @param method the method's name, as in {@link #requires}
     * @param type 11 by default
     * @return this
     * @throws IllegalArgumentException if the name is not well-formed
     */
    public Builder shedType(String method, int type) {
      shedReplies.type(method(method), type);
      return this;
    }

    /**
     * Answers requests that are shed at the door with an exception of the service's own, in all
     * methods that declare it.
     *
     * @param <E> the exception's class
     * @param type the exception's class; a processor whose methods do not declare it is refused
     * @param reply makes one; must be quick and thread-safe. If it fails, the default reply is sent
     * @return this
     */
    public <E extends TException & TBase<?, ?>> Builder shedException(
        Class<E> type, Function<Refusal, ? extends E> reply) {
      shedReplies.exception(type, reply);
      return this;
    }

    /**
     * Answers requests of a method that are shed at the door with an exception that it declares,
     * byte for byte as if the handler had thrown it.
     *
     * @param <E> the exception's class
     * @param method the method's name, as in {@link #requires}
     * @param type the exception's class; a processor whose method does not declare it is refused
     * @param reply makes one; must be quick and thread-safe. If it fails, the default reply is sent
     * @return this
     * @throws IllegalArgumentException if the name is not well-formed or the method has a result or
     *     fallback for that already
     */
    public <E extends TException & TBase<?, ?>> Builder shedException(
        String method, Class<E> type, Function<Refusal, ? extends E> reply) {
      shedReplies.exception(method(method), type, reply);
      return this;
    }

    /**
     * Answers requests of a method that are shed at the door with a result, byte for byte as if the
     * handler had returned it.
     *
     * @param <T> the result's class, such as Long for an i64; Void for a method without result
     * @param method the method's name, as in {@link #requires}
     * @param type the result's class; a processor whose method has another type is refused
     * @param reply makes one; must be quick and thread-safe. If it fails, the default reply is sent
     * @return this
     * @throws IllegalArgumentException if the name is not well-formed or the method has an
     *     exception or fallback for that already
     */
    public <T> Builder shedResult(
        String method, Class<T> type, Function<Refusal, ? extends T> reply) {
      shedReplies.result(method(method), type, reply);
      return this;
    }

    /**
     * Gives requests that would be shed at the door to another processor, which answers from a
     * cache or with defaults: all those of methods that it has. Its calls of guards, its answers
     * and its failures are treated and counted as those of the server's own processor.
     *
     * @param processor such as the same generated Processor over another handler; multiplexed if
     *     the server's is
     * @return this
     * @throws IllegalArgumentException if the processor is asynchronous or wrapped
     */
    public Builder fallback(TProcessor processor) {
      shedReplies.fallback(processor);
      return this;
    }

    /**
     * Gives requests of a method that would be shed at the door to another processor, oneway ones
     * too.
     *
     * @param method the method's name, as in {@link #requires}
     * @param processor such as the same generated Processor over another handler; that of the
     *     method's service will do where the server's is multiplexed
     * @return this
     * @throws IllegalArgumentException if the name is not well-formed, the processor is
     *     asynchronous or wrapped, or the method has an exception or result for that already
     */
    public Builder fallback(String method, TProcessor processor) {
      shedReplies.fallback(method(method), processor);
      return this;
    }

    /**
     * Gives a method a breaker of its own on the outcome of its requests: for one whose handler
     * uses no guard.
     *
     * @param method the method's name, as in {@link #requires}
     * @return this
     * @throws IllegalArgumentException if the name is not well-formed or has a breaker already
     */
    public Builder methodBreaker(String method) {
      return methodBreaker(method, NO_CHANGE);
    }

    /**
     * Gives a method a breaker of its own on the outcome of its requests: for one whose handler
     * uses no guard. The breaker is called {@code method.} and the method's name and is in all else
     * like those of dependencies, in the fleet too.
     *
     * <p>A request fails it that is answered with a TApplicationException or from whose processor
     * an exception escapes. It ignores a request that says SHED, whose arguments cannot be read, or
     * whose caller has gone. A oneway method's failures stay inside of generated code.
     *
     * @param method the method's name, as in {@link #requires}
     * @param settings changes settings from the defaults
     * @return this
     * @throws IllegalArgumentException if the name is not well-formed or has a breaker already
     */
    public Builder methodBreaker(String method, Consumer<BreakerConfig.Builder> settings) {
      Objects.requireNonNull(settings, "settings");
      if (methodBreakers.putIfAbsent(method(method), settings) != null) {
        throw new IllegalArgumentException(
            "methodBreaker: " + method + " (expected: each one declared once)");
      }
      return this;
    }

    /**
     * Gives every method a breaker of its own, as {@link #methodBreaker(String, Consumer)} does.
     * Those that are not named there begin when the processor is wrapped.
     *
     * @return this
     */
    public Builder methodBreakers() {
      return methodBreakers(NO_CHANGE);
    }

    /**
     * Gives every method a breaker of its own, as {@link #methodBreakers()} does.
     *
     * @param settings changes settings from the defaults, for those that are not named
     * @return this
     */
    public Builder methodBreakers(Consumer<BreakerConfig.Builder> settings) {
      eachMethod = Objects.requireNonNull(settings, "settings");
      return this;
    }

    /**
     * How many threads serve the server's requests, which bounds how many of them calls to one
     * dependency may hold ({@link BreakerConfig.Builder#maxConcurrentCalls(int)}). Left out, the
     * threads that have served a request and are alive are counted, once their number has been
     * steady for a second; for TThreadPoolServer, and where the server is not one of libthrift's,
     * at least 12 are assumed.
     *
     * @param threads 1 to 1,000,000
     * @return this
     * @throws IllegalArgumentException if the number is out of range
     */
    public Builder serverThreads(int threads) {
      if (threads < 1 || threads > 1_000_000) {
        throw new IllegalArgumentException(
            "serverThreads: " + threads + " (expected: a whole number from 1 to 1000000)");
      }
      return serverThreads(() -> threads);
    }

    /**
     * The same, for a number that changes while the server runs.
     *
     * @param threads asked about once a second, such as {@code executor::getMaximumPoolSize}; 0 for
     *     not known, which means no limit
     * @return this
     */
    public Builder serverThreads(IntSupplier threads) {
      serverThreads = Objects.requireNonNull(threads, "serverThreads");
      return this;
    }

    /**
     * Says that a method does its work, well or badly, without any dependency: its requests are
     * never shed at the door, and nothing is learned for it.
     *
     * @param method the method's name, as {@link #requires} takes it
     * @return this
     * @throws IllegalArgumentException if the name is not well-formed or the method was said to
     *     require something
     */
    public Builder requiresNothing(String method) {
      List<String> needs = requires.computeIfAbsent(method(method), none -> new ArrayList<>());
      if (!needs.isEmpty()) {
        throw contradiction(method, needs);
      }
      nothingRequired.add(method);
      return this;
    }

    private static IllegalArgumentException contradiction(String method, List<String> needs) {
      return new IllegalArgumentException(
          "requires " + method + ": nothing and " + needs + " (expected: one of the two)");
    }

    /**
     * Whether it is learned what methods require for which nothing was said. A method is found to
     * require a dependency if nearly every request uses it, through a guard on the request's own
     * thread or, if it is asynchronous, in the callback or stage of a guarded call made there, and
     * nearly every request fails in which it refuses: after the first ten or so of these the others
     * are shed at the door. Nothing is learned for oneway methods, as nobody can tell whether their
     * handlers cope: declare what they require. What was learned is examined with one shed request
     * in a hundred, and dropped as soon as the handler copes. A method whose handler copes is never
     * shed.
     *
     * @param learnRequirements whether to; true by default
     * @return this
     */
    public Builder learnRequirements(boolean learnRequirements) {
      this.learnRequirements = learnRequirements;
      return this;
    }

    /**
     * Whether the breakers tell the time by a clock that a thread moves once a millisecond, in
     * place of {@code System.nanoTime}. A guarded call then saves two readings of the system's
     * clock, some 50 ns, and costs about a dozen. In exchange latencies are precise to a
     * millisecond only (a call that takes less mostly counts as 0), and all is late by as much as
     * the thread is: about a millisecond, more where the machine has no processor to spare. Then
     * calls seem shorter and an open breaker stays open longer, by that time; nothing trips that
     * would not have. A server of fewer than 16 threads is better off with the exact clock, as the
     * limit on calls in flight looks more closely there.
     *
     * @param coarseClock whether to; false by default
     * @return this
     */
    public Builder coarseClock(boolean coarseClock) {
      this.coarseClock = coarseClock;
      return this;
    }

    /**
     * The registry that the metrics go into, for reporters of your own. By default the interceptor
     * has one for itself. Either way its metrics, and no others, are exposed over JMX.
     *
     * @param registry the registry
     * @return this
     */
    public Builder metricRegistry(MetricRegistry registry) {
      this.registry = Objects.requireNonNull(registry, "registry");
      return this;
    }

    /**
     * Adds a listener of every breaker's transitions.
     *
     * @param listener the listener
     * @return this
     */
    public Builder listener(TransitionListener listener) {
      transitionListeners.add(Objects.requireNonNull(listener, "listener"));
      return this;
    }

    /**
     * Adds a listener of every guarded call. It runs on the request path.
     *
     * @param listener the listener
     * @return this
     */
    public Builder listener(CallListener listener) {
      callListeners.add(Objects.requireNonNull(listener, "listener"));
      return this;
    }

    /**
     * Builds the interceptor and starts its threads. Does not wait for Redis.
     *
     * @return the interceptor, running
     * @throws IllegalArgumentException if a setting is out of range; the message names it, its
     *     value and what was expected
     * @throws IllegalStateException if an interceptor of the same name is registered in this JVM
     */
    public ThriftInterceptor build() {
      return new ThriftInterceptor(this);
    }

    private Map<String, BreakerConfig> configs() {
      Map<String, Consumer<BreakerConfig.Builder>> all = new LinkedHashMap<>(dependencies);
      for (List<String> needs : requires.values()) {
        for (String name : needs) {
          all.putIfAbsent(name, NO_CHANGE);
        }
      }
      Map<String, BreakerConfig> configs = new LinkedHashMap<>();
      for (Map.Entry<String, Consumer<BreakerConfig.Builder>> one : all.entrySet()) {
        configs.put(one.getKey(), config("dependency " + one.getKey(), one.getValue()));
      }
      return configs;
    }

    private Map<String, BreakerConfig> methodConfigs(Set<String> dependencies) {
      Map<String, BreakerConfig> configs = new LinkedHashMap<>();
      for (Map.Entry<String, Consumer<BreakerConfig.Builder>> one : methodBreakers.entrySet()) {
        String method = one.getKey();
        String name = MethodBreakers.breakerName(method);
        if (dependencies.contains(name)) {
          throw new IllegalArgumentException(
              "methodBreaker: " + method + " (expected: no dependency called " + name + ")");
        }
        configs.put(method, config("methodBreaker " + method, one.getValue()));
      }
      return configs;
    }

    private BreakerConfig eachMethodConfig(Set<String> dependencies) {
      if (eachMethod == null) {
        return null;
      }
      for (String dependency : dependencies) {
        if (MethodBreakers.isBreakerName(dependency)) {
          throw new IllegalArgumentException(
              "dependency: " + dependency + " (expected: no name of a method's breaker)");
        }
      }
      return config("methodBreakers", eachMethod);
    }

    private BreakerConfig config(String of, Consumer<BreakerConfig.Builder> settings) {
      BreakerConfig.Builder config = BreakerConfig.builder();
      defaults.accept(config);
      settings.accept(config);
      try {
        return config.build();
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(of + ": " + e.getMessage(), e);
      }
    }
  }
}
