package dev.thriftbreaker.costs;

import static dev.thriftbreaker.costs.Figure.bytes;
import static dev.thriftbreaker.costs.Figure.nanos;
import static dev.thriftbreaker.costs.Target.difference;
import static dev.thriftbreaker.costs.Target.ratio;
import static dev.thriftbreaker.costs.Target.value;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What the breaker may cost, in the order of the page. */
final class Targets {

  /** A figure below is no object, but what others in the same JVM allocate meanwhile. */
  private static final double NO_BYTES = 0.5;

  /** Of a request as long as 1 MB, what others allocate meanwhile is a share, not a number. */
  private static final double NO_SHARE = 1.001;

  private static final List<String> LANGUAGES = List.of("binary", "compact");

  /** All of them. */
  static final List<Target> ALL =
      Stream.of(
              success(),
              refusal(),
              guardRefusal(),
              processor(),
              door(),
              throughput(),
              guard(),
              scale(),
              housekeeping(),
              redis(),
              startUp())
          .flatMap(List::stream)
          .toList();

  private Targets() {}

  private static List<Target> success() {
    return List.of(
        ratio(
                "success, exact clock : two reads of the clock, 1 thread",
                nanos("success.ours", 1),
                nanos("clock.clockTwice", 1))
            .atMost(1.10),
        ratio(
                "success, exact clock : two reads of the clock, 2 threads",
                nanos("success.ours", 2),
                nanos("clock.clockTwice", 2))
            .atMost(1.10),
        ratio(
                "success, exact clock : resilience4j's default, 1 thread",
                nanos("success.ours", 1),
                nanos("success.resilience4jCount", 1))
            .atMost(0.80),
        ratio(
                "success, exact clock : resilience4j's default, 2 threads",
                nanos("success.ours", 2),
                nanos("success.resilience4jCount", 2))
            .atMost(0.30),
        ratio(
                "success, ticker : one LongAdder increment, 1 thread",
                nanos("success.oursTicker", 1),
                nanos("clock.longAdder", 1))
            .atMost(1),
        ratio(
                "success, ticker : one LongAdder increment, 2 threads",
                nanos("success.oursTicker", 2),
                nanos("clock.longAdder", 2))
            .atMost(1),
        ratio(
                "success, ticker : the fastest peer, 1 thread",
                nanos("success.oursTicker", 1),
                peers(1))
            .atMost(0.1),
        ratio(
                "success, ticker : the fastest peer, 2 threads",
                nanos("success.oursTicker", 2),
                peers(2))
            .atMost(0.1),
        ratio(
                "success, ticker : Failsafe's permits, which know no latency, 1 thread",
                nanos("success.oursTicker", 1),
                nanos("success.failsafePermits", 1))
            .atMost(0.1),
        ratio(
                "success, ticker : Failsafe's permits, which know no latency, 2 threads",
                nanos("success.oursTicker", 2),
                nanos("success.failsafePermits", 2))
            .atMost(0.1),
        value("success, exact clock: allocated", bytes("success.ours", 1)).atMost(NO_BYTES),
        value("success, ticker: allocated", bytes("success.oursTicker", 1)).atMost(NO_BYTES),
        value("success, Guard.call: allocated", bytes("success.oursGuardCall", 1))
            .atMost(NO_BYTES));
  }

  private static List<Figure> peers(int threads) {
    return Stream.of(
            "resilience4jCount",
            "resilience4jCountLockFree",
            "resilience4jTime",
            "resilience4jTimeLockFree",
            "failsafeExecutor",
            "sentinel",
            "gradient2",
            "hystrix")
        .map(peer -> nanos("success." + peer, threads))
        .toList();
  }

  private static List<Target> refusal() {
    return List.of(
        value("refusal, decision, the time being known", nanos("refusal.oursDecisionTimeGiven", 1))
            .atMost(3),
        ratio(
                "refusal, decision, the time being known : Failsafe's tryAcquirePermit",
                nanos("refusal.oursDecisionTimeGiven", 1),
                nanos("refusal.failsafeDecision", 1))
            .atMost(0.1),
        value("refusal, decision: allocated", bytes("refusal.oursDecision", 1)).atMost(NO_BYTES),
        ratio(
                "refusal, exception : resilience4j's default, 1 thread",
                nanos("refusal.oursException", 1),
                nanos("refusal.resilience4jException", 1))
            .atMost(0.1),
        ratio(
                "refusal, exception : resilience4j's default, 2 threads",
                nanos("refusal.oursException", 2),
                nanos("refusal.resilience4jException", 2))
            .atMost(0.1),
        value("refusal, exception: allocated", bytes("refusal.oursException", 1)).atMost(NO_BYTES));
  }

  private static List<Target> guardRefusal() {
    List<Target> all = new ArrayList<>();
    for (String way : List.of("iface", "call")) {
      String text =
          "refusal by a guard, " + (way.equals("iface") ? "of an interface" : "of a Callable");
      for (int threads : new int[] {1, 2}) {
        all.add(
            ratio(
                    text + " : resilience4j's default, " + threads(threads),
                    nanos("guardRefusal." + way, threads),
                    nanos("guardRefusal.resilience4j", threads))
                .atMost(0.1));
      }
      all.add(value(text + ": allocated", bytes("guardRefusal." + way, 1)).atMost(NO_BYTES));
    }
    all.add(
        value(
                "server, processor time of a request shed : of an empty handler's",
                quotient("shedCpu.ours", 1))
            .atMost(1.03));
    return all;
  }

  private static String threads(int threads) {
    return threads == 1 ? "1 thread" : threads + " threads";
  }

  private static Figure quotient(String name, int threads) {
    return new Figure(name, threads, Figure.RATIO);
  }

  private static List<Target> processor() {
    List<Target> all = new ArrayList<>();
    for (String language : LANGUAGES) {
      for (Message message : List.of(Message.MEDIUM, Message.LARGE, Message.LARGE_OF_MANY_FIELDS)) {
        all.add(
            ratio(
                    request(message, language) + ", wrapped : bare",
                    nanos(processor("wrapped", language, message), 1),
                    nanos(processor("bare", language, message), 1))
                .atMost(1.02));
      }
      all.add(
          difference(
                  request(Message.SMALL, language) + ", wrapped - bare",
                  nanos(processor("wrapped", language, Message.SMALL), 1),
                  nanos(processor("bare", language, Message.SMALL), 1))
              .atMost(60));
    }
    for (String language : LANGUAGES) {
      for (Message message : List.of(Message.SMALL, Message.MEDIUM)) {
        all.add(
            difference(
                    request(message, language) + ", wrapped - bare: allocated",
                    bytes(processor("wrapped", language, message), 1),
                    bytes(processor("bare", language, message), 1))
                .atMost(NO_BYTES));
      }
      for (Message message : List.of(Message.LARGE, Message.LARGE_OF_MANY_FIELDS)) {
        all.add(
            ratio(
                    request(message, language) + ", wrapped : bare: allocated",
                    bytes(processor("wrapped", language, message), 1),
                    bytes(processor("bare", language, message), 1))
                .atMost(NO_SHARE));
      }
    }
    return all;
  }

  private static String request(Message message, String language) {
    String size =
        switch (message) {
          case PING -> "request without arguments";
          case SMALL -> "request of 50 B";
          case MEDIUM -> "request of 5 kB";
          case LARGE -> "request of 1 MB in one field";
          case LARGE_OF_MANY_FIELDS -> "request of 1 MB in many fields";
        };
    return size + ", " + language;
  }

  private static String processor(String way, String language, Message message) {
    return "processor." + way + "." + language + "." + message;
  }

  private static List<Target> door() {
    List<Target> all = new ArrayList<>();
    for (String language : LANGUAGES) {
      all.add(
          door("50 B shed : the cheapest request served", language, "shedSmall", "ping").atMost(1));
      all.add(
          door("1 MB in one field, shed : served", language, "shedLarge", "servedLarge")
              .atMost(0.3));
      all.add(
          door(
                  "1 MB in many fields, shed : served",
                  language,
                  "shedLargeOfManyFields",
                  "servedLargeOfManyFields")
              .atMost(0.3));
      all.add(
          door("1 MB shed, in many fields : in one", language, "shedLargeOfManyFields", "shedLarge")
              .atMost(1.1));
    }
    return all;
  }

  private static Target.Open door(String text, String language, String of, String to) {
    return ratio(
        "door, " + text + ", " + language,
        nanos("door." + of + "." + language, 1),
        nanos("door." + to + "." + language, 1));
  }

  private static List<Target> throughput() {
    List<Target> all = new ArrayList<>();
    for (String server : List.of("threadPool", "hsha")) {
      String text = server.equals("hsha") ? "THsHaServer" : "TThreadPoolServer";
      String name = "throughput." + server;
      int callers = ServerThroughput.CONNECTIONS;
      all.add(
          value(text + ", requests a second, wrapped : bare", quotient(name + "Wrapped", callers))
              .atLeast(0.99));
      all.add(
          ratio(
                  text + ", p99, wrapped : bare, beside bare : bare",
                  quotient(name + "WrappedP99", callers),
                  quotient(name + "BareP99", callers))
              .atMost(1.05));
    }
    return all;
  }

  private static List<Target> guard() {
    List<Target> all = new ArrayList<>();
    for (String profile : List.of("1", "8")) {
      String among = profile.equals("1") ? "the only interface" : "one of 8 interfaces";
      all.add(guard("a number", "ifaceLong", among, profile));
      all.add(guard("an object", "ifaceObject", among, profile));
      all.add(guard("nothing", "ifaceNothing", among, profile));
    }
    for (String profile : List.of("1", "8")) {
      String among = profile.equals("1") ? "the only interface" : "one of 8 interfaces";
      all.add(guardBytes("a number", "ifaceLong", among, profile));
      all.add(guardBytes("an object", "ifaceObject", among, profile));
      all.add(guardBytes("nothing", "ifaceNothing", among, profile));
    }
    all.add(
        ratio(
                "call over the guarded pool of clients : over one client, bare",
                nanos("pool.callOurs", 1),
                nanos("pool.callBare", 1))
            .atMost(1.1));
    return all;
  }

  private static Target guard(String given, String way, String among, String profile) {
    return difference(
            "guard, " + given + " given, " + among + " - the breaker alone",
            nanos("guard." + way + "." + profile, 1),
            nanos("guard.pair." + profile, 1))
        .atMost(25);
  }

  private static Target guardBytes(String given, String way, String among, String profile) {
    return value(
            "guard, " + given + " given, " + among + ": allocated",
            bytes("guard." + way + "." + profile, 1))
        .atMost(NO_BYTES);
  }

  private static List<Target> scale() {
    return List.of(
        ratio(
                "success, any of 100 breakers : the only one",
                nanos("manyBreakers.ours.100", 1),
                nanos("manyBreakers.ours.1", 1))
            .atMost(1.2),
        ratio(
                "success, any of 10,000 breakers : of resilience4j's",
                nanos("manyBreakers.ours.10000", 1),
                nanos("manyBreakers.resilience4j.10000", 1))
            .atMost(1),
        ratio(
                "success in all by 64 threads : by 2",
                new Figure("threads.ours", 64, "ops/us"),
                new Figure("threads.ours", 2, "ops/us"))
            .atLeast(0.9));
  }

  private static List<Target> housekeeping() {
    return List.of(
        value("10,000 breakers, processor time, none called", core("scale.housekeepingIdle"))
            .atMost(1),
        value(
                "10,000 breakers, processor time, each called once a second",
                core("scale.housekeepingCalled"))
            .atMost(1));
  }

  private static Figure core(String name) {
    return new Figure(name, 1, "% of a core");
  }

  private static List<Target> redis() {
    return List.of(
        value(
                "p99 of a guarded call, Redis stopped : Redis up",
                quotient("redisOffPath.p99Ratio", 1))
            .atMost(1.02),
        ratio(
                "commands to Redis, a million calls : as long without calls",
                new Figure("redisOffPath.commandsOfAMillionCalls", 1, "commands"),
                new Figure("redisOffPath.commandsOfNoCalls", 1, "commands"))
            .atMost(1.2),
        ratio(
                "p99 from open to the last of four servers' refusing : PUBLISH to SUBSCRIBE",
                new Figure("fleet.lastRefusesP99", 1, "ms"),
                new Figure("fleet.publishP99", 1, "ms"))
            .atMost(5));
  }

  private static List<Target> startUp() {
    return List.of(
        value("build() of 20 dependencies with Redis", new Figure("startUp.redis", 1, "ms"))
            .atMost(50));
  }
}
