package dev.thriftbreaker.cli;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Housekeeper;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.management.InterceptorMXBean;
import dev.thriftbreaker.management.Latency;
import dev.thriftbreaker.management.Management;
import dev.thriftbreaker.management.MethodMXBean;
import dev.thriftbreaker.management.RedisLinkMXBean;
import dev.thriftbreaker.management.RequirementView;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.rmi.registry.LocateRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXServiceURL;

/**
 * A process with the breakers of one or more servers, their MBeans and a remote connector, for
 * tests of the command line. There is no Thrift in it: calls fail when told to.
 *
 * <p>Arguments: password file, access file, then each server as {@code name:breaker,breaker}.
 * Prints {@code ready PORT}, then obeys lines on its input and answers each with {@code ok}: {@code
 * fail SERVER BREAKER COUNT}, {@code hang SERVER BREAKER COUNT} (until that opens it), {@code fill
 * SERVER BREAKER LIMIT} (and two more calls), {@code ramp SERVER BREAKER}, {@code hostile SERVER
 * BREAKER} (an override whose reason tries to steer the terminal) and {@code close SERVER}. Ends
 * with its input.
 */
final class LiveServer {

  private final Map<String, CircuitBreaker> breakers = new HashMap<>();
  private final Housekeeper housekeeper;
  private final Management management;

  private LiveServer(String name, String[] dependencies) {
    housekeeper = new Housekeeper(name, new dev.thriftbreaker.breaker.Workers(null), false);
    management = new Management(name, new MetricRegistry());
    for (String dependency : dependencies) {
      Duration hour = Duration.ofHours(1);
      CircuitBreaker breaker =
          housekeeper.breaker(
              dependency, BreakerConfig.builder().openDuration(hour).maxOpenDuration(hour).build());
      breakers.put(dependency, breaker);
      management.breaker(breaker, null);
    }
    management.register(
        "Interceptor",
        null,
        () ->
            bean(
                InterceptorMXBean.class,
                Map.of("Server", name, "Breakers", dependencies, "ServerThreads", 32)),
        InterceptorMXBean.class);
    Function<String, Operation> said =
        operation ->
            args -> {
              if (args[1].equals("String")) {
                throw new IllegalArgumentException("reason: \"String\"");
              }
              return operation + "(" + args[0] + ", " + args[1] + ")";
            };
    Map<String, Object> method =
        Map.of(
            "Requirements",
            new RequirementView[] {
              new RequirementView("inventory", true, "DECLARED", 0, 0, 0, 0),
              new RequirementView("payments", true, "LEARNED", 100, 98, 20, 20),
              new RequirementView("recommendations", false, "LEARNED", 100, 98, 20, 0),
              new RequirementView("mail", true, "OPERATOR", 100, 3, 0, 0),
              new RequirementView("sms", false, "OPERATOR", 0, 0, 0, 0)
            },
            "declareNeeded",
            said.apply("declareNeeded"),
            "declareNotNeeded",
            said.apply("declareNotNeeded"),
            "learn",
            said.apply("learn"),
            "Name",
            "placeOrder",
            "Requires",
            new String[] {"inventory", "payments"},
            "RequestCount",
            1234L,
            "Latency",
            new Latency(3, 2, 1.5, 2, 20, 20, 20));
    management.register(
        "Method", "placeOrder", () -> bean(MethodMXBean.class, method), MethodMXBean.class);
    Map<String, Object> redis =
        Map.of(
            "Address", "127.0.0.1:6379",
            "Status", "DEGRADED",
            "Alarms", new String[] {"maxmemory-policy is allkeys-lru"});
    management.register(
        "RedisLink", null, () -> bean(RedisLinkMXBean.class, redis), RedisLinkMXBean.class);
    management.open();
    housekeeper.start();
  }

  public static void main(String[] args) throws Exception {
    Map<String, LiveServer> servers = new HashMap<>();
    for (int i = 2; i < args.length; i++) {
      String[] parts = args[i].split(":");
      servers.put(parts[0], new LiveServer(parts[0], parts[1].split(",")));
    }
    System.out.println("ready " + listen(args[0], args[1]));
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = commands.readLine()) != null; ) {
      String[] words = line.split(" ");
      LiveServer server = servers.get(words[1]);
      switch (words[0]) {
        case "fail" -> fail(server.breakers.get(words[2]), Integer.parseInt(words[3]));
        case "hang" -> hang(server.breakers.get(words[2]), Integer.parseInt(words[3]));
        case "fill" -> fill(server.breakers.get(words[2]), Integer.parseInt(words[3]));
        case "ramp" -> ramp(server.breakers.get(words[2]));
        case "hostile" -> overrideWithHostileReason(server.breakers.get(words[2]));
        case "close" -> {
          server.management.close();
          server.housekeeper.close();
        }
        default -> throw new IllegalArgumentException(line);
      }
      System.out.println("ok");
    }
    System.exit(0);
  }

  /** Opens a remote connector with users, on loopback; returns its port. */
  private static int listen(String passwords, String access) throws Exception {
    AtomicInteger port = new AtomicInteger();
    LocateRegistry.createRegistry(
        0,
        null,
        ignored -> {
          ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
          port.set(socket.getLocalPort());
          return socket;
        });
    Map<String, Object> users =
        Map.of("jmx.remote.x.password.file", passwords, "jmx.remote.x.access.file", access);
    String url = "service:jmx:rmi://127.0.0.1/jndi/rmi://127.0.0.1:" + port + "/jmxrmi";
    JMXConnectorServerFactory.newJMXConnectorServer(
            new JMXServiceURL(url), users, ManagementFactory.getPlatformMBeanServer())
        .start();
    return port.get();
  }

  private static void fail(CircuitBreaker breaker, int count) {
    for (int i = 0; i < count; i++) {
      long start = breaker.now() - TimeUnit.MILLISECONDS.toNanos(12);
      long permit = breaker.tryAcquire(start);
      if (permit >= 0) {
        breaker.complete(permit, Outcome.FAILURE, start, new IOException("no stock"));
      }
    }
  }

  private static void hang(CircuitBreaker breaker, int count) {
    breaker.configure(breaker.config().toBuilder().slowCallDuration(Duration.ofMillis(50)).build());
    long start = breaker.now();
    for (int i = 0; i < count; i++) {
      breaker.tryAcquire(start);
    }
    while (breaker.snapshot().state() == BreakerState.CLOSED) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }

  /** It stays closed, however long the calls hang. */
  private static void fill(CircuitBreaker breaker, int limit) {
    breaker.configure(
        breaker.config().toBuilder()
            .maxConcurrentCalls(limit)
            .consecutiveFailures(1_000_000)
            .build());
    for (int i = 0; i < limit + 2; i++) {
      breaker.tryAcquire(breaker.now());
    }
  }

  /** It stays at the first step of its ramp. */
  private static void ramp(CircuitBreaker breaker) {
    breaker.configure(breaker.config().toBuilder().rampInterval(Duration.ofHours(1)).build());
    breaker.apply(0, BreakerState.OPEN, Duration.ofMinutes(1), 1, "other", "down");
    breaker.apply(1, BreakerState.CLOSED, Duration.ZERO, 1, "other", "3 probes succeeded");
  }

  private static void overrideWithHostileReason(CircuitBreaker breaker) {
    long until = breaker.now() + TimeUnit.MINUTES.toNanos(5);
    breaker.override(
        new ModeOverride(Mode.FORCED_OPEN, until, "other-host", "\u001b[2J\n\"ok\"", true));
  }

  private interface Operation {
    Object call(Object[] args);
  }

  /** An MBean that answers from a map, and otherwise with zero, false, NaN or nothing. */
  private static <T> T bean(Class<T> type, Map<String, Object> values) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) -> {
              if (method.getDeclaringClass() == Object.class) {
                return method.invoke(values, args);
              }
              String name = method.getName().replaceFirst("^(get|is)", "");
              Object value = values.getOrDefault(name, nothing(method));
              return value instanceof Operation operation ? operation.call(args) : value;
            }));
  }

  private static Object nothing(Method method) {
    return switch (method.getReturnType().getSimpleName()) {
      case "long" -> 0L;
      case "int" -> 0;
      case "double" -> Double.NaN;
      case "boolean" -> false;
      case "String" -> "";
      case "String[]" -> new String[0];
      default -> null;
    };
  }
}
