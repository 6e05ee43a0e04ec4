package dev.thriftbreaker.management;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.Metric;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.jmx.JmxReporter;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.LatencyHistogram;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.LinkStatus;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * One server's metrics in a Dropwizard registry, and its own JMX reporter for them.
 *
 * <p>Every metric is a view: it reads what breakers and methods count anyway, at the moment a
 * reporter asks; no call updates it. The registry may be shared with the application and with other
 * interceptors: the reporter shows only what was put in here, and closing takes only that out.
 *
 * <p>Safe for any threads. {@code own} is written before a metric enters the registry and after it
 * leaves, because the reporter asks for it in between.
 */
final class Metrics implements AutoCloseable {

  private record Owned(Metric metric, ObjectName objectName) {}

  private final ObjectNames objectNames;
  private final MetricRegistry registry;
  private final Map<String, Owned> own = new ConcurrentHashMap<>();
  private final ObjectName notOurs;
  private volatile MBeanServer mbeanServer;
  private volatile JmxReporter reporter;

  Metrics(ObjectNames objectNames, MetricRegistry registry) {
    this.objectNames = objectNames;
    this.registry = registry;
    this.notOurs = objectNames.ofMetric("none", "none", "none");
  }

  /** Shows the metrics over JMX, those that are there and those that come. Once. */
  void open(MBeanServer server) {
    for (Owned owned : own.values()) {
      refuseIfTaken(server, owned.objectName);
    }
    mbeanServer = server;
    reporter =
        JmxReporter.forRegistry(registry)
            .registerWith(server)
            .inDomain(ObjectNames.DOMAIN)
            .createsObjectNamesWith((type, domain, name) -> objectName(name))
            .filter(this::isOwn)
            .build();
    reporter.start();
  }

  /** The reporter would only log it. */
  private static void refuseIfTaken(MBeanServer server, ObjectName objectName) {
    if (server.isRegistered(objectName)) {
      throw Registrar.taken(objectName);
    }
  }

  private boolean isOwn(String name, Metric metric) {
    Owned owned = own.get(name);
    return owned != null && owned.metric == metric;
  }

  /**
   * The reporter also asks for the names of other people's metrics when they are removed, to
   * unregister them: it gets a name that is never registered.
   */
  private ObjectName objectName(String metric) {
    Owned owned = own.get(metric);
    return owned == null ? notOurs : owned.objectName;
  }

  /** All numbers of a breaker, as {@code thriftbreaker.<server>.breaker.<name>.<metric>}. */
  void breaker(CircuitBreaker breaker, Supplier<GuardNumbers> guards) {
    Group group = new Group("breaker", breaker.name());
    group.gauge("stateCode", () -> breaker.snapshot().state().code());
    group.gauge("modeCode", () -> modeCode(breaker.snapshot().mode()));
    group.gauge("refusing", () -> isRefusing(breaker) ? 1 : 0);
    group.gauge("passingShare", () -> breaker.snapshot().share());
    group.gauge(
        "retryAfterMillis",
        () -> TimeUnit.NANOSECONDS.toMillis(breaker.snapshot().remainingNanos()));
    group.gauge("consecutiveOpens", () -> breaker.snapshot().consecutiveOpens());
    group.gauge("failureRate", () -> breaker.snapshot().window().failureRate());
    group.gauge("slowCallRate", () -> breaker.snapshot().window().slowCallRate());
    group.gauge("windowCalls", () -> breaker.snapshot().window().calls());
    group.gauge("inFlight", () -> breaker.snapshot().inFlight());
    group.gauge("maxConcurrentCalls", () -> breaker.snapshot().maxConcurrentCalls());
    group.gauge("configVersion", breaker::configVersion);
    group.counter("calls", () -> breaker.snapshot().acquired());
    group.counter("successes", () -> breaker.snapshot().successes());
    group.counter("failures", () -> breaker.snapshot().failures());
    group.counter("ignored", () -> breaker.snapshot().ignored());
    group.counter("slow", () -> breaker.snapshot().slow());
    group.counter("shed", () -> breaker.snapshot().refused());
    group.counter("full", () -> breaker.snapshot().refusedFull());
    group.counter("heldOff", () -> guards.get().heldOff());
    group.counter("fallbacks", () -> guards.get().fallbacks());
    group.counter("hung", () -> breaker.snapshot().hung());
    group.counter("late", () -> breaker.snapshot().late());
    group.counter("wouldRefuse", () -> breaker.snapshot().wouldRefuse());
    group.counter("opened", () -> breaker.snapshot().opened());
    group.counter(
        "openMillis", () -> TimeUnit.NANOSECONDS.toMillis(breaker.snapshot().openNanosTotal()));
    group.latency(
        () -> breaker.snapshot().successes() + breaker.snapshot().failures(), breaker::latency);
    group.register();
  }

  static boolean isRefusing(CircuitBreaker breaker) {
    return breaker.snapshot().refusesSome() || breaker.refuses(breaker.now());
  }

  private static int modeCode(Mode mode) {
    return switch (mode) {
      case AUTO -> 0;
      case FORCED_OPEN -> 1;
      case FORCED_CLOSED -> 2;
      case SHADOW -> 3;
    };
  }

  /** A method, as {@code thriftbreaker.<server>.method.<name>.<metric>}. */
  void method(MethodMXBean method, Supplier<LatencyHistogram.Summary> latency) {
    Group group = new Group("method", method.getName());
    group.gauge("inFlight", method::getInFlight);
    group.counter("requests", method::getRequestCount);
    group.counter("successes", method::getSuccessCount);
    group.counter("failures", method::getFailureCount);
    group.counter("shed", method::getShedCount);
    group.counter("contained", method::getContainedCount);
    group.counter("fallbacks", method::getFallbackCount);
    group.latency(() -> method.getSuccessCount() + method.getFailureCount(), latency);
    group.register();
  }

  /** A pool of clients, as {@code thriftbreaker.<server>.pool.<dependency>.<metric>}. */
  void pool(String dependency, Supplier<PoolNumbers> numbers) {
    Group group = new Group("pool", dependency);
    group.gauge("active", () -> numbers.get().active());
    group.gauge("idle", () -> numbers.get().idle());
    group.counter("opened", () -> numbers.get().opened());
    group.counter("discarded", () -> numbers.get().discarded());
    group.counter("timeouts", () -> numbers.get().timeouts());
    group.counter("unserved", () -> numbers.get().unserved());
    group.register();
  }

  /** The link to Redis, as {@code thriftbreaker.<server>.link.redis.<metric>}. */
  void redisLink(FleetSync fleet) {
    Group group = new Group("link", "redis");
    group.gauge("up", () -> fleet.status().state() == LinkStatus.State.UP ? 1 : 0);
    group.gauge("pendingWrites", () -> fleet.status().pendingWrites());
    group.counter("errors", () -> fleet.status().errors());
    group.counter("writes", () -> fleet.status().writes());
    group.counter("events", () -> fleet.status().events());
    group.counter("reconciles", () -> fleet.status().reconciles());
    group.counter("repairs", () -> fleet.status().repairs());
    group.register();
  }

  @Override
  public void close() {
    JmxReporter opened = reporter;
    if (opened != null) {
      opened.close();
    }
    registry.removeMatching(this::isOwn);
    own.clear();
  }

  /** The metrics of one breaker or method: all of them get registered, or none. */
  private final class Group {

    private final String kind;
    private final String owner;
    private final Map<String, Metric> metrics = new LinkedHashMap<>();

    Group(String kind, String owner) {
      this.kind = kind;
      this.owner = ObjectNames.checked(kind, owner);
    }

    void gauge(String name, Supplier<Number> value) {
      metrics.put(name, (Gauge<Number>) value::get);
    }

    void counter(String name, LongSupplier value) {
      metrics.put(name, new CounterView(value));
    }

    void latency(LongSupplier count, Supplier<LatencyHistogram.Summary> latency) {
      metrics.put("latencyMicros", new LatencyView(count, latency));
    }

    void register() {
      Map<String, Owned> fresh = new LinkedHashMap<>();
      metrics.forEach(
          (name, metric) -> {
            ObjectName objectName = objectNames.ofMetric(kind, owner, name);
            MBeanServer server = mbeanServer;
            if (server != null) {
              refuseIfTaken(server, objectName);
            }
            String inRegistry =
                MetricRegistry.name("thriftbreaker", objectNames.server(), kind, owner, name);
            fresh.put(inRegistry, new Owned(metric, objectName));
          });
      own.putAll(fresh);
      try {
        fresh.forEach((name, owned) -> registry.register(name, owned.metric));
      } catch (IllegalArgumentException e) { // the application has one of that name
        registry.removeMatching((name, metric) -> fresh.containsKey(name) && isOwn(name, metric));
        own.keySet().removeAll(fresh.keySet());
        throw new IllegalStateException(e.getMessage(), e);
      }
    }
  }
}
