package dev.thriftbreaker;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CallListener;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Housekeeper;
import dev.thriftbreaker.breaker.TransitionListener;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.redis.RedisStore;
import dev.thriftbreaker.management.InterceptorMXBean;
import dev.thriftbreaker.management.Management;
import dev.thriftbreaker.thrift.Guard;
import dev.thriftbreaker.thrift.MethodStats;
import dev.thriftbreaker.thrift.RequestPath;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;
import org.apache.thrift.TProcessor;
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
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

  private static final Pattern METHOD = Pattern.compile("[^\\s\\p{Cntrl}]{1,255}");

  private final String server;
  private final Map<String, CircuitBreaker> breakers;
  private final RequestPath requestPath;
  private final Housekeeper housekeeper;
  private final FleetSync fleet;
  private final Management management;
  private final Set<String> registeredMethods = new HashSet<>();
  private boolean closed;

  private ThriftInterceptor(Builder settings) {
    server = settings.server;
    String instance = settings.instance != null ? settings.instance : madeUpInstance(server);
    Map<String, BreakerConfig> configs = settings.configs();
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      Workers workers = new Workers(settings.serverThreads);
      housekeeper = opened(opened, new Housekeeper(server, workers));
      Map<String, CircuitBreaker> made = new LinkedHashMap<>();
      configs.forEach((name, config) -> made.put(name, housekeeper.breaker(name, config)));
      breakers = Map.copyOf(made);
      requestPath = new RequestPath(breakers, settings.requires, workers, System::nanoTime);
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
      management =
          opened(
              opened,
              new Management(
                  server, settings.registry == null ? new MetricRegistry() : settings.registry));
      management.register(
          "Interceptor",
          null,
          new InterceptorBean(
              server,
              instance,
              Instant.now(),
              workers::size,
              settings.serverThreads != null,
              fleet != null,
              breakers.values(),
              () -> requestPath.methods().stream().map(MethodStats::name).toList(),
              () -> requestPath.methods().stream().mapToLong(MethodStats::requests).sum(),
              () -> requestPath.methods().stream().mapToLong(MethodStats::sheds).sum()),
          InterceptorMXBean.class);
      for (CircuitBreaker breaker : made.values()) {
        management.breaker(breaker, fleet);
        settings.transitionListeners.forEach(breaker::addListener);
        settings.callListeners.forEach(breaker::addListener);
      }
      registerMethods();
      if (fleet != null) {
        management.redisLink(fleet);
        fleet.start();
      }
    } catch (RuntimeException | Error e) {
      for (int i = opened.size() - 1; i >= 0; i--) {
        close(opened.get(i));
      }
      throw e;
    }
  }

  private static String madeUpInstance(String server) {
    return String.format(
        Locale.ROOT,
        "%.40s-%d-%04x",
        server,
        ProcessHandle.current().pid(),
        ThreadLocalRandom.current().nextInt(1 << 16));
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
   * </pre>
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
   * @param <T> the interface
   * @param dependency the dependency's name
   * @param type the interface to guard, such as a generated {@code Iface}
   * @param client the client
   * @return a guarded client
   * @throws IllegalArgumentException if there is no such dependency, or the type is not an
   *     interface that can be guarded
   */
  public <T> T guard(String dependency, Class<T> type, T client) {
    return Guard.of(breaker(dependency), type, client);
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
    return Guard.call(breaker(dependency), body);
  }

  /**
   * Wraps the processor of a server: requests of methods that require a refusing dependency are
   * shed at the door, and a dependency's broken transport does not close the caller's connection.
   * Everything else passes as if the wrapper were not there.
   *
   * <p>The caller's connection is kept if the exception that leaves the handler is the very
   * TTransportException that a guard threw on the request's own thread; any other closes it, as
   * without the wrapper.
   *
   * <p>Register all services of a multiplexed processor first. Every method that {@code requires}
   * names must be one of this processor's: to serve two processors that share dependencies on two
   * ports, make them one multiplexed processor or give each an interceptor. Methods of a processor
   * that is neither generated nor multiplexed are counted as {@code unknown}, but for those named
   * in {@code requires}. A frame is taken to hold one message, as all of Apache Thrift's clients
   * send it. Requests over TTupleProtocol without a framed transport pass untouched and uncounted.
   *
   * @param processor a synchronous processor, multiplexed or not
   * @return the wrapped processor
   * @throws IllegalArgumentException if it is asynchronous or wrapped already, or if {@code
   *     requires} names a method that it does not have
   */
  public TProcessor wrap(TProcessor processor) {
    TProcessor wrapped = requestPath.wrap(processor);
    registerMethods();
    return wrapped;
  }

  private synchronized void registerMethods() {
    for (MethodStats method : requestPath.methods()) {
      if (!closed && !registeredMethods.contains(method.name())) {
        management.method(
            new MethodBean(
                method.name(),
                method.requires(),
                method::requests,
                method::successes,
                method::failures,
                method::sheds,
                method::contained,
                method::inFlight,
                method::latency),
            method::latency);
        registeredMethods.add(method.name());
      }
    }
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
    return breakers.values();
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
  }

  private static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      log.warn("{} did not close cleanly", resource.getClass().getSimpleName(), e);
    }
  }

  private static String name(String what, String name) {
    if (name == null || !NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          what + ": " + name + " (expected: 1 to 64 of the characters A-Z a-z 0-9 _ . -)");
    }
    return name;
  }

  /** Collects settings; {@link #build()} checks them together. Not thread-safe. */
  public static final class Builder {

    private final String server;
    private final Map<String, Consumer<BreakerConfig.Builder>> dependencies = new LinkedHashMap<>();
    private final Map<String, List<String>> requires = new LinkedHashMap<>();
    private final List<TransitionListener> transitionListeners = new ArrayList<>();
    private final List<CallListener> callListeners = new ArrayList<>();
    private Consumer<BreakerConfig.Builder> defaults = config -> {};
    private URI redis;
    private String namespace;
    private String instance;
    private MetricRegistry registry;
    private IntSupplier serverThreads;

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
      return dependency(name, config -> {});
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
     * requests of the method are shed at the door. Leave out a method whose handler copes.
     *
     * @param method the method's name as in the IDL; {@code Service.method} where a multiplexed
     *     processor has methods of the same name
     * @param dependencies the dependencies; those not declared otherwise get the default settings
     * @return this
     * @throws IllegalArgumentException if a name is not well-formed or the list is empty
     */
    public Builder requires(String method, String... dependencies) {
      if (method == null || !METHOD.matcher(method).matches()) {
        throw new IllegalArgumentException(
            "method: " + method + " (expected: its name as in the IDL, or Service.method)");
      }
      if (dependencies.length == 0) {
        throw new IllegalArgumentException(
            "requires " + method + ": nothing (expected: at least one dependency)");
      }
      List<String> needs = requires.computeIfAbsent(method, none -> new ArrayList<>());
      for (String dependency : dependencies) {
        if (!needs.contains(name("dependency", dependency))) {
          needs.add(dependency);
        }
      }
      return this;
    }

    /**
     * How many threads serve the server's requests, which bounds how many of them calls to one
     * dependency may hold ({@link BreakerConfig.Builder#maxConcurrentCalls(int)}). Left out, the
     * threads that have served a request and are alive are counted.
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
      requires
          .values()
          .forEach(needs -> needs.forEach(name -> all.putIfAbsent(name, config -> {})));
      Map<String, BreakerConfig> configs = new LinkedHashMap<>();
      all.forEach(
          (name, settings) -> {
            BreakerConfig.Builder config = BreakerConfig.builder();
            defaults.andThen(settings).accept(config);
            try {
              configs.put(name, config.build());
            } catch (IllegalArgumentException e) {
              throw new IllegalArgumentException("dependency " + name + ": " + e.getMessage(), e);
            }
          });
      return configs;
    }
  }
}
