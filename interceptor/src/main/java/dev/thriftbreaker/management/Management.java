package dev.thriftbreaker.management;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.LatencyHistogram;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.breaker.TransitionListener;
import dev.thriftbreaker.fleet.FleetSync;
import java.time.Clock;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import javax.management.MBeanServer;
import javax.management.NotificationBroadcasterSupport;
import javax.management.NotificationEmitter;

/**
 * The operator's side of one server: its MBeans and its metrics.
 *
 * <p>MBeans are named {@code dev.thriftbreaker:type=T,server=S[,name=N]}. Metrics are in the
 * registry as {@code thriftbreaker.S.breaker.N.M}, {@code thriftbreaker.S.method.N.M}, {@code
 * thriftbreaker.S.pool.N.M} and {@code thriftbreaker.S.link.redis.M}, and in JMX as {@code
 * dev.thriftbreaker:type=Metric,server=S,breaker=N,name=M} and likewise {@code method=N}, {@code
 * pool=N} and {@code link=redis}:
 *
 * <table>
 * <caption>Metrics</caption>
 * <tr><th>of a</th><th>counters, which only rise</th><th>gauges</th><th>histogram</th></tr>
 * <tr><td>breaker</td>
 * <td>calls, successes, failures, ignored, slow, hung, shed, full (of shed, those for which too many
 * calls were under way), heldOff (of shed, those for which the dependency had asked to be left alone),
 * fallbacks, late, wouldRefuse, opened, openMillis</td>
 * <td>stateCode (0 CLOSED, 1 HALF_OPEN, 2 OPEN, 3 RAMPING), modeCode (0 AUTO, 1 FORCED_OPEN, 2
 * FORCED_CLOSED, 3 SHADOW), refusing (0 or 1), passingShare, retryAfterMillis, consecutiveOpens,
 * failureRate, slowCallRate, windowCalls, inFlight, maxConcurrentCalls (0 for no limit),
 * configVersion</td>
 * <td>latencyMicros</td></tr>
 * <tr><td>method</td><td>requests, successes, failures, shed, contained, fallbacks</td><td>inFlight</td>
 * <td>latencyMicros</td></tr>
 * <tr><td>pool</td><td>opened, discarded, timeouts, unserved</td><td>active, idle</td><td></td></tr>
 * <tr><td>link</td><td>errors, writes, events, reconciles, repairs</td>
 * <td>up (0 or 1), pendingWrites</td><td></td></tr>
 * </table>
 *
 * <p>Every metric reads what is counted anyway when a reporter asks; calls pay nothing for it. The
 * count of a histogram is that of all calls since start, its distribution that of the last 30 to 60
 * seconds.
 *
 * <p>No connector is opened. Nothing here does I/O, but for operations on the whole fleet. Each
 * method registers all it names or nothing. Safe for any threads.
 */
public final class Management implements AutoCloseable {

  private record KindKey(Class<?> bean, Class<?> mxbean) {}

  /** What operators get to know of a breaker: its history, and notifications once it is shown. */
  private final class Told implements TransitionListener {
    private final String name;
    private final CircuitBreaker breaker;
    private final FleetSync fleet;
    private final Supplier<GuardNumbers> guards;
    private final WallTime wallTime;
    private final History history = new History();
    private volatile TransitionNotifier notifier;

    Told(CircuitBreaker breaker, FleetSync fleet, Supplier<GuardNumbers> guards) {
      this.name = objectNames.of("Breaker", breaker.name());
      this.breaker = breaker;
      this.fleet = fleet;
      this.guards = guards;
      this.wallTime = new WallTime(wallClock, breaker);
    }

    DescribedMBean show() {
      notifier = new TransitionNotifier(ObjectNames.parse(name), wallTime);
      BreakerBean bean = new BreakerBean(breaker, fleet, wallTime, guards, history);
      return described(bean, BreakerMXBean.class, notifier);
    }

    @Override
    public void onTransition(Transition transition) {
      if (!closed) {
        history.add(wallTime.iso(transition.atNanos()) + " " + transition.describe());
        TransitionNotifier shown = notifier;
        if (shown != null) { // else nobody can have subscribed
          shown.send(transition);
        }
      }
    }
  }

  private final ObjectNames objectNames;
  private final Registrar registrar = new Registrar();
  private final PlatformServer mbeans = new PlatformServer();
  private final MetricRegistry sharedRegistry;
  private final Clock wallClock;
  private final Map<KindKey, DescribedMBean.Kind> kinds = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** Made when there is something to show; guarded by this. */
  private Metrics metrics;

  /**
   * For the MBean server of the platform. What is registered before {@link #open()} waits for that.
   *
   * @param server the server's name, {@code [A-Za-z0-9_.-]{1,64}}
   * @param registry where metrics go; may be shared. Null for one that nobody else sees
   * @throws IllegalArgumentException if the name is another
   */
  public Management(String server, MetricRegistry registry) {
    this.objectNames = new ObjectNames(server);
    this.wallClock = Clock.systemUTC();
    this.sharedRegistry = registry;
  }

  /**
   * For an MBean server of one's own.
   *
   * @param server the server's name, {@code [A-Za-z0-9_.-]{1,64}}
   * @param registry where metrics go; may be shared
   * @param mbeanServer where MBeans go
   * @param wallClock the time of day, for what operators read
   * @throws IllegalArgumentException if the name is another
   */
  public Management(
      String server, MetricRegistry registry, MBeanServer mbeanServer, Clock wallClock) {
    this.objectNames = new ObjectNames(server);
    this.wallClock = Objects.requireNonNull(wallClock, "wallClock");
    this.sharedRegistry = Objects.requireNonNull(registry, "registry");
    mbeans.open(Objects.requireNonNull(mbeanServer, "mbeanServer"), this::open);
  }

  /**
   * Shows on the platform's MBean server what is registered so far; what is registered later is
   * there at once. If nobody has asked the JDK for that server before, it is made and filled on
   * another thread; whoever asks for it gets it with all MBeans in it. Once, and not for an MBean
   * server of one's own.
   *
   * @throws IllegalStateException if a name is taken; the message says which
   */
  public void open() {
    mbeans.openPlatform(objectNames.server(), this::open);
  }

  private void open(MBeanServer server) {
    registrar.open(server);
    metrics().open(server);
  }

  private synchronized Metrics metrics() {
    if (metrics == null) {
      metrics =
          new Metrics(objectNames, sharedRegistry == null ? new MetricRegistry() : sharedRegistry);
    }
    return metrics;
  }

  /**
   * Registers a breaker that has no guards, as {@link #breaker(CircuitBreaker, FleetSync,
   * Supplier)} does.
   *
   * @param breaker the breaker
   * @param fleet what carries acts on the whole fleet, or null where state is kept in memory only
   * @throws IllegalArgumentException if the breaker's name is not {@code [A-Za-z0-9_.-]{1,64}}
   * @throws IllegalStateException if the name is taken; the message says which
   */
  public void breaker(CircuitBreaker breaker, FleetSync fleet) {
    breaker(breaker, fleet, () -> GuardNumbers.NONE);
  }

  /**
   * Registers a breaker as {@code type=Breaker}, with its metrics. Its MBean sends an {@code
   * AttributeChangeNotification} for each transition, from the thread that calls {@link
   * CircuitBreaker#dispatch()}.
   *
   * @param breaker the breaker
   * @param fleet what carries acts on the whole fleet, or null where state is kept in memory only
   * @param guards reads what its guards count; must be quick and never throw
   * @throws IllegalArgumentException if the breaker's name is not {@code [A-Za-z0-9_.-]{1,64}}
   * @throws IllegalStateException if the name is taken; the message says which
   */
  public void breaker(CircuitBreaker breaker, FleetSync fleet, Supplier<GuardNumbers> guards) {
    Told told = new Told(breaker, fleet, guards);
    register(told.name, told::show, () -> metrics().breaker(breaker, guards));
    breaker.addListener(told);
  }

  /**
   * Registers a method as {@code type=Method}, with its metrics.
   *
   * @param name the method's name
   * @param method makes its bean when that is shown, one for JMX and one for the metrics; the
   *     bean's getters must be quick and never throw
   * @param latency how long its requests took lately
   * @throws IllegalArgumentException if the name is not {@code [A-Za-z0-9_.-]{1,64}}
   * @throws IllegalStateException if the name is taken; the message says which
   */
  public void method(
      String name,
      Supplier<? extends MethodMXBean> method,
      Supplier<LatencyHistogram.Summary> latency) {
    register(
        objectNames.of("Method", name),
        () -> silent(method.get(), MethodMXBean.class),
        () -> metrics().method(method.get(), latency));
  }

  /**
   * Registers the metrics of a dependency's pool of clients.
   *
   * @param dependency the dependency's name
   * @param numbers reads them; must be quick and never throw
   * @throws IllegalArgumentException if the name is not {@code [A-Za-z0-9_.-]{1,64}}
   * @throws IllegalStateException if the name is taken; the message says which
   */
  public void pool(String dependency, Supplier<PoolNumbers> numbers) {
    ObjectNames.checked("pool", dependency);
    withRegistry(() -> metrics().pool(dependency, numbers));
  }

  /**
   * Registers the link to Redis as {@code type=RedisLink}, with its metrics.
   *
   * @param fleet the link
   * @throws IllegalStateException if the name is taken; the message says which
   */
  public void redisLink(FleetSync fleet) {
    register(
        objectNames.of("RedisLink", null),
        () -> silent(new RedisLinkBean(fleet), RedisLinkMXBean.class),
        () -> metrics().redisLink(fleet));
  }

  /**
   * Registers any MXBean whose interface carries {@link Description}s.
   *
   * @param <T> the interface
   * @param type the type in its name, such as {@code Interceptor}
   * @param name the name in its name, or null for the only one of its type
   * @param bean makes the bean when it is shown; its getters must be quick and never throw
   * @param mxbean the interface, public
   * @throws IllegalArgumentException if type or name is not {@code [A-Za-z0-9_.-]{1,64}}
   * @throws IllegalStateException if the name is taken; the message says which
   */
  public <T> void register(String type, String name, Supplier<? extends T> bean, Class<T> mxbean) {
    register(objectNames.of(type, name), () -> silent(bean.get(), mxbean), () -> {});
  }

  private <T> DescribedMBean silent(T bean, Class<T> mxbean) {
    return described(bean, mxbean, new NotificationBroadcasterSupport());
  }

  private <T> DescribedMBean described(T bean, Class<T> mxbean, NotificationEmitter emitter) {
    DescribedMBean.Kind kind =
        kinds.computeIfAbsent(
            new KindKey(bean.getClass(), mxbean), key -> new DescribedMBean.Kind(mxbean));
    return new DescribedMBean(bean, mxbean, emitter, kind);
  }

  private void register(String name, Supplier<DescribedMBean> mbean, Runnable itsMetrics) {
    registrar.claim(name);
    try {
      mbeans.run(() -> registrar.register(name, mbean));
      withRegistry(itsMetrics);
    } catch (RuntimeException e) {
      registrar.unregister(name);
      throw e;
    }
  }

  /** What others see has to be there at once. */
  private void withRegistry(Runnable work) {
    if (sharedRegistry != null) {
      work.run();
    } else {
      mbeans.run(work);
    }
  }

  /** Unregisters the MBeans and takes the metrics back, these and no others. */
  @Override
  public void close() {
    closed = true;
    mbeans.close();
    registrar.close();
    metrics().close();
  }
}
