package dev.thriftbreaker.cli;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Housekeeper;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Setting;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.management.BreakerMXBean;
import dev.thriftbreaker.management.InterceptorMXBean;
import dev.thriftbreaker.management.Latency;
import dev.thriftbreaker.management.MethodMXBean;
import dev.thriftbreaker.management.RedisLinkMXBean;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.AttributeChangeNotification;
import javax.management.MBeanServer;
import javax.management.NotificationBroadcasterSupport;
import javax.management.ObjectName;
import javax.management.StandardEmitterMBean;
import javax.management.StandardMBean;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXServiceURL;

/**
 * A process with the MBeans of one or more servers and a remote connector, for tests of the command
 * line. The breakers are real; their MBeans are the least that the interfaces ask for.
 *
 * <p>Arguments: password file, access file, then each server as {@code name:breaker,breaker}.
 * Prints {@code ready PORT}, then obeys lines on its input: {@code fail SERVER BREAKER COUNT} and
 * {@code close SERVER}. Ends with its input.
 */
public final class LiveServer {

  private static final MBeanServer MBEANS = ManagementFactory.getPlatformMBeanServer();
  private static final Map<String, CircuitBreaker> BREAKERS = new HashMap<>();
  private static final Map<String, Housekeeper> SERVERS = new HashMap<>();

  private LiveServer() {}

  /**
   * See above.
   *
   * @param args see above
   * @throws Exception if anything fails
   */
  public static void main(String[] args) throws Exception {
    for (int i = 2; i < args.length; i++) {
      String[] parts = args[i].split(":");
      start(parts[0], parts[1].split(","));
    }
    System.out.println("ready " + listen(args[0], args[1]));
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = commands.readLine()) != null; ) {
      String[] words = line.split(" ");
      switch (words[0]) {
        case "fail" -> fail(BREAKERS.get(words[1] + "/" + words[2]), Integer.parseInt(words[3]));
        case "close" -> close(words[1]);
        default -> throw new IllegalArgumentException(line);
      }
      System.out.println("ok");
    }
    System.exit(0);
  }

  private static int listen(String passwords, String access) throws Exception {
    AtomicInteger port = new AtomicInteger();
    LocateRegistry.createRegistry(0, null, ignored -> loopback(0, port))
        .rebind("unused", LocateRegistry.getRegistry());
    Map<String, Object> environment = new HashMap<>();
    environment.put("jmx.remote.x.password.file", passwords);
    environment.put("jmx.remote.x.access.file", access);
    String address = "service:jmx:rmi://127.0.0.1/jndi/rmi://127.0.0.1:" + port + "/jmxrmi";
    JMXConnectorServerFactory.newJMXConnectorServer(new JMXServiceURL(address), environment, MBEANS)
        .start();
    return port.get();
  }

  private static ServerSocket loopback(int port, AtomicInteger chosen) throws IOException {
    ServerSocket socket = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    chosen.set(socket.getLocalPort());
    return socket;
  }

  private static void start(String server, String[] names) throws Exception {
    Housekeeper housekeeper = new Housekeeper(server);
    SERVERS.put(server, housekeeper);
    for (String name : names) {
      BreakerConfig config =
          BreakerConfig.builder()
              .openDuration(Duration.ofHours(1))
              .maxOpenDuration(Duration.ofHours(1))
              .build();
      CircuitBreaker breaker = housekeeper.breaker(name, config);
      BREAKERS.put(server + "/" + name, breaker);
      register(server, breaker);
    }
    Map<String, Object> interceptor =
        Map.of("Server", server, "Version", "test", "Instance", "test-1", "Breakers", names);
    register(InterceptorMXBean.class, "Interceptor", server, "", interceptor);
    register(
        MethodMXBean.class,
        "Method",
        server,
        ",name=placeOrder",
        Map.of(
            "Name",
            "placeOrder",
            "Requires",
            new String[] {"inventory", "payments"},
            "RequestCount",
            1234L,
            "Latency",
            new Latency(3, 2, 1.5, 2, 20, 20, 20)));
    register(
        RedisLinkMXBean.class,
        "RedisLink",
        server,
        "",
        Map.of(
            "Address",
            "127.0.0.1:6379",
            "Status",
            "DEGRADED",
            "Alarms",
            new String[] {"maxmemory-policy is allkeys-lru"}));
  }

  private static ObjectName name(String type, String server, String more) throws Exception {
    return new ObjectName("dev.thriftbreaker:type=" + type + ",server=" + server + more);
  }

  /** An MBean that answers from a map, and with zero, false or nothing else. */
  private static <T> void register(
      Class<T> type, String typeName, String server, String more, Map<String, Object> values)
      throws Exception {
    T bean = proxy(type, (method, args) -> values.getOrDefault(attribute(method), empty(method)));
    MBEANS.registerMBean(new StandardMBean(bean, type, true), name(typeName, server, more));
  }

  private interface Answer {
    Object to(Method method, Object[] args) throws Exception;
  }

  private static <T> T proxy(Class<T> type, Answer answer) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) ->
                method.getDeclaringClass() == Object.class
                    ? method.getName().equals("hashCode")
                        ? 1
                        : proxy == (args == null ? "" : args[0])
                    : answer.to(method, args)));
  }

  private static String attribute(Method method) {
    return method.getName().replaceFirst("^(get|is)", "");
  }

  private static Object empty(Method method) {
    Class<?> type = method.getReturnType();
    if (type == long.class) {
      return 0L;
    }
    if (type == int.class) {
      return 0;
    }
    if (type == boolean.class) {
      return false;
    }
    if (type == double.class) {
      return Double.NaN;
    }
    return type == String.class ? "" : type == String[].class ? new String[0] : null;
  }

  private static void register(String server, CircuitBreaker breaker) throws Exception {
    List<String> history = new ArrayList<>();
    AtomicLong sequence = new AtomicLong();
    NotificationBroadcasterSupport broadcaster = new NotificationBroadcasterSupport();
    BreakerMXBean bean =
        proxy(
            BreakerMXBean.class,
            (method, args) ->
                method.getName().startsWith("get") || method.getName().startsWith("is")
                    ? read(breaker, history).getOrDefault(attribute(method), empty(method))
                    : operate(breaker, method.getName(), args));
    ObjectName name = name("Breaker", server, ",name=" + breaker.name());
    MBEANS.registerMBean(
        new StandardEmitterMBean(bean, BreakerMXBean.class, true, broadcaster), name);
    breaker.addListener(
        (Transition transition) -> {
          synchronized (history) {
            history.add(Instant.now() + " " + transition.describe());
          }
          boolean state = transition.stateChanged();
          broadcaster.sendNotification(
              new AttributeChangeNotification(
                  name,
                  sequence.incrementAndGet(),
                  System.currentTimeMillis(),
                  transition.describe(),
                  state ? "State" : "Mode",
                  "java.lang.String",
                  String.valueOf(state ? transition.from() : transition.fromMode()),
                  String.valueOf(state ? transition.to() : transition.toMode())));
        });
  }

  private static Map<String, Object> read(CircuitBreaker breaker, List<String> history) {
    BreakerSnapshot now = breaker.snapshot();
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("Name", now.name());
    values.put("State", now.state().name());
    values.put("StateCode", now.state().code());
    values.put("Mode", now.mode().name());
    ModeOverride override = now.override();
    values.put("ModeReason", override == null ? "" : override.reason());
    values.put("ModeBy", override == null ? "" : override.by());
    values.put("ModeUntil", override == null ? "" : wall(breaker, override.untilNanos()));
    values.put("ModeFleetWide", override != null && override.fleet());
    values.put("Refusing", breaker.refuses(breaker.now()));
    values.put("Since", wall(breaker, now.sinceNanos()));
    values.put("RetryAfterMillis", now.remainingNanos() / 1_000_000);
    values.put(
        "Until",
        now.remainingNanos() == 0 ? "" : wall(breaker, breaker.now() + now.remainingNanos()));
    values.put("ConsecutiveOpens", now.consecutiveOpens());
    values.put("Cause", now.cause().name());
    values.put("Reason", now.evidence().reason());
    values.put("LastTrip", now.lastTrip() == null ? "" : now.lastTrip().reason());
    values.put("LastTripErrors", now.lastTrip() == null ? Map.of() : now.lastTrip().topErrors());
    values.put("CallCount", now.acquired());
    values.put("FailureCount", now.failures());
    values.put("ShedCount", now.refused());
    values.put("WindowCalls", now.window().calls());
    values.put("FailureRate", now.window().calls() == 0 ? Double.NaN : now.window().failureRate());
    values.put("SlowCallRate", now.window().slowCallRate());
    values.put("OpenedCount", now.opened());
    values.put("OpenMillisTotal", now.openNanosTotal() / 1_000_000);
    values.put("Latency", new Latency(48, 2.5, 1, 3, 12, 13, 14));
    values.put("Settings", Setting.readAll(breaker.config()));
    values.put("ConfigVersion", now.configVersion());
    synchronized (history) {
      values.put("History", history.toArray(String[]::new));
    }
    return values;
  }

  private static String wall(CircuitBreaker breaker, long nanos) {
    return Instant.now().plusNanos(nanos - breaker.now()).toString();
  }

  private static String operate(CircuitBreaker breaker, String operation, Object[] args) {
    String reason = (String) args[args.length - 1];
    if (reason.equals("String")) {
      throw new IllegalArgumentException("reason: String (expected: why)");
    }
    String before = breaker.toString();
    switch (operation) {
      case "release" -> breaker.release("test", reason);
      case "reset" -> breaker.reset("test", reason);
      case "probeNow" -> {
        if (!breaker.probeNow("test", reason)) {
          throw new IllegalStateException("probeNow: " + before + " (expected: an open breaker)");
        }
      }
      case "set" -> {
        BreakerConfig.Builder config = breaker.config().toBuilder();
        Setting setting = Setting.of((String) args[0]);
        before = setting.read(breaker.config());
        setting.write(config, (String) args[1]);
        breaker.configure(config.build());
        return setting.key() + " " + before + " -> " + setting.read(breaker.config());
      }
      default -> {
        boolean fleet = operation.endsWith("Fleet");
        Mode mode =
            operation.startsWith("forceOpen")
                ? Mode.FORCED_OPEN
                : operation.startsWith("forceClosed") ? Mode.FORCED_CLOSED : Mode.SHADOW;
        long until = breaker.now() + TimeUnit.SECONDS.toNanos((Long) args[0]);
        breaker.override(new ModeOverride(mode, until, "test", reason, fleet));
      }
    }
    return before + " -> " + breaker;
  }

  private static void fail(CircuitBreaker breaker, int count) {
    for (int i = 0; i < count; i++) {
      long start = breaker.now();
      long permit = breaker.tryAcquire(start);
      if (permit != CircuitBreaker.REFUSED) {
        breaker.complete(
            permit, Outcome.FAILURE, start, breaker.now(), new IOException("no \"stock\"\n"));
      }
    }
  }

  private static void close(String server) throws Exception {
    for (ObjectName name :
        MBEANS.queryNames(new ObjectName("dev.thriftbreaker:server=" + server + ",*"), null)) {
      MBEANS.unregisterMBean(name);
    }
    SERVERS.remove(server).close();
  }
}
