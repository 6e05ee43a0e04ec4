package dev.thriftbreaker.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import dev.thriftbreaker.fleet.redis.RedisStore;
import java.time.Clock;
import java.util.List;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Operations on the whole fleet: two instances and a real Redis. */
class FleetOperationsTest {

  /** One instance of a server with one breaker. */
  private static final class Instance implements AutoCloseable {

    private final MBeanServer mbeanServer = MBeanServerFactory.newMBeanServer();
    private final CircuitBreaker breaker =
        new CircuitBreaker(
            "inventory", BreakerConfig.DEFAULTS, System::nanoTime, () -> 0.5, () -> {});
    private final FleetSync fleet;
    private final Management management;

    Instance(RedisProcess redis, String name) {
      fleet = new FleetSync(new RedisStore(redis.uri()), "shop", name, List.of(breaker));
      management = new Management("checkout", new MetricRegistry(), mbeanServer, Clock.systemUTC());
      management.breaker(breaker, fleet);
      management.redisLink(fleet);
      fleet.start();
    }

    BreakerMXBean bean() throws Exception {
      return JMX.newMXBeanProxy(
          mbeanServer,
          new ObjectName("dev.thriftbreaker:type=Breaker,server=checkout,name=inventory"),
          BreakerMXBean.class);
    }

    RedisLinkMXBean link() throws Exception {
      return JMX.newMXBeanProxy(
          mbeanServer,
          new ObjectName("dev.thriftbreaker:type=RedisLink,server=checkout"),
          RedisLinkMXBean.class);
    }

    @Override
    public void close() {
      management.close();
      fleet.close();
    }
  }

  private RedisProcess redis;
  private Instance one;
  private Instance other;

  @BeforeEach
  void start() throws Exception {
    redis = RedisProcess.start();
    one = new Instance(redis, "checkout-1");
    other = new Instance(redis, "checkout-2");
    for (Instance instance : List.of(one, other)) {
      RedisLinkMXBean link = instance.link();
      await().until(() -> link.getStatus().equals("UP") && link.isSubscribed());
    }
  }

  @AfterEach
  void stop() {
    one.close();
    other.close();
    redis.close();
  }

  @Test
  void anOverrideOfTheFleetHoldsEverywhereUntilOneInstanceReleasesIt() throws Exception {
    assertThat(one.bean().forceOpenFleet(300, "deploy"))
        .isEqualTo("AUTO -> FORCED_OPEN for 300 s, fleet-wide");

    BreakerMXBean elsewhere = other.bean();
    await().until(() -> elsewhere.getMode().equals("FORCED_OPEN"));
    for (BreakerMXBean bean : List.of(one.bean(), elsewhere)) {
      assertThat(bean.isModeFleetWide()).isTrue();
      assertThat(bean.getModeReason()).isEqualTo("deploy");
      assertThat(bean.getModeBy()).isEqualTo(System.getProperty("user.name"));
    }

    assertThat(elsewhere.release("done")).isEqualTo("FORCED_OPEN -> AUTO, fleet-wide");
    BreakerMXBean here = one.bean();
    await().until(() -> here.getMode().equals("AUTO"));
    assertThat(elsewhere.getMode()).isEqualTo("AUTO");
  }

  @Test
  void shadowAndForcedClosedReachTheFleetToo() throws Exception {
    BreakerMXBean elsewhere = other.bean();

    one.bean().shadowFleet(300, "look");
    await().until(() -> elsewhere.getMode().equals("SHADOW"));
    one.bean().forceClosedFleet(300, "must go on");
    await().until(() -> elsewhere.getMode().equals("FORCED_CLOSED"));
  }

  @Test
  void whileRedisIsAwayTheOperatorIsToldAndNothingChanges() throws Exception {
    redis.kill();

    assertThatThrownBy(() -> one.bean().forceOpenFleet(300, "deploy"))
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasNoCause()
        .hasMessageStartingWith("inventory: ");
    assertThat(one.bean().getMode()).isEqualTo("AUTO");
    RedisLinkMXBean link = one.link();
    await().until(() -> link.getStatus().equals("DEGRADED"));
    assertThat(link.getErrorCount()).isPositive();
    assertThat(link.getLastError()).matches("20\\d\\d-\\d\\d-\\d\\dT.*Z .+");
    assertThat(link.getLastSuccess()).endsWith("Z");
    assertThat(one.bean().forceOpen(300, "this one at least")).startsWith("AUTO -> FORCED_OPEN");
  }
}
