package dev.thriftbreaker.costs;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Housekeeper;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.fleet.redis.RedisProcess;
import dev.thriftbreaker.management.Management;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import javax.management.MBeanServerFactory;

/**
 * Ten thousand breakers: the memory of one that was never called and of one that 1, 8 and 64
 * threads have called; of its MBeans and metrics, and how long these take to register; the CPU time
 * of the library's threads, in percent of one core, where no breaker is called, each is called once
 * a second, and with Redis. Each in a JVM of its own.
 */
final class Scale implements Measurement {

  private static final int BREAKERS = 10_000;
  private static final String THREADS = "thrift-breaker-";

  @Override
  public String name() {
    return "scale";
  }

  @Override
  public List<Score> measure(boolean quick) throws Exception {
    int seconds = quick ? 3 : 8;
    List<Score> scores = new ArrayList<>();
    scores.add(score("idle", 0, "memory", 0, BREAKERS, "B/breaker"));
    scores.add(score("hot", 1, "memory", 1, 2_000, "B/breaker"));
    scores.add(score("hot", 8, "memory", 8, 1_000, "B/breaker"));
    scores.add(score("hot", 64, "memory", 64, 200, "B/breaker"));
    scores.add(score("management", 0, "management", 0, BREAKERS, "B/breaker"));
    scores.add(score("registration", 1, "registration", 0, BREAKERS, "ms"));
    scores.add(score("housekeepingIdle", 1, "idle", seconds, BREAKERS, "% of a core"));
    scores.add(score("housekeepingCalled", 1, "called", seconds, BREAKERS, "% of a core"));
    try (RedisProcess redis = RedisProcess.start()) {
      String uri = redis.uri().toString();
      scores.add(score("redisIdle", 1, "redis", seconds, BREAKERS, "% of a core", uri));
    }
    return scores;
  }

  private Score score(
      String name, int threads, String what, int how, int breakers, String unit, String... more)
      throws Exception {
    List<String> arguments = new ArrayList<>(List.of(what, "" + how, "" + breakers));
    arguments.addAll(List.of(more));
    try (ChildJvm child =
        new ChildJvm(Scale.class, List.of("-Xmx700m"), arguments.toArray(String[]::new))) {
      double value = Double.parseDouble(child.next("SCORE"));
      return new Score(name() + "." + name, threads, value, unit);
    }
  }

  public static void main(String[] args) throws Exception {
    int how = Integer.parseInt(args[1]);
    int breakers = Integer.parseInt(args[2]);
    double score =
        switch (args[0]) {
          case "memory" -> memory(how, breakers);
          case "management" -> management(breakers, true);
          case "registration" -> management(breakers, false);
          case "idle" -> housekeeping(how, breakers, false);
          case "called" -> housekeeping(how, breakers, true);
          default -> withRedis(how, breakers, URI.create(args[3]));
        };
    ChildJvm.say("SCORE " + score);
    System.in.read();
  }

  private static List<CircuitBreaker> breakers(Housekeeper housekeeper, int number) {
    BreakerConfig config = BreakerConfig.builder().build();
    return IntStream.range(0, number)
        .mapToObj(i -> housekeeper.breaker("dependency" + i, config))
        .toList();
  }

  private static void call(CircuitBreaker breaker) {
    long now = breaker.now();
    breaker.complete(breaker.tryAcquire(now), Outcome.SUCCESS, now, null);
  }

  // ---- memory

  private static double memory(int threads, int number) throws InterruptedException {
    try (Housekeeper housekeeper = new Housekeeper("costs", new Workers(null), false)) {
      housekeeper.start();
      callInThreads(threads, breakers(housekeeper, 1)); // classes are not to be counted
      long before = usedBytes();
      List<CircuitBreaker> all = breakers(housekeeper, number);
      CountDownLatch done = callInThreads(threads, all);
      long after = usedBytes();
      done.countDown();
      return (after - before) / (double) all.size();
    }
  }

  /** Each thread calls each breaker, then lives on until the latch opens. */
  private static CountDownLatch callInThreads(int number, List<CircuitBreaker> breakers)
      throws InterruptedException {
    CountDownLatch called = new CountDownLatch(number);
    CountDownLatch done = new CountDownLatch(1);
    for (int i = 0; i < number; i++) {
      Thread thread =
          new Thread(
              () -> {
                breakers.forEach(Scale::call);
                called.countDown();
                try {
                  done.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      thread.setDaemon(true);
      thread.start();
    }
    called.await();
    return done;
  }

  private static long usedBytes() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      TimeUnit.MILLISECONDS.sleep(50);
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private static double management(int number, boolean memory) throws InterruptedException {
    try (Housekeeper housekeeper = new Housekeeper("costs", new Workers(null), false)) {
      housekeeper.start();
      List<CircuitBreaker> all = breakers(housekeeper, number);
      Management management =
          new Management(
              "costs",
              new MetricRegistry(),
              MBeanServerFactory.newMBeanServer(),
              Clock.systemUTC());
      long before = usedBytes();
      long start = System.nanoTime();
      all.forEach(breaker -> management.breaker(breaker, null));
      long nanos = System.nanoTime() - start;
      return memory ? (usedBytes() - before) / (double) number : nanos / 1e6;
    }
  }

  // ---- CPU time

  private static double housekeeping(int seconds, int number, boolean called)
      throws InterruptedException {
    try (Housekeeper housekeeper = new Housekeeper("costs", new Workers(null), false)) {
      housekeeper.start();
      List<CircuitBreaker> all = breakers(housekeeper, number);
      if (called) {
        Thread caller = new Thread(() -> callEachOnceASecond(all), "caller");
        caller.setDaemon(true);
        caller.start();
      }
      return percentOfACore(seconds);
    }
  }

  private static void callEachOnceASecond(List<CircuitBreaker> breakers) {
    long periodNanos = TimeUnit.SECONDS.toNanos(1) / breakers.size();
    for (long start = System.nanoTime(), calls = 0; ; calls++) {
      call(breakers.get((int) (calls % breakers.size())));
      while (System.nanoTime() - start < calls * periodNanos) {
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  private static double withRedis(int seconds, int number, URI redis) throws InterruptedException {
    ThriftInterceptor.Builder builder = ThriftInterceptor.builder("costs").redis(redis);
    for (int i = 0; i < number; i++) {
      builder.dependency("dependency" + i);
    }
    ThriftInterceptor interceptor = builder.build();
    try {
      return percentOfACore(seconds);
    } finally {
      interceptor.close();
    }
  }

  /** What the library's threads use, after they had the same time to be compiled in. */
  private static double percentOfACore(int seconds) throws InterruptedException {
    TimeUnit.SECONDS.sleep(seconds);
    long before = cpuNanos();
    long start = System.nanoTime();
    TimeUnit.SECONDS.sleep(seconds);
    return 100.0 * (cpuNanos() - before) / (System.nanoTime() - start);
  }

  private static long cpuNanos() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long nanos = 0;
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().startsWith(THREADS)) {
        nanos += Math.max(0, threads.getThreadCpuTime(thread.getThreadId()));
      }
    }
    return nanos;
  }
}
