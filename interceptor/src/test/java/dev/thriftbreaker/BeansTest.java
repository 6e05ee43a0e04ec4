package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.LatencyHistogram;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.management.InterceptorMXBean;
import dev.thriftbreaker.management.Management;
import dev.thriftbreaker.management.MethodMXBean;
import dev.thriftbreaker.thrift.RequestPath;
import dev.thriftbreaker.thrift.Requirements;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/** The MBeans of the interceptor itself and of its methods, read through an MBeanServer. */
class BeansTest {

  private final MBeanServer mbeanServer = MBeanServerFactory.newMBeanServer();

  private Management management() {
    return new Management("checkout", new MetricRegistry(), mbeanServer, Clock.systemUTC());
  }

  private <T> T read(String name, Class<T> type) throws Exception {
    return JMX.newMXBeanProxy(mbeanServer, new ObjectName(name), type);
  }

  @Test
  void theInterceptorListsItsBreakersAndThoseThatRefuse() throws Exception {
    CircuitBreaker payments = breaker("payments");
    CircuitBreaker inventory = breaker("inventory");
    AtomicLong clock = new AtomicLong();
    CircuitBreaker stock =
        new CircuitBreaker("stock", BreakerConfig.DEFAULTS, clock::get, () -> 0.5, () -> {});
    stock.apply(0, BreakerState.OPEN, Duration.ofSeconds(5), 1, "fleet", "down");
    clock.addAndGet(Duration.ofSeconds(1).toNanos()); // an early probe may pass
    payments.override(new ModeOverride(Mode.FORCED_OPEN, 1_000, "ann", "deploy", false));
    InterceptorBean bean =
        new InterceptorBean(
            "checkout",
            "checkout-1",
            Instant.EPOCH,
            () -> 32,
            true,
            false,
            List.of(stock, payments, inventory),
            () -> List.of("quote", "placeOrder"),
            () -> 7,
            () -> 3);

    try (Management management = management()) {
      management.register("Interceptor", null, () -> bean, InterceptorMXBean.class);
      InterceptorMXBean remote =
          read("dev.thriftbreaker:type=Interceptor,server=checkout", InterceptorMXBean.class);

      assertThat(remote.getServer()).isEqualTo("checkout");
      assertThat(remote.getInstance()).isEqualTo("checkout-1");
      assertThat(remote.getVersion()).isNotNull();
      assertThat(remote.getStartTime()).isEqualTo("1970-01-01T00:00:00Z");
      assertThat(remote.getBreakers()).containsExactly("inventory", "payments", "stock");
      assertThat(remote.getOpenBreakers()).containsExactly("payments", "stock");
      assertThat(remote.getMethods()).containsExactly("placeOrder", "quote");
      assertThat(remote.getRequestCount()).isEqualTo(7);
      assertThat(remote.getShedCount()).isEqualTo(3);
      assertThat(remote.getServerThreads()).isEqualTo(32);
      assertThat(remote.isServerThreadsTold()).isTrue();
      assertThat(remote.isRedisConfigured()).isFalse();
    }
  }

  private static CircuitBreaker breaker(String name) {
    return new CircuitBreaker(name, BreakerConfig.DEFAULTS, () -> 0, () -> 0.5, () -> {});
  }

  /** Of a method quote that is declared to need the inventory. */
  private static Requirements requirements(CircuitBreaker inventory) {
    RequestPath path =
        new RequestPath(
            Map.of("inventory", inventory), Map.of("quote", List.of("inventory")), () -> 0);
    path.wrap((in, out) -> {});
    return path.methods().iterator().next().requirements();
  }

  @Test
  void aMethodShowsEachNumberInItsPlace() throws Exception {
    LatencyHistogram latency = new LatencyHistogram();
    latency.record(1_000_000, 0);
    MethodBean bean =
        new MethodBean(
            "quote",
            requirements(breaker("inventory")),
            () -> 1,
            () -> 2,
            () -> 3,
            () -> 4,
            () -> 5,
            () -> 6,
            () -> 7,
            () -> latency.summary(0));

    try (Management management = management()) {
      management.method(bean.name(), () -> bean, bean.latency());
      MethodMXBean remote =
          read("dev.thriftbreaker:type=Method,server=checkout,name=quote", MethodMXBean.class);

      assertThat(remote.getName()).isEqualTo("quote");
      assertThat(remote.getRequires()).containsExactly("inventory");
      assertThat(remote.getLearnedRequires()).isEmpty();
      assertThat(remote.getRequestCount()).isEqualTo(1);
      assertThat(remote.getSuccessCount()).isEqualTo(2);
      assertThat(remote.getFailureCount()).isEqualTo(3);
      assertThat(remote.getShedCount()).isEqualTo(4);
      assertThat(remote.getContainedCount()).isEqualTo(5);
      assertThat(remote.getFallbackCount()).isEqualTo(6);
      assertThat(remote.getInFlight()).isEqualTo(7);
      assertThat(remote.getLatency().getCount()).isEqualTo(1);
      assertThat(remote.getLatency().getMaxMillis()).isBetween(0.94, 1.06);
    }
  }
}
