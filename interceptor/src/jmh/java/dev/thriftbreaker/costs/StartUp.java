package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * How long {@code build()} of 20 dependencies keeps the caller's thread, each time in a fresh JVM:
 * with Redis up, unreachable, hung or not configured; once more where JMX is in use before, as with
 * a JMX port. Beside it what the JDK takes for its MBean server alone, and a peer's 20 breakers.
 * The caller has a logger and names, as all have. Wall time, and CPU time of the caller's thread
 * where Linux tells it, which a busy machine does not spoil.
 */
final class StartUp implements Measurement {

  private static final int DEPENDENCIES = 20;
  private static final Path CPU = Path.of("/proc/thread-self/schedstat");

  private record Times(List<Double> wallMillis, List<Double> cpuMillis) {}

  @Override
  public String name() {
    return "startUp";
  }

  @Override
  public List<Score> measure(boolean quick) throws Exception {
    int rounds = quick ? 3 : 11;
    Map<String, Times> all = new LinkedHashMap<>();
    try (RedisProcess up = RedisProcess.start();
        RedisProcess hung = RedisProcess.start();
        RedisProcess refused = RedisProcess.stopped()) {
      hung.hang();
      for (int round = 0; round < rounds; round++) {
        fresh(all, "redis", up.uri());
        fresh(all, "redisJmxInUse", up.uri());
        fresh(all, "redisRefused", refused.uri());
        fresh(all, "redisHung", hung.uri());
        fresh(all, "noRedis", null);
        fresh(all, "platformMBeanServer", null);
        fresh(all, "resilience4j", null);
      }
    }
    List<Score> scores = new ArrayList<>();
    all.forEach(
        (name, times) -> {
          scores.add(score(name, Figures.median(times.wallMillis)));
          scores.add(score(name + "Max", Figures.max(times.wallMillis)));
          scores.add(score(name + "Cpu", Figures.median(times.cpuMillis)));
        });
    return scores;
  }

  private Score score(String name, double millis) {
    return new Score(name() + "." + name, 1, millis, "ms");
  }

  private static void fresh(Map<String, Times> all, String what, URI redis) throws Exception {
    try (ChildJvm child =
        new ChildJvm(StartUp.class, List.of(), what, redis == null ? "" : redis.toString())) {
      String[] nanos = child.next("TOOK").split(" ");
      Times times =
          all.computeIfAbsent(what, none -> new Times(new ArrayList<>(), new ArrayList<>()));
      times.wallMillis.add(Long.parseLong(nanos[0]) / 1e6);
      times.cpuMillis.add(Long.parseLong(nanos[1]) / 1e6);
    }
  }

  public static void main(String[] args) throws Exception {
    LoggerFactory.getLogger(StartUp.class).info("as every server does at first");
    String[] names = new String[DEPENDENCIES];
    for (int i = 0; i < DEPENDENCIES; i++) {
      names[i] = "dependency" + i;
    }
    cpuNanos();
    switch (args[0]) {
      case "platformMBeanServer" -> took(ManagementFactory::getPlatformMBeanServer);
      case "resilience4j" ->
          took(
              () -> {
                CircuitBreakerRegistry registry = CircuitBreakerRegistry.ofDefaults();
                for (String name : names) {
                  registry.circuitBreaker(name);
                }
              });
      default -> {
        if (args[0].equals("redisJmxInUse")) {
          ManagementFactory.getPlatformMBeanServer();
        }
        took(() -> build(args[1], names));
      }
    }
    System.in.read(); // until the parent has heard it
  }

  private static void build(String redis, String[] names) {
    ThriftInterceptor.Builder builder = ThriftInterceptor.builder("costs");
    if (!redis.isEmpty()) {
      builder.redis(URI.create(redis));
    }
    for (String name : names) {
      builder.dependency(name);
    }
    builder.build();
  }

  private static void took(Runnable work) throws IOException {
    long cpu = cpuNanos();
    long start = System.nanoTime();
    work.run();
    long end = System.nanoTime();
    ChildJvm.say("TOOK " + (end - start) + " " + (cpuNanos() - cpu));
  }

  /** Of the current thread; without the JDK's MXBean for it, whose loading is to be measured. */
  private static long cpuNanos() throws IOException {
    return Files.exists(CPU) ? Long.parseLong(Files.readString(CPU).split(" ")[0]) : 0;
  }
}
