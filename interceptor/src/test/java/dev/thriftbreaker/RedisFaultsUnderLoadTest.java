package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import dev.thriftbreaker.thrift.gen.Stock;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.management.ObjectName;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.layered.TFramedTransport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A real server under load while its Redis is killed, hung, started again empty and flushed. No
 * request may fail. How long requests took in each phase is printed, not asserted: compare the
 * rows.
 */
class RedisFaultsUnderLoadTest {

  private static final int CLIENTS = 4;

  private static final class Calm implements Stock.Iface {
    @Override
    public int reserve(String sku, int quantity) {
      return quantity;
    }

    @Override
    public long ping(long number) {
      return number + 1;
    }

    @Override
    public void touch() {}
  }

  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicReference<ConcurrentLinkedQueue<Long>> phase =
      new AtomicReference<>(new ConcurrentLinkedQueue<>());
  private final List<Thread> clients = new ArrayList<>();
  private volatile boolean ended;
  private RedisProcess redis;
  private ThriftInterceptor interceptor;
  private ThriftInterceptor other;
  private TThreadPoolServer server;

  private void startWithRedis() throws Exception {
    redis = RedisProcess.start();
    interceptor = interceptor("faults-a");
    other = interceptor("faults-b");
    startServerAndLoad();
  }

  private void startServerAndLoad() throws Exception {
    Stock.Iface guarded = interceptor.guard("stock", Stock.Iface.class, new Calm());
    TServerSocket socket =
        new TServerSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    server =
        new TThreadPoolServer(
            new TThreadPoolServer.Args(socket)
                .transportFactory(new TFramedTransport.Factory())
                .processor(interceptor.wrap(new Stock.Processor<>(guarded))));
    Thread serving = new Thread(server::serve);
    serving.setDaemon(true);
    serving.start();
    for (int i = 0; i < CLIENTS; i++) {
      Thread client = new Thread(() -> load(socket.getServerSocket().getLocalPort()));
      client.setDaemon(true);
      clients.add(client);
      client.start();
    }
  }

  private ThriftInterceptor interceptor(String server) {
    ThriftInterceptor.Builder builder =
        ThriftInterceptor.builder(server)
            .namespace("faults")
            .dependency("stock")
            .dependency("spare", d -> d.openDuration(Duration.ofMinutes(1)))
            .requires("ping", "stock");
    return redis == null ? builder.build() : builder.redis(redis.uri()).build();
  }

  private void load(int port) {
    try (TFramedTransport transport =
        new TFramedTransport(new TSocket("127.0.0.1", port, 30_000))) {
      transport.open();
      Stock.Client client = new Stock.Client(new TBinaryProtocol(transport));
      for (long number = 0; !ended; number++) {
        long start = System.nanoTime();
        assertThat(client.ping(number)).isEqualTo(number + 1);
        phase.get().add(System.nanoTime() - start);
        requests.incrementAndGet();
        Thread.yield();
      }
    } catch (TException | RuntimeException | Error e) {
      failures.add(e);
    }
  }

  @AfterEach
  void stop() throws Exception {
    ended = true;
    for (Thread client : clients) {
      client.join();
    }
    server.stop();
    interceptor.close();
    if (redis != null) {
      other.close();
      redis.close();
    }
  }

  /** Lets some thousand requests pass and prints how long they took. */
  private void loadInPhase(String name) {
    ConcurrentLinkedQueue<Long> mine = new ConcurrentLinkedQueue<>();
    phase.set(mine);
    int until = requests.get() + 4_000;
    await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> requests.get() > until || !failures.isEmpty());
    long[] nanos = mine.stream().mapToLong(Long::longValue).sorted().toArray();
    System.out.printf(
        Locale.ROOT,
        "%-28s %6d requests, ms: p50 %.3f  p99 %.3f  max %.3f%n",
        name,
        nanos.length,
        at(nanos, 0.5),
        at(nanos, 0.99),
        Arrays.stream(nanos).max().orElse(0) / 1e6);
    assertThat(failures).isEmpty();
  }

  private static double at(long[] sorted, double share) {
    return sorted[(int) (share * (sorted.length - 1))] / 1e6;
  }

  private String link(ThriftInterceptor which) throws Exception {
    String server = which == interceptor ? "faults-a" : "faults-b";
    return (String)
        ManagementFactory.getPlatformMBeanServer()
            .getAttribute(
                new ObjectName("dev.thriftbreaker:type=RedisLink,server=" + server), "Status");
  }

  private void awaitLink(String status) {
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> link(interceptor).equals(status) && link(other).equals(status));
  }

  private void awaitBoth(BreakerState state) {
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              assertThat(interceptor.breaker("spare").snapshot().state()).isEqualTo(state);
              assertThat(other.breaker("spare").snapshot().state()).isEqualTo(state);
              assertThat(stored()).isEqualTo(state.name());
            });
  }

  private String stored() {
    try (var client = redis.client()) {
      return client.hmget("tb:{faults/spare}", "st").get(0);
    }
  }

  private static void trip(ThriftInterceptor interceptor) {
    for (int i = 0; i < 5; i++) {
      interceptor.breaker("spare").tryAcquire().orElseThrow().failure(null);
    }
  }

  @Test
  void withoutRedisTheSameLoadPasses() throws Exception {
    interceptor = interceptor("faults-a");
    startServerAndLoad();
    loadInPhase("warm-up");
    loadInPhase("no Redis configured");
  }

  @Test
  void whateverHappensToRedisNoRequestFailsAndTheFleetAgreesAgain() throws Exception {
    startWithRedis();
    awaitLink("UP");
    loadInPhase("warm-up");
    loadInPhase("Redis up");
    trip(interceptor);
    awaitBoth(BreakerState.OPEN);

    redis.kill();
    awaitLink("DEGRADED");
    loadInPhase("Redis killed");
    other.breaker("spare").reset("test", "decided while Redis is away");
    redis.restart();
    awaitLink("UP");
    loadInPhase("Redis started again, empty");
    awaitBoth(BreakerState.CLOSED);

    redis.hang();
    loadInPhase("Redis hangs");
    awaitLink("DEGRADED");
    trip(interceptor);
    loadInPhase("Redis still hangs");
    redis.resume();
    awaitLink("UP");
    awaitBoth(BreakerState.OPEN);
    loadInPhase("Redis goes on");

    try (var client = redis.client()) {
      client.flushAll();
    }
    loadInPhase("Redis flushed");
    awaitBoth(BreakerState.OPEN);
    assertThat(interceptor.breaker("stock").snapshot().refused()).isZero();
  }
}
