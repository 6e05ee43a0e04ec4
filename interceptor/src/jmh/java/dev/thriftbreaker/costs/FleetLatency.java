package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;

/**
 * How long after one of four servers opened a breaker the last of the others refuses calls, in JVMs
 * of their own over a real Redis; and what PUBLISH to SUBSCRIBE takes between the same JVMs in the
 * same rounds, which is the least it can take. {@code System.nanoTime()} is the same clock for all
 * processes of one Linux machine.
 */
final class FleetLatency implements Measurement {

  private static final int SERVERS = 4;
  private static final String CHANNEL = "costs";

  @Override
  public String name() {
    return "fleet";
  }

  @Override
  public List<Score> measure(boolean quick) throws Exception {
    int rounds = quick ? 50 : 500;
    List<Double> published = new ArrayList<>();
    List<Double> lastRefuses = new ArrayList<>();
    try (RedisProcess redis = RedisProcess.start()) {
      List<ChildJvm> servers = new ArrayList<>();
      try {
        for (int i = 0; i < SERVERS; i++) {
          servers.add(new ChildJvm(FleetLatency.class, List.of(), redis.uri().toString(), "s" + i));
        }
        for (ChildJvm server : servers) {
          server.next("READY");
        }
        for (int round = -rounds / 5; round < rounds; round++) {
          ChildJvm first = servers.get(Math.floorMod(round, SERVERS));
          List<Double> deliveries = publish(first, servers);
          double last = trip(first, servers);
          if (round >= 0) { // the others warm up
            published.addAll(deliveries);
            lastRefuses.add(last);
          }
        }
      } finally {
        servers.forEach(ChildJvm::close);
      }
    }
    return List.of(
        score("publishMedian", Figures.median(published)),
        score("publishP99", Figures.quantile(published, 0.99)),
        score("lastRefusesMedian", Figures.median(lastRefuses)),
        score("lastRefusesP99", Figures.quantile(lastRefuses, 0.99)));
  }

  private Score score(String name, double millis) {
    return new Score(name() + "." + name, 1, millis, "ms");
  }

  private static List<Double> publish(ChildJvm first, List<ChildJvm> servers)
      throws InterruptedException {
    first.tell("publish");
    List<Double> deliveries = new ArrayList<>();
    for (ChildJvm server : servers) {
      double millis = Long.parseLong(server.next("DELIVERED")) / 1e6;
      if (server != first) {
        deliveries.add(millis);
      }
    }
    return deliveries;
  }

  private static double trip(ChildJvm first, List<ChildJvm> servers) throws InterruptedException {
    first.tell("trip");
    long opened = Long.parseLong(first.next(BreakerState.OPEN.name()));
    long last = opened;
    for (ChildJvm server : servers) {
      if (server != first) {
        last = Math.max(last, Long.parseLong(server.next(BreakerState.OPEN.name())));
      }
    }
    first.tell("reset");
    for (ChildJvm server : servers) {
      server.next(BreakerState.CLOSED.name());
    }
    return (last - opened) / 1e6;
  }

  public static void main(String[] args) throws Exception {
    URI uri = URI.create(args[0]);
    try (RedisClient publisher = client(uri);
        RedisClient subscriber = client(uri);
        ThriftInterceptor interceptor =
            ThriftInterceptor.builder("costs")
                .redis(uri)
                .instance(args[1])
                .dependency(
                    "inventory",
                    d ->
                        d.openDuration(Duration.ofSeconds(30))
                            .rampInterval(Duration.ZERO)
                            .earlyProbeInterval(Duration.ZERO))
                .listener((Transition t) -> ChildJvm.say(t.to() + " " + t.atNanos()))
                .build()) {
      subscribe(subscriber);
      CircuitBreaker breaker = interceptor.breaker("inventory");
      BufferedReader input =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        switch (line) {
          case "publish" -> publisher.publish(CHANNEL, "" + System.nanoTime());
          case "trip" -> trip(breaker);
          default -> breaker.reset("costs", "another round");
        }
      }
    }
  }

  private static RedisClient client(URI uri) {
    return RedisClient.builder()
        .hostAndPort(uri.getHost(), uri.getPort())
        .clientConfig(DefaultJedisClientConfig.builder().resp2().build())
        .build();
  }

  private static void subscribe(RedisClient client) {
    JedisPubSub subscription =
        new JedisPubSub() {
          @Override
          public void onSubscribe(String channel, int subscribedChannels) {
            ChildJvm.say("READY ");
          }

          @Override
          public void onMessage(String channel, String message) {
            ChildJvm.say("DELIVERED " + (System.nanoTime() - Long.parseLong(message)));
          }
        };
    Thread thread = new Thread(() -> client.subscribe(subscription, CHANNEL));
    thread.setDaemon(true);
    thread.start();
  }

  private static void trip(CircuitBreaker breaker) {
    IllegalStateException down = new IllegalStateException("down");
    while (breaker.snapshot().state() == BreakerState.CLOSED) {
      long now = breaker.now();
      long permit = breaker.tryAcquire(now);
      if (permit >= 0) {
        breaker.complete(permit, Outcome.FAILURE, now, down);
      }
    }
  }
}
