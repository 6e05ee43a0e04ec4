package dev.thriftbreaker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.thriftbreaker.cli.Cli.Result;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each command against a live process. Each test uses a breaker of its own. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BreakersCommandsTest {

  private static final String LONG =
      "a-name-as-long-as-names-may-be-which-is-sixty-four-letters-long-";

  @TempDir static Path directory;
  private static ServerProcess server;

  @BeforeAll
  static void start() throws Exception {
    server =
        new ServerProcess(
            directory,
            List.of(),
            "checkout:shown,forced,released,probed,reset,set,watched,quiet,shared,fleet,hostile,"
                + "hung,full,ramping",
            "returns:shared",
            LONG + ":" + LONG);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Result run(String... args) {
    return Cli.run(server.byPid(), args);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> show(String name) {
    return (Map<String, Object>) run("--server", "checkout", "--json", "show", name).json();
  }

  @Test
  void psNamesTheProcessItsServersAndItsMain() {
    Result text = Cli.run("ps");
    Result json = Cli.run("ps", "--json");

    assertThat(text.out().lines())
        .anyMatch(line -> line.matches(" *" + server.pid() + " .*checkout, returns .*server.jar"));
    assertThat(json.exit()).isZero();
    Map<?, ?> document = (Map<?, ?>) json.json();
    assertThat((List<?>) document.get("jvms"))
        .filteredOn(jvm -> ((Map<?, ?>) jvm).get("pid").equals((double) server.pid()))
        .singleElement()
        .satisfies(
            jvm ->
                assertThat(((Map<?, ?>) jvm).get("main"))
                    .isEqualTo(directory.resolve("server.jar").toString()));
  }

  @Test
  void listShowsEachBreakerOnceAndWhyItIsNotClosed() throws Exception {
    server.tell("fail returns shared 6");

    Result result = run("list");

    assertThat(result.exit()).isZero();
    assertThat(result.err()).isEmpty();
    List<String> lines = result.out().lines().toList();
    assertThat(lines.get(0)).startsWith("SERVER").contains("BREAKER", "STATE", "MODE", "FOR");
    assertThat(lines)
        .filteredOn(line -> line.matches("checkout +quiet +CLOSED +AUTO .*"))
        .hasSize(1);
    int open =
        lines.indexOf(
            lines.stream()
                .filter(l -> l.matches("returns +shared +OPEN .*"))
                .findFirst()
                .orElseThrow());
    assertThat(lines.get(open + 1)).contains("half open in").contains("5 consecutive failures");
  }

  @Test
  void listAsJsonHasNumbersAsNumbers() {
    Result result = run("--server", "checkout", "list", "--json");

    assertThat((List<?>) result.json())
        .hasSize(14)
        .filteredOn(breaker -> ((Map<?, ?>) breaker).get("name").equals("quiet"))
        .singleElement()
        .satisfies(
            breaker ->
                assertThat(((Map<?, ?>) breaker).entrySet().stream().map(Object::toString))
                    .contains(
                        "server=checkout", "callCount=0.0", "refusing=false", "failureRate=0.0"));
  }

  @Test
  void aTableFitsAHundredColumnsOfATerminalWhateverTheNames() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8)) {
      String[] args = {"-p", String.valueOf(server.pid()), "list"};

      assertThat(new Breakers(stream, stream, true, true).run(args)).isZero();
    }

    String coloured = out.toString(StandardCharsets.UTF_8);
    assertThat(coloured).contains("\u001b[32mCLOSED\u001b[0m");
    assertThat(coloured.replaceAll("\u001b\\[\\d+m", "").lines())
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100))
        .anyMatch(line -> line.startsWith("a-na") && line.contains("ong-"));
    assertThat(run("list").out())
        .as("not a terminal: in full, plain")
        .contains(LONG)
        .doesNotContain("\u001b");
  }

  @Test
  void showSaysWhyWhatComesNextAndWhatToPress() throws Exception {
    server.tell("fail checkout shown 6");

    Result result = run("show", "shown");

    assertThat(result.exit()).isZero();
    assertThat(result.out())
        .startsWith("shown on checkout (pid " + server.pid() + "): OPEN, refuses calls\n")
        .contains("reason       5 consecutive failures")
        .contains("5 x java.io.IOException")
        .containsPattern(
            "Refuses calls; half open in \\d+m.*, at \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ\\.")
        .contains("Until then a call passes now and then, to try; 3 good ones in a row are enough.")
        .contains(
            "After 3 good probes ramps up from 10% of the calls; if they fail, opens again for up to 3600s.")
        .contains("5 calls: 0 succeeded, 5 failed, 0 ignored")
        .containsPattern("p99 1\\d ms")
        .contains("openDuration 3600s")
        .contains(Cli.LAUNCHER + " -p " + server.pid() + " probe shown --reason \"...\"")
        .doesNotContain("More");
    assertThat(show("shown"))
        .contains(entry("state", "OPEN"), entry("failureCount", 5.0), entry("stateCode", 2.0))
        .containsEntry("lastTripErrors", Map.of("java.io.IOException", 5.0))
        .containsKeys("latency", "settings", "history");
  }

  @Test
  void showOfAClosedBreakerSaysWhenItWouldOpen() {
    assertThat(run("show", "quiet").out().replaceAll("\\s+", " "))
        .contains("quiet on checkout (pid " + server.pid() + "): CLOSED, lets calls pass")
        .contains(
            "Opens at a failure rate of 50% or a slow rate of 80% (slow: 2s) of at least 20 calls,"
                + " or with fewer calls after 5 failures in a row.");
  }

  @Test
  void aBreakerThatHungCallsOpenedNamesThemWithThreadAndAge() throws Exception {
    server.tell("hang checkout hung 6");

    String call = "\\S+ on main for \\d+ ms";
    assertThat(run("--server", "checkout", "list").out().lines())
        .anyMatch(line -> line.matches("checkout +hung +OPEN +AUTO .* 6 +6 +0 +0 +1 +.*"))
        .anyMatch(
            line ->
                line.matches(
                    "    half open in .*: 6 calls hang for 50 ms or more, no call has ended .*"));
    assertThat(run("show", "hung").out())
        .startsWith("hung on checkout (pid " + server.pid() + "): OPEN, refuses calls\n")
        .contains("6 hung, the oldest of the calls under way then:")
        .containsPattern("under way then:\n                 " + call + "\n")
        .contains("now          6 in flight; the server has 32 threads, as observed\n")
        .containsPattern("oldest       " + call + "\n")
        .contains("0 slow, 6 found hanging, 0 late");
    assertThat(show("hung"))
        .contains(entry("hungCount", 6.0), entry("lastTripHungCalls", 6.0))
        .extractingByKey("lastTripOldestCalls")
        .satisfies(calls -> assertThat((List<?>) calls).hasSize(5));
  }

  @Test
  void whereCallsFindNoPlaceTheLimitAndTheOldestCallAreShown() throws Exception {
    server.tell("fill checkout full 2");

    assertThat(run("--server", "checkout", "list").out().lines())
        .anyMatch(line -> line.matches("checkout +full +CLOSED +AUTO .* 2/2 +2 +2 +2 +0 .*"))
        .anyMatch(
            line ->
                line.matches(
                    "    FULL, 2 calls under way, at most 2 at once; oldest: .*on main for \\d+ ms"));
    assertThat(run("show", "full").out())
        .startsWith("full on checkout (pid " + server.pid() + "): CLOSED, refuses calls as FULL\n")
        .contains("Refuses as FULL what is more than 2 calls at once; opens if those hang.")
        .contains("2 in flight, at most 2 at once; the server has 32 threads")
        .contains("2 refused, 2 of them as FULL, 0 held off;")
        .contains("set full maxConcurrentCalls 4 --reason \"...\"");
    assertThat(show("full"))
        .contains(
            entry("fullCount", 2.0),
            entry("maxConcurrentCalls", 2.0),
            entry("maxConcurrentCallsSetting", "2"));
  }

  @Test
  void aRampingBreakerShowsTheShareThatPasses() throws Exception {
    server.tell("ramp checkout ramping");

    assertThat(run("--server", "checkout", "list").out().lines())
        .anyMatch(line -> line.matches("checkout +ramping +RAMPING +AUTO .*"))
        .contains("    lets 10% of the calls pass: 3 probes succeeded");
    assertThat(run("show", "ramping").out())
        .startsWith(
            "ramping on checkout (pid " + server.pid() + "): RAMPING, lets 10% of the calls pass\n")
        .contains(
            "Twice as many after each good 3600s, half as many after a bad one, closed at 100%.")
        .contains("let calls pass anyway:");
    assertThat(show("ramping")).containsEntry("passingShare", 0.1);
  }

  @ParameterizedTest
  @CsvSource({"open, FORCED_OPEN", "close, FORCED_CLOSED", "shadow, SHADOW"})
  void anOverrideNeedsTimeAndReasonAndPrintsOldAndNew(String command, String mode) {
    Result result =
        run(command, "forced", "--for", "5m", "--reason", "the \"vendor\" is down: \u00e4");

    assertThat(result.exit()).isZero();
    assertThat(result.out()).startsWith("forced on checkout: ").contains(" -> ").contains(mode);
    assertThat(result.err()).contains("to end it before: ").contains("release forced");
    assertThat(show("forced"))
        .contains(
            entry("mode", mode),
            entry("modeReason", "the \"vendor\" is down: \u00e4"),
            entry("modeFleetWide", false));
    assertThat(run("show", "forced").out())
        .contains(mode + " until ")
        .contains("let the state decide:");
  }

  @Test
  void fleetGoesToTheOperationForTheFleet() {
    Result result = run("open", "fleet", "--fleet", "--for=90s", "--reason=all of them");

    assertThat(result.exit()).as("this server keeps its state in memory only").isEqualTo(1);
    assertThat(result.err()).startsWith("breakers: refused: no fleet:");
  }

  @Test
  void aChangeAsJsonSaysWhatChangedAndHowItIsNow() {
    Result result = run("--json", "open", "fleet", "--for=90s", "--reason=this one");

    assertThat((Map<?, ?>) result.json())
        .extracting("command", "breaker", "mode", "modeFleetWide", "refusing", "change")
        .containsExactly(
            "open", "fleet", "FORCED_OPEN", false, true, "AUTO -> FORCED_OPEN for 90 s");
  }

  @Test
  void theHintThatShowPrintsCanBePasted() throws Exception {
    run("open", "released", "--for", "5m", "--reason", "x");
    String hint =
        run("show", "released")
            .out()
            .lines()
            .filter(line -> line.contains("let the state decide:"))
            .map(line -> line.substring(line.indexOf(':') + 1))
            .findFirst()
            .orElseThrow();

    Result result = Cli.finish(new ProcessBuilder("bash", "-c", hint));

    assertThat(result.exit()).isZero();
    assertThat(show("released")).containsEntry("mode", "AUTO");
    assertThat(run("history", "released").out())
        .contains("AUTO -> FORCED_OPEN: x")
        .contains("FORCED_OPEN -> AUTO: released with the breakers command");
  }

  @Test
  void probeAndResetMoveTheState() throws Exception {
    server.tell("fail checkout probed 6");
    server.tell("fail checkout reset 6");

    assertThat(run("probe", "probed", "--reason", "vendor is back").out())
        .contains("OPEN -> ")
        .contains("HALF_OPEN");
    assertThat(run("reset", "reset", "--reason", "rolled back").out())
        .contains("OPEN -> ")
        .contains("CLOSED");
  }

  @Test
  void setPrintsTheOldAndTheNewValue() {
    Result result = run("set", "set", "openDuration", "10s", "--reason", "slow restarts");

    assertThat(result.exit()).isZero();
    assertThat(result.out()).contains("openDuration: 3600s -> 10s");
    assertThat((Map<?, ?>) show("set").get("settings")).extracting("openDuration").isEqualTo("10s");
  }

  @Test
  void methodsAndRedisAreShown() {
    assertThat(run("--server", "checkout", "methods").out().replaceAll("\\s+", " "))
        .containsPattern("placeOrder 1,234 .*1.5 ms 20 ms inventory,payments\\(learned\\),mail")
        .contains(
            "mail(operator) payments: used by 98 of 100 requests, 20 of 20 failed when it refused;"
                + " mail: needed, an operator said; sms: not needed, an operator said")
        .doesNotContain("recommendations");
    assertThat(run("--server", "checkout", "redis").out())
        .contains("Redis 127.0.0.1:6379 DEGRADED")
        .contains("Alarms: maxmemory-policy is allkeys-lru");
    assertThat((List<?>) run("redis", "--json").json()).hasSize(3);
    assertThat((List<?>) run("methods", "--json").json()).hasSize(3);
  }

  @ParameterizedTest
  @CsvSource({"yes, declareNeeded", "no, declareNotNeeded", "learn, learn"})
  void needSaysWhetherAMethodNeedsADependency(String word, String operation) {
    Result result =
        run("--server", "checkout", "need", "placeOrder", "sms", word, "--reason", "it \"copes\"");
    Result json =
        run("--server=checkout", "--json", "need", "placeOrder", "sms", word, "--reason", "x");

    assertThat(result.exit()).isZero();
    assertThat(result.out())
        .isEqualTo("placeOrder on checkout: " + operation + "(sms, it \"copes\")\n");
    assertThat((Map<?, ?>) json.json())
        .extracting("server", "method", "command", "change")
        .containsExactly("checkout", "placeOrder", "need", operation + "(sms, x)");
    assertThat((List<?>) ((Map<?, ?>) json.json()).get("requirements")).hasSize(5);
  }

  @Test
  void needOfAMethodThatThereIsNotEndsWith4AndWhatTheServerRefusesWith1() {
    Result unknown = run("--server", "checkout", "need", "placeOrdr", "sms", "no", "--reason", "x");
    Result refused =
        run("--server", "checkout", "need", "placeOrder", "sms", "no", "--reason", "String");

    assertThat(unknown.exit()).isEqualTo(4);
    assertThat(unknown.err())
        .contains("placeOrdr: no such method (did you mean placeOrder?)")
        .contains("there are: placeOrder");
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.err()).isEqualTo("breakers: refused: reason: \"String\"\n");
    assertThat(run("need", "placeOrder", "sms", "no", "--reason", "x").err())
        .contains("several servers have a method of that name: ");
  }

  @Test
  void whatTheServerRefusesIsOneLineAndEndsWith1() {
    Result bad = run("set", "quiet", "openDuration", "soon", "--reason", "x");

    assertThat(bad.exit()).isEqualTo(1);
    assertThat(bad.out()).isEmpty();
    assertThat(bad.err())
        .isEqualTo(
            "breakers: refused: openDuration: soon (expected: a duration such as 500ms, 5s, 2m or PT0.5S)\n");
    assertThat(run("probe", "quiet", "--reason", "x").exit()).isEqualTo(1);
    assertThat(run("open", "quiet", "--for", "5m", "--reason", "String").exit()).isEqualTo(1);
  }

  @Test
  void anUnknownBreakerEndsWith4AndSaysWhichThereAre() {
    Result result = run("--server", "checkout", "open", "qiet", "--for", "5m", "--reason", "x");

    assertThat(result.exit()).isEqualTo(4);
    assertThat(result.err())
        .contains("qiet: no such breaker (did you mean quiet?)")
        .contains("there are: fleet, forced, full, hostile,");
    assertThat(run("--server", "chekout", "list").exit()).isEqualTo(4);
  }

  @Test
  void aNameOfSeveralServersNeedsOne() {
    Result result = run("show", "shared");

    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err())
        .contains("several servers have a breaker of that name: checkout, returns");
    assertThat(run("--server", "returns", "show", "shared").out())
        .startsWith("shared on returns")
        .contains(" --server returns history shared");
  }

  @Test
  void aReasonFromElsewhereCannotSteerTheTerminal() throws Exception {
    server.tell("hostile checkout hostile");

    assertThat(run("show", "hostile").out())
        .contains("?[2J \"ok\"")
        .contains("by other-host, for the whole fleet")
        .doesNotContain("\u001b");
    assertThat(show("hostile")).containsEntry("modeReason", "\u001b[2J\n\"ok\"");
  }

  @Test
  void watchPrintsTheStateThenEachTransitionOnceAndInOrder() throws Exception {
    try (Cli.Running text = new Cli.Running(server.byPid(), "watch", "watched");
        Cli.Running json = new Cli.Running(server.byPid(), "--json", "watch", "watched")) {
      assertThat(text.line()).contains("checkout/watched").contains("is CLOSED: as built");
      assertThat(json.line()).contains("\"event\":\"state\"");

      server.tell("fail checkout watched 6");
      run("probe", "watched", "--reason", "now");
      run("reset", "watched", "--reason", "done");

      assertThat(text.line())
          .containsPattern(
              "^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z  checkout/watched +CLOSED -> OPEN: 5 consecutive failures$");
      assertThat(text.line()).contains("OPEN -> HALF_OPEN: now");
      assertThat(text.line()).contains("HALF_OPEN -> CLOSED: done");
      assertThat((Map<?, ?>) JsonReader.read(json.line()))
          .extracting("event", "server", "breaker", "attribute", "from", "to")
          .containsExactly("transition", "checkout", "watched", "State", "CLOSED", "OPEN");
    }
  }
}
