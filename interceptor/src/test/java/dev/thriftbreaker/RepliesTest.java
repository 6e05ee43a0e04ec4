package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import dev.thriftbreaker.thrift.ClientPool;
import dev.thriftbreaker.thrift.FallbackOn;
import dev.thriftbreaker.thrift.Shed;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.management.ObjectName;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shed replies, fallbacks and breakers of methods, as a user sets them up. */
class RepliesTest {

  private static class Shop implements Stock.Iface {
    private final int answer;

    Shop(int answer) {
      this.answer = answer;
    }

    @Override
    public int reserve(String sku, int quantity) throws TException {
      return answer;
    }

    @Override
    public long ping(long number) {
      return answer;
    }

    @Override
    public void touch() {
      throw new IllegalStateException("down");
    }
  }

  /** A client for one request, which is served when its reply is read. */
  private static Stock.Client client(TProcessor processor) throws TException {
    TMemoryBuffer request = new TMemoryBuffer(64);
    TMemoryBuffer reply =
        new TMemoryBuffer(64) {
          private boolean served;

          @Override
          public int read(byte[] buffer, int offset, int length) throws TTransportException {
            if (!served) {
              served = true;
              serve(processor, request, this);
            }
            return super.read(buffer, offset, length);
          }
        };
    return new Stock.Client(new TBinaryProtocol(reply), new TBinaryProtocol(request));
  }

  private static void serve(TProcessor processor, TMemoryBuffer request, TMemoryBuffer reply) {
    try {
      processor.process(new TBinaryProtocol(request), new TBinaryProtocol(reply));
    } catch (TException e) {
      throw new AssertionError(e);
    }
  }

  private static void open(CircuitBreaker breaker) {
    breaker.override(
        new ModeOverride(
            Mode.FORCED_OPEN,
            breaker.now() + Duration.ofMinutes(1).toNanos(),
            "test",
            "test",
            false));
  }

  @Test
  void requestsShedAtTheDoorAreAnsweredAsSet() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("replies")
            .dependency("db")
            .requires("reserve", "db")
            .requires("ping", "db")
            .requires("touch", "db")
            .shedType(12)
            .shedType("touch", 13)
            .shedException(
                "reserve", OutOfStock.class, refusal -> new OutOfStock(refusal.breaker(), 0))
            .fallback("ping", new Stock.Processor<>(new Shop(7)))
            .build()) {
      TProcessor processor = interceptor.wrap(new Stock.Processor<>(new Shop(1)));
      assertThat(client(processor).reserve("a", 1)).isEqualTo(1);
      open(interceptor.breaker("db"));

      assertThatThrownBy(() -> client(processor).reserve("a", 1))
          .isEqualTo(new OutOfStock("db", 0));
      assertThat(client(processor).ping(3)).isEqualTo(7);
      Throwable touch = catchThrowable(() -> client(processor).touch());
      assertThat(((TApplicationException) touch).getType()).isEqualTo(13);
      assertThat(Shed.of(touch)).map(Shed::state).contains("FORCED_OPEN");
    }
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("replies")
            .requires("reserve", "db")
            .requires("ping", "db")
            .shedException(OutOfStock.class, refusal -> new OutOfStock("all", 0))
            .shedResult("ping", Long.class, refusal -> -1L)
            .build()) {
      TProcessor processor = interceptor.wrap(new Stock.Processor<>(new Shop(1)));
      open(interceptor.breaker("db"));

      assertThatThrownBy(() -> client(processor).reserve("a", 1))
          .isEqualTo(new OutOfStock("all", 0));
      assertThat(client(processor).ping(3)).isEqualTo(-1);
    }
  }

  @Test
  void aProcessorServesAllMethodsWhileTheirDependenciesAreOpen() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("replies")
            .requires("ping", "db")
            .fallback(new Stock.Processor<>(new Shop(7)))
            .build()) {
      TProcessor processor = interceptor.wrap(new Stock.Processor<>(new Shop(1)));
      open(interceptor.breaker("db"));
      assertThat(client(processor).ping(3)).isEqualTo(7);
      assertThat(client(processor).reserve("a", 1)).isEqualTo(1);
    }
  }

  @Test
  void guardedCallsFallBackAndAreCounted() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("replies").dependency("stock").build()) {
      Stock.Iface guarded = interceptor.guard("stock", Stock.Iface.class, new Shop(1), new Shop(7));
      assertThat(guarded.ping(3)).isEqualTo(1);
      assertThat(
              interceptor.<Integer>call(
                  "stock",
                  () -> {
                    throw new IllegalStateException("down");
                  },
                  FallbackOn.FAILURE,
                  why -> why.getMessage().length()))
          .isEqualTo(4);
      open(interceptor.breaker("stock"));

      assertThat(guarded.ping(3)).isEqualTo(7);
      assertThat(interceptor.<Integer>call("stock", () -> 1, refused -> 8)).isEqualTo(8);

      assertThat(interceptor.downstream("stock").fallbacks()).isEqualTo(3);
      assertThat(attribute("Breaker", "name=stock", "FallbackCount")).isEqualTo(3L);
      assertThat(attribute("Metric", "breaker=stock,name=fallbacks", "Count")).isEqualTo(3L);
      assertThat(interceptor.downstream("stock")).isSameAs(interceptor.downstream("stock"));
      assertThatIllegalArgumentException().isThrownBy(() -> interceptor.downstream("stok"));
    }
  }

  @Test
  void anOperatorsActEndsAHoldOff() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("replies")
            .dependency("b", d -> d.honorRetryAfter(true))
            .build()) {
      catchThrowable(
          () ->
              interceptor.call(
                  "b",
                  () -> {
                    throw new TApplicationException(
                        11, "SHED dependency=c state=OPEN retryAfterMs=60000");
                  }));
      assertThatThrownBy(() -> interceptor.call("b", () -> 1)).hasMessageContaining("HOLD_OFF");
      assertThat(interceptor.callAsync("b", () -> CompletableFuture.completedFuture(1)))
          .isCompletedExceptionally();
      assertThat(attribute("Breaker", "name=b", "HeldOffCount")).isEqualTo(2L);
      assertThat(attribute("Metric", "breaker=b,name=heldOff", "Count")).isEqualTo(2L);
      CircuitBreaker breaker = interceptor.breaker("b");
      breaker.override(
          new ModeOverride(
              Mode.FORCED_CLOSED,
              breaker.now() + Duration.ofMinutes(1).toNanos(),
              "op",
              "it works",
              false));
      await().untilAsserted(() -> assertThat(interceptor.<Integer>call("b", () -> 1)).isEqualTo(1));
    }
  }

  @Test
  void allGuardsOfADependencyShareItsHoldOff() throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("replies")
            .dependency("b", d -> d.honorRetryAfter(true))
            .build()) {
      // given one pool that was there before, and one that comes later
      ClientPool.Builder<Stock.Client> nowhere =
          ClientPool.builder(Stock.Client::new, () -> new TSocket("127.0.0.1", 1));
      Stock.Iface before = interceptor.guard("b", Stock.Iface.class, nowhere);

      // when
      catchThrowable(
          () ->
              interceptor.call(
                  "b",
                  () -> {
                    throw new TApplicationException(
                        11, "SHED dependency=c state=OPEN retryAfterMs=60000");
                  }));

      // then
      Stock.Iface after = interceptor.guard("b", Stock.Iface.class, nowhere);
      assertThatThrownBy(() -> before.ping(1)).hasMessageContaining("HOLD_OFF");
      assertThatThrownBy(() -> after.ping(1)).hasMessageContaining("HOLD_OFF");
      assertThat(interceptor.callAsync("b", () -> CompletableFuture.completedFuture(1)))
          .failsWithin(Duration.ZERO)
          .withThrowableThat()
          .withMessageContaining("HOLD_OFF");
    }
  }

  private static Object attribute(String type, String name, String attribute) throws Exception {
    return ManagementFactory.getPlatformMBeanServer()
        .getAttribute(
            new ObjectName("dev.thriftbreaker:type=" + type + ",server=replies," + name),
            attribute);
  }

  private static boolean isRegistered(String breaker) throws Exception {
    return ManagementFactory.getPlatformMBeanServer()
        .isRegistered(
            new ObjectName("dev.thriftbreaker:type=Breaker,server=replies,name=" + breaker));
  }

  @Test
  void aMethodsBreakerIsLikeAnyOther() throws Exception {
    try (RedisProcess redis = RedisProcess.start()) {
      List<Transition> heard = new CopyOnWriteArrayList<>();
      try (ThriftInterceptor interceptor =
          ThriftInterceptor.builder("replies")
              .redis(redis.uri())
              .methodBreaker("touch", d -> d.consecutiveFailures(2))
              .listener((Transition transition) -> heard.add(transition))
              .build()) {
        assertThat(isRegistered("method.touch")).isTrue();
        TProcessor processor = interceptor.wrap(new Stock.Processor<>(new Shop(1)));
        for (int i = 0; i < 2; i++) {
          assertThatThrownBy(() -> client(processor).touch())
              .hasMessageContaining("Internal error");
        }
        assertThatThrownBy(() -> client(processor).touch())
            .hasMessageStartingWith("SHED dependency=method.touch state=OPEN");
        assertThat(client(processor).ping(3)).isEqualTo(1);
        assertThat(interceptor.breakers()).extracting("name").containsExactly("method.touch");
      }
      assertThat(isRegistered("method.touch")).isFalse();
      assertThat(heard).extracting(Transition::to).containsExactly(BreakerState.OPEN);
      try (var client = redis.client()) {
        assertThat(client.hget("tb:{replies/method.touch}", "st")).isEqualTo("OPEN");
      }
    }
  }

  @Test
  void aBreakerThatBeganWithTheProcessorIsTheFleetsTooAndGoesOnAfterARestart() throws Exception {
    try (RedisProcess redis = RedisProcess.start()) {
      try (ThriftInterceptor interceptor = ofAllMethods(redis)) {
        TProcessor processor = interceptor.wrap(new Stock.Processor<>(new Shop(1)));
        for (int i = 0; i < 2; i++) {
          assertThatThrownBy(() -> client(processor).touch())
              .hasMessageContaining("Internal error");
        }
      }
      try (ThriftInterceptor interceptor = ofAllMethods(redis)) {
        interceptor.wrap(new Stock.Processor<>(new Shop(1)));
        await()
            .atMost(Duration.ofSeconds(15))
            .until(
                () ->
                    interceptor.breakers().stream()
                        .anyMatch(
                            breaker ->
                                breaker.name().equals("method.touch")
                                    && breaker.snapshot().state() == BreakerState.OPEN));
      }
    }
  }

  private static ThriftInterceptor ofAllMethods(RedisProcess redis) {
    return ThriftInterceptor.builder("replies")
        .redis(redis.uri())
        .methodBreakers(d -> d.consecutiveFailures(2).openDuration(Duration.ofMinutes(1)))
        .build();
  }

  @Test
  void everyMethodCanHaveABreaker(@TempDir Path folder) throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("breakers.properties"),
            """
            server = replies
            methodBreakers = *, ping
            methodBreaker.*.consecutiveFailures = 1
            """);
    for (ThriftInterceptor.Builder builder :
        List.of(
            ThriftInterceptor.builder("replies")
                .methodBreakers(d -> d.consecutiveFailures(1))
                .methodBreaker("ping"),
            ThriftInterceptor.builder(file))) {
      try (ThriftInterceptor interceptor = builder.build()) {
        assertThat(interceptor.breakers()).extracting("name").containsExactly("method.ping");
        TProcessor processor = interceptor.wrap(new Stock.Processor<>(new Shop(1)));
        interceptor.wrap(new Stock.Processor<>(new Shop(1)));
        assertThat(interceptor.breakers())
            .extracting("name")
            .containsExactlyInAnyOrder("method.ping", "method.reserve", "method.touch");
        assertThat(isRegistered("method.touch")).isTrue();
        assertThat(interceptor.breaker("method.ping").config().consecutiveFailures()).isEqualTo(5);

        assertThatThrownBy(() -> client(processor).touch()).hasMessageContaining("Internal error");
        assertThatThrownBy(() -> client(processor).touch())
            .hasMessageStartingWith("SHED dependency=method.touch state=OPEN");
      }
      assertThat(isRegistered("method.touch")).isFalse();
    }
  }

  @Test
  void namesThatClashAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            ThriftInterceptor.builder("replies").dependency("method.a").methodBreaker("a")::build)
        .withMessage("methodBreaker: a (expected: no dependency called method.a)");
    assertThatIllegalArgumentException()
        .isThrownBy(
            ThriftInterceptor.builder("replies").dependency("method.a").methodBreakers()::build)
        .withMessage("dependency: method.a (expected: no name of a method's breaker)");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> ThriftInterceptor.builder("replies").methodBreaker("a").methodBreaker("a"))
        .withMessage("methodBreaker: a (expected: each one declared once)");
    assertThatIllegalArgumentException()
        .isThrownBy(
            ThriftInterceptor.builder("replies").methodBreaker("a", d -> d.probes(0))::build)
        .withMessageStartingWith("methodBreaker a: probes: 0 (expected:");
  }
}
