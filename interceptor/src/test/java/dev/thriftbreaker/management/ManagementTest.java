package dev.thriftbreaker.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.Histogram;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.MetricRegistryListener;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.LatencyHistogram;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.redis.RedisStore;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.management.JMX;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.MBeanServerConnection;
import javax.management.MBeanServerFactory;
import javax.management.Notification;
import javax.management.NotificationBroadcasterSupport;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What gets registered, under which names, and what is left after closing. */
class ManagementTest {

  private final Clocks clocks = new Clocks();
  private final MBeanServer mbeanServer = MBeanServerFactory.newMBeanServer();
  private final MetricRegistry registry = new MetricRegistry();

  private Management management(String server, MetricRegistry metrics) {
    return new Management(server, metrics, mbeanServer, clocks);
  }

  private CircuitBreaker breaker(String name) {
    return new CircuitBreaker(
        name, BreakerConfig.DEFAULTS, clocks.nanoClock(), () -> 0.5, () -> {});
  }

  private Set<String> names(String query) throws Exception {
    return mbeanServer.queryNames(new ObjectName(query), null).stream()
        .map(ObjectName::toString)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Set<String> all() throws Exception {
    return names("dev.thriftbreaker:*");
  }

  private Object attribute(String name, String attribute) throws Exception {
    return mbeanServer.getAttribute(new ObjectName(name), attribute);
  }

  // ---- names

  @Test
  void mbeansAreNamedByTypeServerAndName() throws Exception {
    try (Management management = management("checkout", registry)) {
      management.breaker(breaker("inventory"), null);
      management.breaker(breaker("payments.v2_x-1"), null);
      management.method("quote", Quote::new, Quote::summary);

      assertThat(names("dev.thriftbreaker:type=Breaker,*"))
          .containsExactly(
              "dev.thriftbreaker:type=Breaker,server=checkout,name=inventory",
              "dev.thriftbreaker:type=Breaker,server=checkout,name=payments.v2_x-1");
      assertThat(names("dev.thriftbreaker:type=Method,*"))
          .containsExactly("dev.thriftbreaker:type=Method,server=checkout,name=quote");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "a b", "a,b", "a=b", "a:b", "a*", "a?", "\"a\"", "a\nb", "é"})
  void aNameThatWouldNeedQuotingIsRefused(String name) throws Exception {
    assertThatThrownBy(() -> management(name, registry))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("server: \"" + name.replace('\n', '?') + "\"")
        .hasMessageEndingWith("(expected: [A-Za-z0-9_.-]{1,64})");

    try (Management management = management("checkout", registry)) {
      assertThatThrownBy(() -> management.breaker(breaker(name), null))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("(expected: [A-Za-z0-9_.-]{1,64})");
      assertThat(all()).isEmpty();
      assertThat(registry.getMetrics()).isEmpty();
    }
  }

  @Test
  void aNameHasAtMost64Characters() throws Exception {
    management("x".repeat(64), registry).close();

    assertThatThrownBy(() -> management("x".repeat(65), registry))
        .isInstanceOf(IllegalArgumentException.class);
  }

  // ---- metrics

  @Test
  void everyMetricIsANumberUnderItsOwnObjectName() throws Exception {
    CircuitBreaker inventory = breaker("inventory");
    try (Management management = management("checkout", registry)) {
      management.breaker(inventory, null);

      assertThat(names("dev.thriftbreaker:type=Metric,*"))
          .hasSameSizeAs(registry.getMetrics().keySet())
          .contains(
              "dev.thriftbreaker:type=Metric,server=checkout,breaker=inventory,name=calls",
              "dev.thriftbreaker:type=Metric,server=checkout,breaker=inventory,name=latencyMicros");
      assertThat(registry.getMetrics())
          .containsKey("thriftbreaker.checkout.breaker.inventory.calls");
      assertThat(registry.getGauges().values())
          .allSatisfy(
              gauge -> assertThat(((Gauge<?>) gauge).getValue()).isInstanceOf(Number.class));
    }
  }

  @Test
  void metricsShowTheBreakerOfThisMoment() throws Exception {
    CircuitBreaker inventory = breaker("inventory");
    String metric = "dev.thriftbreaker:type=Metric,server=checkout,breaker=inventory,name=";
    try (Management management = management("checkout", registry)) {
      management.breaker(inventory, null);
      for (int i = 0; i < 5; i++) {
        long start = inventory.now();
        long permit = inventory.tryAcquire(start);
        clocks.advance(Duration.ofMillis(10));
        inventory.complete(permit, Outcome.FAILURE, start, null);
      }
      inventory.tryAcquire(inventory.now());
      clocks.advance(Duration.ofMillis(100));

      assertThat(attribute(metric + "calls", "Count")).isEqualTo(5L);
      assertThat(attribute(metric + "failures", "Count")).isEqualTo(5L);
      assertThat(attribute(metric + "shed", "Count")).isEqualTo(1L);
      assertThat(attribute(metric + "opened", "Count")).isEqualTo(1L);
      assertThat(attribute(metric + "openMillis", "Count")).isEqualTo(100L);
      assertThat(attribute(metric + "stateCode", "Value")).isEqualTo(2);
      assertThat(attribute(metric + "refusing", "Value")).isEqualTo(1);
      assertThat(attribute(metric + "modeCode", "Value")).isEqualTo(0);
      assertThat(attribute(metric + "latencyMicros", "Count")).isEqualTo(5L);
      for (String value :
          List.of("Min", "50thPercentile", "75thPercentile", "98thPercentile", "Mean", "Max")) {
        assertThat(((Number) attribute(metric + "latencyMicros", value)).doubleValue())
            .as(value)
            .isBetween(9_400.0, 10_600.0);
      }
      assertThat(attribute(metric + "latencyMicros", "StdDev")).isEqualTo(0.0);

      // a minute later the distribution is empty, the count is not
      clocks.advance(Duration.ofSeconds(61));
      assertThat(attribute(metric + "latencyMicros", "Count")).isEqualTo(5L);
      assertThat(attribute(metric + "latencyMicros", "Max")).isEqualTo(0L);
    }
  }

  @Test
  void metricsTellHungCallsRefusalsOfAFullOneAndTheRamp() throws Exception {
    CircuitBreaker inventory = breaker("inventory");
    inventory.configure(inventory.config().toBuilder().maxConcurrentCalls(5).build());
    String metric = "dev.thriftbreaker:type=Metric,server=checkout,breaker=inventory,name=";
    try (Management management = management("checkout", registry)) {
      management.breaker(inventory, null);
      for (int i = 0; i < 7; i++) {
        inventory.tryAcquire(inventory.now());
      }
      assertThat(attribute(metric + "maxConcurrentCalls", "Value")).isEqualTo(5);
      assertThat(attribute(metric + "full", "Count")).isEqualTo(2L);
      assertThat(attribute(metric + "shed", "Count")).isEqualTo(2L);
      assertThat(attribute(metric + "passingShare", "Value")).isEqualTo(1.0);
      assertThat(attribute(metric + "refusing", "Value")).isEqualTo(1);

      clocks.advance(Duration.ofMillis(2001));
      inventory.tick();
      assertThat(attribute(metric + "hung", "Count")).isEqualTo(5L);
      clocks.advance(Duration.ofSeconds(1));
      assertThat(attribute(metric + "refusing", "Value")).as("a probe may pass").isEqualTo(1);
      inventory.apply(1, BreakerState.CLOSED, Duration.ZERO, 1, "fleet", "it is back");
      assertThat(attribute(metric + "passingShare", "Value")).isEqualTo(0.1);
    }
  }

  @Test
  void metricsCanOnlyBeRead() {
    try (Management management = management("checkout", registry)) {
      management.breaker(breaker("inventory"), null);
      Counter calls = registry.getCounters().get("thriftbreaker.checkout.breaker.inventory.calls");
      Histogram latency =
          registry.getHistograms().get("thriftbreaker.checkout.breaker.inventory.latencyMicros");

      assertThatThrownBy(calls::inc).isInstanceOf(UnsupportedOperationException.class);
      assertThatThrownBy(calls::dec).isInstanceOf(UnsupportedOperationException.class);
      latency.update(5);
      assertThat(latency.getCount()).isZero();
    }
  }

  @Test
  void aMethodHasItsMBeanAndItsMetrics() throws Exception {
    try (Management management = management("checkout", registry)) {
      management.method("quote", Quote::new, Quote::summary);

      String metric = "dev.thriftbreaker:type=Metric,server=checkout,method=quote,name=";
      assertThat(attribute(metric + "requests", "Count")).isEqualTo(10L);
      assertThat(attribute(metric + "successes", "Count")).isEqualTo(5L);
      assertThat(attribute(metric + "failures", "Count")).isEqualTo(2L);
      assertThat(attribute(metric + "shed", "Count")).isEqualTo(3L);
      assertThat(attribute(metric + "contained", "Count")).isEqualTo(1L);
      assertThat(attribute(metric + "inFlight", "Value")).isEqualTo(4L);
      assertThat(attribute(metric + "latencyMicros", "Count")).isEqualTo(7L);
      assertThat(attribute("dev.thriftbreaker:type=Method,server=checkout,name=quote", "Requires"))
          .isEqualTo(new String[] {"inventory"});
      assertThat(attribute(metric + "fallbacks", "Count")).isEqualTo(6L);
      assertDescribed("dev.thriftbreaker:type=Method,server=checkout,name=quote", 12);
    }
  }

  private void assertDescribed(String name, int attributes) throws Exception {
    MBeanAttributeInfo[] infos = mbeanServer.getMBeanInfo(new ObjectName(name)).getAttributes();
    assertThat(infos).hasSize(attributes);
    for (MBeanAttributeInfo info : infos) {
      assertThat(info.getDescription()).as(info.getName()).contains(" ").endsWith(".");
      assertThat(mbeanServer.getAttribute(new ObjectName(name), info.getName())).isNotNull();
    }
  }

  // ---- the link to Redis

  @Test
  void theLinkIsReadableWhileRedisIsAway() throws Exception {
    try (FleetSync fleet = fleetWithoutRedis();
        Management management = management("checkout", registry)) {
      management.redisLink(fleet);

      String link = "dev.thriftbreaker:type=RedisLink,server=checkout";
      assertDescribed(link, 13);
      assertThat(attribute(link, "Status")).isIn("CONNECTING", "DEGRADED");
      assertThat(attribute(link, "Namespace")).isEqualTo("shop");
      assertThat(attribute(link, "LastSuccess")).isEqualTo("");
      assertThat(
              attribute(
                  "dev.thriftbreaker:type=Metric,server=checkout,link=redis,name=up", "Value"))
          .isEqualTo(0);
    }
  }

  @Test
  void anActOnTheFleetThatIsNotStoredIsRefusedInJavasOwnWords() throws Exception {
    CircuitBreaker inventory = breaker("inventory");
    try (FleetSync fleet = fleetWithoutRedis(inventory);
        Management management = management("checkout", registry);
        LoopbackConnector server = LoopbackConnector.start(mbeanServer, Map.of());
        JMXConnector connector = server.connect()) {
      management.breaker(inventory, fleet);
      MBeanServerConnection connection = connector.getMBeanServerConnection();
      BreakerMXBean remote =
          JMX.newMXBeanProxy(
              connection,
              new ObjectName("dev.thriftbreaker:type=Breaker,server=checkout,name=inventory"),
              BreakerMXBean.class);

      assertThatThrownBy(() -> remote.forceOpenFleet(60, "deploy"))
          .isExactlyInstanceOf(IllegalStateException.class)
          .hasNoCause();
      assertThat(remote.getMode()).isEqualTo("AUTO");
    }
  }

  private static FleetSync fleetWithoutRedis(CircuitBreaker... breakers) throws Exception {
    int port;
    try (ServerSocket nobody = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = nobody.getLocalPort();
    }
    URI uri = URI.create("redis://127.0.0.1:" + port);
    return new FleetSync(new RedisStore(uri), "shop", "checkout-1", List.of(breakers));
  }

  // ---- clashes and neighbours

  @Test
  void aTakenNameIsRefusedAndNothingIsLeftHalfRegistered() throws Exception {
    try (Management first = management("checkout", registry)) {
      first.breaker(breaker("inventory"), null);
      Set<String> before = all();
      MetricRegistry others = new MetricRegistry();

      try (Management second = management("checkout", others)) {
        assertThatThrownBy(() -> second.breaker(breaker("inventory"), null))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("dev.thriftbreaker:type=Breaker,server=checkout,name=inventory")
            .hasMessageContaining("registered already");
      }

      assertThat(others.getMetrics()).isEmpty();
      assertThat(all()).isEqualTo(before);
    }
    assertThat(all()).isEmpty();
  }

  @Test
  void aMetricsObjectNameThatIsTakenIsRefusedAndStaysItsOwners() throws Exception {
    ObjectName taken =
        new ObjectName("dev.thriftbreaker:type=Metric,server=checkout,breaker=inventory,name=shed");
    mbeanServer.registerMBean(
        new DescribedMBean(
            new Quote(),
            MethodMXBean.class,
            new NotificationBroadcasterSupport(),
            new DescribedMBean.Kind(MethodMXBean.class)),
        taken);
    try (Management management = management("checkout", registry)) {
      assertThatThrownBy(() -> management.breaker(breaker("inventory"), null))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(taken.toString());
      assertThat(registry.getMetrics()).isEmpty();
    }
    assertThat(all()).containsExactly(taken.toString());
  }

  @Test
  void aMetricNameTakenByTheApplicationIsRefusedAndStaysTheApplications() throws Exception {
    Counter theirs = registry.counter("thriftbreaker.checkout.breaker.inventory.shed");
    try (Management management = management("checkout", registry)) {
      assertThatThrownBy(() -> management.breaker(breaker("inventory"), null))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("thriftbreaker.checkout.breaker.inventory.shed");
      assertThat(all()).isEmpty();
    }
    assertThat(registry.getMetrics())
        .isEqualTo(Map.of("thriftbreaker.checkout.breaker.inventory.shed", theirs));
  }

  @Test
  void twoServersShareARegistryAndAnMBeanServer() throws Exception {
    registry.counter("application.own");
    Management checkout = management("checkout", registry);
    Management billing = management("billing", registry);
    checkout.breaker(breaker("inventory"), null);
    billing.breaker(breaker("inventory"), null);
    Set<String> ofBilling = names("dev.thriftbreaker:*,server=billing");
    int metricsOfBoth = registry.getMetrics().size();

    assertThat(all()).hasSize(2 * ofBilling.size()).noneMatch(name -> name.contains("own"));
    checkout.close();

    assertThat(all()).isEqualTo(ofBilling);
    assertThat(registry.getMetrics()).hasSize((metricsOfBoth - 1) / 2 + 1);
    assertThat(registry.getNames()).contains("application.own");
    billing.breaker(breaker("payments"), null);
    assertThat(names("dev.thriftbreaker:type=Breaker,*")).hasSize(2);
    billing.close();
    assertThat(all()).isEmpty();
    assertThat(registry.getNames()).containsExactly("application.own");
  }

  @Test
  void theApplicationsOwnMetricsComeAndGoUnseen() throws Exception {
    try (Management management = management("checkout", registry)) {
      management.breaker(breaker("inventory"), null);
      Set<String> before = all();

      registry.counter("calls").inc();
      registry.timer("thriftbreaker.checkout.breaker.inventory.mine");
      assertThat(all()).isEqualTo(before);
      registry.remove("calls");
      registry.remove("thriftbreaker.checkout.breaker.inventory.mine");
      assertThat(all()).isEqualTo(before);
    }
  }

  // ---- closing

  @Test
  void closingLeavesNothingBehind() throws Exception {
    CircuitBreaker inventory = breaker("inventory");
    FleetSync fleet = fleetWithoutRedis();
    Management management = management("checkout", registry);
    management.breaker(inventory, null);
    management.method("quote", Quote::new, Quote::summary);
    management.redisLink(fleet);
    management.register("Interceptor", null, Quote::new, MethodMXBean.class);
    assertThat(all()).contains("dev.thriftbreaker:type=Interceptor,server=checkout");
    List<Notification> heard = new ArrayList<>();
    mbeanServer.addNotificationListener(
        new ObjectName("dev.thriftbreaker:type=Breaker,server=checkout,name=inventory"),
        (notification, handback) -> heard.add(notification),
        null,
        null);

    management.close();
    management.close();
    fleet.close();
    inventory.reset("ann", "why");
    inventory.apply(0, BreakerState.OPEN, Duration.ofSeconds(1), 1, "fleet", "why");
    inventory.dispatch();

    assertThat(all()).isEmpty();
    assertThat(registry.getMetrics()).isEmpty();
    assertThat(heard).isEmpty();
    assertThatThrownBy(() -> management.breaker(breaker("late"), null))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    try (Management again = management("checkout", registry)) {
      again.breaker(breaker("inventory"), null);
    }
  }

  @Test
  void closingTakesTheReporterOutOfASharedRegistry() {
    List<MetricRegistryListener> listeners = new ArrayList<>();
    MetricRegistry shared =
        new MetricRegistry() {
          @Override
          public void addListener(MetricRegistryListener listener) {
            listeners.add(listener);
            super.addListener(listener);
          }

          @Override
          public void removeListener(MetricRegistryListener listener) {
            listeners.remove(listener);
            super.removeListener(listener);
          }
        };
    Management management = management("checkout", shared);
    assertThat(listeners).hasSize(1);

    management.close();

    assertThat(listeners).isEmpty();
  }

  /** At 70 attributes each, ten thousand breakers had more to tell than to count. */
  @Test
  void whatABreakersMBeanTellsOfItselfIsSharedByAll() throws Exception {
    try (Management management = management("checkout", registry)) {
      management.breaker(breaker("inventory"), null);
      management.breaker(breaker("payments"), null);

      assertThat(mbeanServer.getMBeanInfo(named("inventory")))
          .isSameAs(mbeanServer.getMBeanInfo(named("payments")));
    }
  }

  private static ObjectName named(String breaker) throws Exception {
    return new ObjectName("dev.thriftbreaker:type=Breaker,server=checkout,name=" + breaker);
  }

  @Test
  void anMBeanOfSomebodyElseIsNotTouched() throws Exception {
    ObjectName foreign =
        new ObjectName("dev.thriftbreaker:type=Breaker,server=checkout,name=other");
    mbeanServer.registerMBean(
        new DescribedMBean(
            new Quote(),
            MethodMXBean.class,
            new NotificationBroadcasterSupport(),
            new DescribedMBean.Kind(MethodMXBean.class)),
        foreign);
    Management management = management("checkout", registry);
    management.breaker(breaker("inventory"), null);

    management.close();

    assertThat(all()).containsExactly(foreign.toString());
    assertThat(mbeanServer.getAttribute(foreign, "Name")).isEqualTo("quote");
  }

  /** A method with a different number in each place. */
  private static final class Quote implements MethodMXBean {

    static final LatencyHistogram LATENCY = new LatencyHistogram();

    static LatencyHistogram.Summary summary() {
      return LATENCY.summary(0);
    }

    @Override
    public String getName() {
      return "quote";
    }

    @Override
    public String[] getRequires() {
      return new String[] {"inventory"};
    }

    @Override
    public String[] getLearnedRequires() {
      return new String[0];
    }

    @Override
    public RequirementView[] getRequirements() {
      return new RequirementView[0];
    }

    @Override
    public String declareNeeded(String dependency, String reason) {
      return "";
    }

    @Override
    public String declareNotNeeded(String dependency, String reason) {
      return "";
    }

    @Override
    public String learn(String dependency, String reason) {
      return "";
    }

    @Override
    public long getRequestCount() {
      return 10;
    }

    @Override
    public long getSuccessCount() {
      return 5;
    }

    @Override
    public long getFailureCount() {
      return 2;
    }

    @Override
    public long getShedCount() {
      return 3;
    }

    @Override
    public long getFallbackCount() {
      return 6;
    }

    @Override
    public long getContainedCount() {
      return 1;
    }

    @Override
    public long getInFlight() {
      return 4;
    }

    @Override
    public Latency getLatency() {
      return Latency.of(summary());
    }
  }
}
