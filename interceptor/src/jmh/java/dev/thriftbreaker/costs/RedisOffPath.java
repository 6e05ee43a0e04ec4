package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import redis.clients.jedis.RedisClient;

/**
 * What a call through a guard has to do with Redis: its p99 with Redis up and with Redis stopped
 * (SIGSTOP), in rounds that alternate; and the commands that Redis was sent while a million calls
 * were made, beside those of as long a time without calls.
 */
final class RedisOffPath implements Measurement {

  private static final int MOST_NANOS = 1 << 20;

  @Override
  public String name() {
    return "redisOffPath";
  }

  @Override
  public List<Score> measure(boolean quick) throws Exception {
    int rounds = quick ? 11 : 101;
    int calls = quick ? 100_000 : 200_000;
    List<Double> up = new ArrayList<>();
    List<Double> stopped = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    try (RedisProcess redis = RedisProcess.start();
        ThriftInterceptor interceptor =
            ThriftInterceptor.builder("costs").redis(redis.uri()).dependency("inventory").build();
        RedisClient client = redis.client()) {
      LongUnaryOperator guarded =
          interceptor.guard("inventory", LongUnaryOperator.class, number -> number + 1);
      for (int i = 0; i < 10; i++) {
        p99(guarded, calls); // warms up
      }
      long[] commands = commands(guarded, client);
      for (int round = 0; round < rounds; round++) {
        boolean stoppedFirst = round % 2 == 0;
        double first = stoppedFirst ? whileStopped(redis, guarded, calls) : p99(guarded, calls);
        double second = stoppedFirst ? p99(guarded, calls) : whileStopped(redis, guarded, calls);
        stopped.add(stoppedFirst ? first : second);
        up.add(stoppedFirst ? second : first);
        ratios.add(stopped.get(round) / up.get(round));
      }
      return List.of(
          score("p99Up", Figures.median(up), "ns/op"),
          score("p99Stopped", Figures.median(stopped), "ns/op"),
          score("p99Ratio", Figures.median(ratios), "x"),
          score("commandsOfAMillionCalls", commands[0], "commands"),
          score("commandsOfNoCalls", commands[1], "commands"));
    }
  }

  private Score score(String name, double value, String unit) {
    return new Score(name() + "." + name, 1, value, unit);
  }

  private static double whileStopped(RedisProcess redis, LongUnaryOperator guarded, int calls)
      throws InterruptedException {
    redis.hang();
    try {
      return p99(guarded, calls);
    } finally {
      redis.resume();
    }
  }

  private static double p99(LongUnaryOperator guarded, int calls) {
    int[] counts = new int[MOST_NANOS];
    long result = 0;
    for (int i = 0; i < calls; i++) {
      long start = System.nanoTime();
      result += guarded.applyAsLong(i);
      counts[(int) Math.min(MOST_NANOS - 1, System.nanoTime() - start)]++;
    }
    if (result != calls * (calls + 1L) / 2) {
      throw new IllegalStateException("wrong result: " + result);
    }
    int nanos = 0;
    for (long seen = counts[0]; seen < calls * 0.99; seen += counts[nanos]) {
      nanos++;
    }
    return nanos;
  }

  /** During a million calls, and during as long a time without. */
  private static long[] commands(LongUnaryOperator guarded, RedisClient client)
      throws InterruptedException {
    long seconds = 6; // some rounds of the background's own reading
    long before = commands(client);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    p99(guarded, 1_000_000);
    TimeUnit.NANOSECONDS.sleep(end - System.nanoTime());
    long between = commands(client);
    TimeUnit.SECONDS.sleep(seconds);
    long after = commands(client);
    return new long[] {between - before, after - between};
  }

  private static long commands(RedisClient client) {
    return client
        .info("commandstats")
        .lines()
        .filter(line -> line.startsWith("cmdstat_") && !line.startsWith("cmdstat_info"))
        .mapToLong(line -> Long.parseLong(line.replaceFirst("[^:]*:calls=(\\d+),.*", "$1")))
        .sum();
  }
}
