package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.checkout.CheckoutProcess;
import dev.thriftbreaker.demo.checkout.CheckoutServer;
import dev.thriftbreaker.demo.control.BreakerView;
import dev.thriftbreaker.demo.control.FaultKind;
import dev.thriftbreaker.demo.downstream.Downstreams;
import dev.thriftbreaker.demo.load.LoadClient;
import dev.thriftbreaker.demo.load.Tally;
import dev.thriftbreaker.demo.process.Child;
import dev.thriftbreaker.demo.process.Cleanup;
import dev.thriftbreaker.demo.process.Ports;
import dev.thriftbreaker.demo.process.Redis;
import java.io.File;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.resps.ScanResult;

/**
 * The whole story: a shop under load, whose dependencies fail one at a time, and which is itself
 * killed and started again. Each chapter ends when what it is to show was seen, or was not in time.
 */
final class Story {

  private static final int CONNECTIONS = 16;
  private static final int PER_SECOND = 320;
  private static final long POLL_MILLIS = 50;

  private static final long HEALTHY_MILLIS = 4000;
  private static final long OPENS_WITHIN_MILLIS = 10_000;
  private static final long LOOK_AT_OPEN_MILLIS = 3500;
  private static final long CLOSES_WITHIN_MILLIS = 20_000;
  private static final long LOOK_AT_CLOSED_MILLIS = 2000;

  /** The shop must be up again within this time for its breaker to have time left. */
  private static final long RESTART_WITHIN_MILLIS = 4500;

  /** The state is read from Redis beside the start of the server, which waits for nothing. */
  private static final long READS_STATE_WITHIN_MILLIS = 1000;

  private static final long NEVER = -1;

  /** A fault and what it is called in the table. */
  private record Chapter(String service, String word, FaultKind kind, double amount, String note) {}

  private static final List<Chapter> CHAPTERS =
      List.of(
          new Chapter("inventory", "errors", FaultKind.ERRORS, 0.7, "placeOrder and quote need it"),
          new Chapter(
              "payments", "slow", FaultKind.SLOW, 800, "placeOrder needs it, quote does not"),
          new Chapter(
              "recommendations", "down", FaultKind.DOWN, 0, "recommend copes: nothing to shed"),
          new Chapter(
              "inventory",
              "hang",
              FaultKind.HANG,
              0,
              "a few calls wait for it, the rest are refused"));

  /** What came of a chapter; times are {@link #NEVER} for what did not happen. */
  private record Outcome(
      String name, Tally tally, boolean faulty, long openedMillis, long closedMillis) {}

  private final Screen screen = new Screen();
  private final Redis redis;
  private final Downstreams downstreams;
  private final File log;
  private final int port = Ports.free();
  private final String namespace = "story-" + Long.toString(System.currentTimeMillis(), 36);
  private final Map<String, BreakerView> breakers = new HashMap<>();
  private final List<Outcome> outcomes = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();

  private Child shop;
  private BreakerWatch watch;
  private LoadClient load;
  private Tally chapter = Tally.nothing();
  private long rowAtNanos;
  private String resumed = "";

  private Story(Redis redis, Downstreams downstreams, File log) {
    this.redis = redis;
    this.downstreams = downstreams;
    this.log = log;
  }

  /** Tells it. False if something that was to be seen was not. */
  static boolean run(List<String> arguments) throws Exception {
    Flags flags = new Flags(arguments, "--redis");
    File log = File.createTempFile("thrift-breaker-demo-", ".log");
    AtomicBoolean worthReading = new AtomicBoolean();
    Cleanup.atExit(
        () -> {
          if (!worthReading.get()) {
            log.delete();
          }
        });
    System.out.println(
        "A shop under load, its dependencies failing one at a time: about a minute. Ctrl-C ends it.");
    try {
      Redis redis = Redis.start(flags.redis("--redis"), log);
      boolean good = new Story(redis, Downstreams.start(log), log).tell();
      worthReading.set(!good);
      return good;
    } catch (Exception e) {
      worthReading.set(true);
      throw e;
    }
  }

  private boolean tell() throws Exception {
    startShop();
    introduce();
    load =
        new LoadClient(
            new Wire(Wire.Transport.FRAMED, Wire.Protocol.BINARY), port, CONNECTIONS, PER_SECOND);
    rowAtNanos = System.nanoTime();

    begin("All is well: " + PER_SECOND + " requests/s on " + CONNECTIONS + " connections");
    look("healthy", HEALTHY_MILLIS, () -> false);
    outcomes.add(new Outcome("healthy", chapter, false, NEVER, NEVER));

    for (Chapter next : CHAPTERS) {
      play(next);
    }
    load.close();
    shop.close();
    forgetState();
    sumUp();
    return wrong.isEmpty();
  }

  private void startShop() throws Exception {
    List<String> arguments =
        new ArrayList<>(List.of("--port", String.valueOf(port), "--namespace", namespace));
    if (redis.uri() != null) {
      arguments.addAll(List.of("--redis", redis.uri().toString()));
    }
    downstreams
        .ports()
        .forEach((name, at) -> arguments.addAll(List.of("--" + name, String.valueOf(at))));
    Child fresh = Child.jvm("checkout", log, CheckoutProcess.class, arguments);
    int controlPort = Integer.parseInt(fresh.awaitReady(60));
    shop = fresh;
    watch = new BreakerWatch(controlPort);
    new RunningDemo(ProcessHandle.current().pid(), controlPort, downstreams.faultPorts())
        .announce(port);
  }

  private void introduce() {
    StringBuilder services = new StringBuilder();
    Downstreams.NAMES.forEach(
        name -> services.append(name).append(" pid ").append(downstreams.pid(name)).append("  "));
    screen.line("  shop       127.0.0.1:" + port + ", pid " + shop.pid() + ", TThreadPoolServer");
    screen.line("  behind it  " + services.toString().strip());
    screen.line("  redis      " + redis.description());
  }

  private void play(Chapter now) throws Exception {
    begin(now.service + ": " + Fault.describe(now.kind, now.amount) + "  (" + now.note + ")");
    long from = System.nanoTime();
    downstreams.inject(now.service, now.kind, now.amount);
    look(now.word, OPENS_WITHIN_MILLIS, () -> is(now.service, "OPEN"));
    long opened = is(now.service, "OPEN") ? millisSince(from) : NEVER;
    if (opened == NEVER) {
      wrong.add("the breaker of " + now.service + " did not open on " + now.word);
    }
    if (now.kind == FaultKind.HANG && opened != NEVER && redis.uri() != null) {
      restartWhileOpen(now);
    } else {
      look(now.word, LOOK_AT_OPEN_MILLIS, () -> false);
    }

    screen.remark("        " + screen.clock(true) + "  " + now.service + " heals");
    long healed = System.nanoTime();
    downstreams.inject(now.service, FaultKind.NONE, 0);
    look("heal", CLOSES_WITHIN_MILLIS, () -> opened == NEVER || is(now.service, "CLOSED"));
    long closed = opened != NEVER && is(now.service, "CLOSED") ? millisSince(healed) : NEVER;
    if (opened != NEVER && closed == NEVER) {
      wrong.add("the breaker of " + now.service + " did not close after " + now.word);
    }
    look("heal", LOOK_AT_CLOSED_MILLIS, () -> false);
    outcomes.add(new Outcome(now.service + " " + now.word, chapter, true, opened, closed));
  }

  /** Kills the shop when its breaker has enough time left to outlast a restart. */
  private void restartWhileOpen(Chapter now) throws Exception {
    look(
        now.word,
        OPENS_WITHIN_MILLIS,
        () ->
            is(now.service, "OPEN")
                && breakers.get(now.service).getRemainingMillis() >= RESTART_WITHIN_MILLIS);
    look(now.word, 500, () -> false); // let the state reach Redis
    long leftMillis =
        breakers.containsKey(now.service) ? breakers.get(now.service).getRemainingMillis() : 0;
    screen.remark(
        "        "
            + screen.clock(true)
            + "  kill -9 of the shop, its breaker OPEN for "
            + seconds(leftMillis)
            + "; started again at once");
    long from = System.nanoTime();
    shop.kill();
    breakers.clear();
    CompletableFuture<Void> started =
        CompletableFuture.runAsync(
            () -> {
              try {
                startShop();
              } catch (Exception e) {
                throw new IllegalStateException(e.getMessage(), e);
              }
            });
    look("restart", 60_000, started::isDone);
    started.get();
    look("restart", READS_STATE_WITHIN_MILLIS, () -> is(now.service, "OPEN"));
    BreakerView view = breakers.get(now.service);
    if (view != null && !view.getState().equals("CLOSED")) {
      resumed =
          String.format(
              Locale.ROOT,
              "killed with %s left, up again %s later: %s with %s left, from Redis",
              seconds(leftMillis),
              seconds(millisSince(from)),
              view.getState(),
              seconds(view.getRemainingMillis()));
      screen.remark("        " + screen.clock(true) + "  " + resumed);
    } else {
      wrong.add("the restarted shop did not find the breaker of " + now.service + " open");
    }
    look(now.word, 1500, () -> false);
  }

  private void begin(String title) {
    chapter = Tally.nothing();
    screen.title(title);
    screen.head();
  }

  /** Shows what goes on until that is so, or the time is over. */
  private void look(String now, long atMostMillis, BooleanSupplier until)
      throws InterruptedException {
    long from = System.nanoTime();
    do {
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      readBreakers();
      long sinceRowNanos = System.nanoTime() - rowAtNanos;
      if (sinceRowNanos >= TimeUnit.SECONDS.toNanos(1)) {
        rowAtNanos += sinceRowNanos;
        Tally tally = load.take();
        chapter = chapter.plus(tally);
        screen.row(now, tally, sinceRowNanos / 1e9, inOrder());
      }
    } while (!until.getAsBoolean() && millisSince(from) < atMostMillis);
  }

  private void readBreakers() {
    BreakerWatch source = watch;
    Map<String, BreakerView> fresh = new HashMap<>();
    source.read().forEach(breaker -> fresh.put(breaker.getName(), breaker));
    fresh.forEach(
        (name, breaker) -> {
          BreakerView old = breakers.get(name);
          if (old != null && !old.getState().equals(breaker.getState())) {
            screen.event(
                breaker,
                old.getState()
                    + " -> "
                    + breaker.getState()
                    + ": "
                    + shortened(breaker.getReason()));
          }
        });
    breakers.clear();
    breakers.putAll(fresh);
  }

  /** Classes without their packages. */
  private static String shortened(String reason) {
    return reason.replaceAll("\\b(?:[a-z][a-z0-9_]*\\.)+(?=[A-Z])", "");
  }

  private List<BreakerView> inOrder() {
    return CheckoutServer.DEPENDENCIES.stream()
        .map(breakers::get)
        .filter(breaker -> breaker != null)
        .toList();
  }

  private boolean is(String service, String state) {
    return breakers.containsKey(service) && breakers.get(service).getState().equals(state);
  }

  private void sumUp() {
    screen.title("Summary");
    screen.line(
        String.format(
            "  %-22s %8s %8s %8s %10s   %-13s %s",
            "", "ok", "failed", "shed", "p99 ms", "opened after", "closed after healing"));
    for (Outcome outcome : outcomes) {
      screen.line(
          String.format(
                  Locale.ROOT,
                  "  %-22s %8d %8d %8d %10.1f   %-13s %s",
                  outcome.name,
                  outcome.tally.ok(),
                  outcome.tally.failed(),
                  outcome.tally.shed(),
                  outcome.tally.millis(99),
                  outcome.faulty ? secondsOrNever(outcome.openedMillis) : "",
                  outcome.faulty ? secondsOrNever(outcome.closedMillis) : "")
              .stripTrailing());
    }
    if (!resumed.isEmpty()) {
      screen.line("  restart: " + resumed);
    } else if (redis.uri() == null) {
      screen.line("  restart: left out, there is no Redis to remember the state");
    }
    for (String what : wrong) {
      screen.line(screen.bad("  NOT SEEN: " + what));
    }
    screen.line(
        wrong.isEmpty()
            ? screen.good("  All seen: each breaker opened on its fault and closed after it.")
            : "  The processes' own output is in " + log);
  }

  /** Leaves nothing behind in a Redis that is the user's. */
  private void forgetState() {
    if (!redis.started()) {
      try (RedisClient client = RedisClient.create(redis.uri())) {
        ScanParams mine = new ScanParams().match("tb:{" + namespace + "/*").count(1000);
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
          ScanResult<String> found = client.scan(cursor, mine);
          found.getResult().forEach(client::del);
          cursor = found.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
      } catch (JedisException e) {
        screen.remark("  keys tb:{" + namespace + "/* were left in Redis: " + e.getMessage());
      }
    }
  }

  private static String secondsOrNever(long millis) {
    return millis == NEVER ? "never" : seconds(millis);
  }

  private static String seconds(long millis) {
    return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
  }

  private static long millisSince(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
  }
}
