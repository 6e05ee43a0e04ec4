package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import dev.thriftbreaker.thrift.BreakerOpenException;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.management.ObjectName;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.transport.TTransport;
import org.junit.jupiter.api.Test;

class ThriftInterceptorTest {

  private static final Stock.Iface DOWN =
      new Stock.Iface() {
        @Override
        public int reserve(String sku, int quantity) {
          throw new IllegalStateException("down");
        }

        @Override
        public long ping(long number) {
          return number;
        }

        @Override
        public void touch() {}
      };

  private static Set<ObjectName> mbeans(String server) throws Exception {
    return ManagementFactory.getPlatformMBeanServer()
        .queryNames(new ObjectName("dev.thriftbreaker:*,server=" + server), null);
  }

  private static List<String> threads(String server) {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("thrift-breaker-") && name.contains(server))
        .toList();
  }

  private static void trip(ThriftInterceptor interceptor) throws Exception {
    Stock.Iface stock = interceptor.guard("stock", Stock.Iface.class, DOWN);
    for (int i = 0; i < 5; i++) {
      assertThatThrownBy(() -> stock.reserve("pencil", 1)).hasMessage("down");
    }
    assertThatExceptionOfType(BreakerOpenException.class)
        .isThrownBy(() -> stock.reserve("pencil", 1))
        .withMessageStartingWith("SHED dependency=stock state=OPEN retryAfterMs=");
  }

  @Test
  void closeGivesThreadsMbeansMetricsAndConnectionsBack() throws Exception {
    MetricRegistry registry = new MetricRegistry();
    registry.counter("the.users.own");
    try (RedisProcess redis = RedisProcess.start()) {
      ThriftInterceptor interceptor =
          ThriftInterceptor.builder("closing")
              .redis(redis.uri())
              .dependency("stock")
              .metricRegistry(registry)
              .build();
      interceptor.wrap(new Stock.Processor<>(DOWN));
      await().until(() -> connections(redis) >= 2);
      assertThat(threads("closing")).hasSizeGreaterThanOrEqualTo(4);
      assertThat(mbeans("closing")).hasSizeGreaterThan(5);
      assertThat(registry.getNames()).hasSizeGreaterThan(5);

      interceptor.close();
      interceptor.close();

      assertThat(mbeans("closing")).isEmpty();
      assertThat(registry.getNames()).containsExactly("the.users.own");
      await().untilAsserted(() -> assertThat(threads("closing")).isEmpty());
      await().untilAsserted(() -> assertThat(connections(redis)).isZero());
    }
  }

  /** Connections other than the one that asks. */
  private static long connections(RedisProcess redis) {
    try (var client = redis.client()) {
      return client
              .info("clients")
              .lines()
              .filter(line -> line.startsWith("connected_clients:"))
              .mapToLong(line -> Long.parseLong(line.split(":")[1].strip()))
              .sum()
          - 1;
    }
  }

  @Test
  void anInstanceThatNobodyNamedIsCalledAfterServerAndProcess() throws Exception {
    try (ThriftInterceptor interceptor = ThriftInterceptor.builder("unnamed").build()) {
      Object instance =
          ManagementFactory.getPlatformMBeanServer()
              .getAttribute(
                  new ObjectName("dev.thriftbreaker:type=Interceptor,server=unnamed"), "Instance");

      assertThat(instance)
          .asString()
          .matches("unnamed-" + ProcessHandle.current().pid() + "-[0-9a-f]{4}");
      assertThat(interceptor.breakers()).isEmpty();
    }
  }

  @Test
  void methodsAreCalledAsAnIdlCanCallThem() {
    for (String method : List.of("", " ", "a b", "a\tb", "a\u007fb", "m".repeat(256))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ThriftInterceptor.builder("named").requiresNothing(method))
          .withMessageStartingWith("method: " + method);
    }
    for (String method : List.of("m", "S.m", "m\u00fc\uD83D\uDE00", "\uD83D\uDE00".repeat(255))) {
      ThriftInterceptor.builder("named").requiresNothing(method);
    }
  }

  @Test
  void aTransitionMadeRightBeforeCloseIsToldAndStored() throws Exception {
    try (RedisProcess redis = RedisProcess.start()) {
      List<Transition> heard = new CopyOnWriteArrayList<>();
      try (ThriftInterceptor interceptor =
          ThriftInterceptor.builder("last-words")
              .redis(redis.uri())
              .dependency("stock")
              .listener((Transition transition) -> heard.add(transition))
              .build()) {
        await().until(() -> connections(redis) >= 2);
        trip(interceptor);
      }
      assertThat(heard).extracting(Transition::to).containsExactly(BreakerState.OPEN);
      try (var client = redis.client()) {
        assertThat(client.hget("tb:{last-words/stock}", "st")).isEqualTo("OPEN");
      }
    }
  }

  @Test
  void twoInterceptorsInOneJvmLiveSideBySide() throws Exception {
    ThriftInterceptor one = ThriftInterceptor.builder("side-a").dependency("stock").build();
    try (ThriftInterceptor two = ThriftInterceptor.builder("side-b").dependency("stock").build()) {
      trip(one);
      assertThat(one.breaker("stock").snapshot().state()).isEqualTo(BreakerState.OPEN);
      assertThat(two.breaker("stock").snapshot().state()).isEqualTo(BreakerState.CLOSED);
      assertThat(mbeans("side-a")).hasSameSizeAs(mbeans("side-b"));
      one.close();
      assertThat(mbeans("side-a")).isEmpty();
      assertThat(mbeans("side-b")).isNotEmpty();
      assertThat(two.guard("stock", Stock.Iface.class, DOWN).ping(7)).isEqualTo(7);
    } finally {
      one.close();
    }
  }

  @Test
  void aSecondOneOfTheSameNameIsRefusedAndLeavesNothingBehind() throws Exception {
    try (ThriftInterceptor first = ThriftInterceptor.builder("twin").dependency("a").build()) {
      Set<ObjectName> before = mbeans("twin");
      int threads = threads("twin").size();
      ThriftInterceptor.Builder second = ThriftInterceptor.builder("twin").dependency("b");
      assertThatThrownBy(second::build)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(
              "dev.thriftbreaker:type=Interceptor,server=twin is registered already");
      assertThat(mbeans("twin")).isEqualTo(before);
      await().until(() -> threads("twin").size() == threads);
      assertThat(first.breakers()).hasSize(1);
    }
  }

  @Test
  void namesThatNobodyDeclaredAreRefusedWithThoseThereAre() {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("names").dependency("stock").requires("fly", "wings").build()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> interceptor.call("stok", () -> 1))
          .withMessage("dependency: stok (expected one of: [stock, wings])");
      TProcessor processor = new Stock.Processor<>(DOWN);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> interceptor.wrap(processor))
          .withMessageContaining("fly")
          .withMessageContaining("reserve");
    }
  }

  @Test
  void badSettingsAreRefusedBeforeAnythingStarts() throws Exception {
    ThriftInterceptor.Builder builder =
        ThriftInterceptor.builder("bad").dependency("stock", d -> d.failureRateThreshold(3));
    assertThatIllegalArgumentException()
        .isThrownBy(builder::build)
        .withMessage("dependency stock: failureRateThreshold: 3.0 (expected: > 0 and <= 1)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ThriftInterceptor.builder("a b"))
        .withMessage("server: a b (expected: 1 to 64 of the characters A-Z a-z 0-9 _ . -)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.redis(URI.create("http://127.0.0.1")))
        .withMessageContaining("http://127.0.0.1");
    assertThat(threads("bad")).isEmpty();
    assertThat(mbeans("bad")).isEmpty();
  }

  @Test
  void aRedisThatHangsFromTheStartDelaysNeitherBuildNorCallsNorClose() throws Exception {
    try (RedisProcess redis = RedisProcess.start()) {
      redis.hang();
      ThriftInterceptor interceptor =
          ThriftInterceptor.builder("hung-redis").redis(redis.uri()).dependency("stock").build();
      trip(interceptor);
      interceptor.close();
      await().untilAsserted(() -> assertThat(threads("hung-redis")).isEmpty());
      redis.resume();
    }
  }

  @Test
  void aCallThrowsWhatItsBodyThrowsAndReturnsWhatItReturns() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("calls").dependency("orders-db").build()) {
      assertThat(interceptor.<Integer>call("orders-db", () -> 42)).isEqualTo(42);
      IOException broken = new IOException("broken");
      assertThatThrownBy(
              () ->
                  interceptor.call(
                      "orders-db",
                      () -> {
                        throw broken;
                      }))
          .isSameAs(broken);
      assertThat(interceptor.breaker("orders-db").snapshot().failures()).isEqualTo(1);
    }
  }

  @Test
  void aCallThatEndsLaterEndsAsItsStageDoesOrIsRefused() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("later").dependency("stock").build()) {
      CompletableFuture<Integer> stage = new CompletableFuture<>();
      CompletableFuture<Integer> future = interceptor.callAsync("stock", () -> stage);
      assertThat(interceptor.breaker("stock").snapshot().inFlight()).isEqualTo(1);
      stage.complete(42);
      assertThat(future).isCompletedWithValue(42);
      assertThat(interceptor.breaker("stock").snapshot().successes()).isEqualTo(1);
      trip(interceptor);
      assertThat(interceptor.callAsync("stock", () -> stage).handle((result, thrown) -> thrown))
          .isCompletedWithValueMatching(BreakerOpenException.class::isInstance);
    }
  }

  @Test
  void methodsOfAFactorysProcessorsAreRegisteredOnceTheyAreKnown() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("factory").dependency("stock").build()) {
      TProcessorFactory factory =
          interceptor.wrap(
              new TProcessorFactory(null) {
                @Override
                public TProcessor getProcessor(TTransport transport) {
                  return new Stock.Processor<>(DOWN);
                }
              });
      ObjectName ping = new ObjectName("dev.thriftbreaker:type=Method,server=factory,name=ping");
      assertThat(mbeans("factory")).doesNotContain(ping);
      for (int i = 0; i < 3; i++) {
        factory.getProcessor(null);
        assertThat(mbeans("factory")).contains(ping);
      }
      interceptor.wrap(new TProcessorFactory(new Stock.Processor<>(DOWN)));
      assertThat(mbeans("factory")).contains(ping);
    }
    assertThat(mbeans("factory")).isEmpty();
  }

  /** A client that can be closed. */
  public interface ClosableStock extends Stock.Iface, AutoCloseable {
    @Override
    void close();
  }

  @Test
  void aClientCanBeClosedWhileItsBreakerIsOpen() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("closable").dependency("stock").build()) {
      List<String> closed = new CopyOnWriteArrayList<>();
      ClosableStock client =
          (ClosableStock)
              Proxy.newProxyInstance(
                  ClosableStock.class.getClassLoader(),
                  new Class<?>[] {ClosableStock.class},
                  (proxy, method, args) -> {
                    closed.add(method.getName());
                    return method.getReturnType() == boolean.class ? false : null;
                  });
      trip(interceptor);
      interceptor.guard("stock", ClosableStock.class, client).close();
      assertThat(closed).containsExactly("close");
    }
  }

  @Test
  void anUndeclaredExceptionPassesAsAFailureADeclaredOneAsASuccess() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("outcomes").dependency("stock").build()) {
      Stock.Iface guarded =
          interceptor.guard(
              "stock",
              Stock.Iface.class,
              new Stock.Iface() {
                @Override
                public int reserve(String sku, int quantity) throws TException {
                  throw new OutOfStock(sku, 0);
                }

                @Override
                public long ping(long number) throws TException {
                  throw new TException("undeclared");
                }

                @Override
                public void touch() {}
              });
      assertThatThrownBy(() -> guarded.reserve("pencil", 1)).isInstanceOf(OutOfStock.class);
      assertThatThrownBy(() -> guarded.ping(1)).hasMessage("undeclared");
      assertThat(interceptor.breaker("stock").snapshot().successes()).isEqualTo(1);
      assertThat(interceptor.breaker("stock").snapshot().failures()).isEqualTo(1);
    }
  }

  // ---- what methods require

  @Test
  void requirementsThatContradictEachOtherAreRefused() {
    ThriftInterceptor.Builder builder =
        ThriftInterceptor.builder("contradiction").requires("reserve", "stock");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.requiresNothing("reserve"))
        .withMessage("requires reserve: nothing and [stock] (expected: one of the two)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.requiresNothing("touch").requires("touch", "stock"))
        .withMessage("requires touch: nothing and [stock] (expected: one of the two)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.requires("ping"))
        .withMessage(
            "requires ping: nothing (expected: at least one dependency, or requiresNothing)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.requiresNothing("a b"))
        .withMessage("method: a b (expected: its name as in the IDL, or Service.method)");
  }
}
