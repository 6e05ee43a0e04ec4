package dev.thriftbreaker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is on the command line, before anything is connected to. */
class BreakersArgumentsTest {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... args) {
    return new Breakers(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false)
        .run(args);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``                                           | no command (expected one of: ps, list, show,",
        "lsit                                         | lsit: unknown command (did you mean list?)",
        "frobnicate                                   | frobnicate: unknown command",
        "list --jsn                                   | --jsn: unknown option (did you mean --json?)",
        "list -x                                      | -x: unknown option",
        "list more                                    | more: one word too many",
        "show                                         | show: NAME is missing",
        "set a b --reason x                           | set: VALUE is missing",
        "need a b yes                                 | need: --reason is missing",
        "need a b maybe --reason x                    | maybe: unknown answer (expected one of: yes, no, learn)",
        "need a b --reason x                          | `need: yes|no|learn is missing`",
        "need a b yes --for 5m --reason x             | --for: does not go with need",
        "list --json --json                           | --json: given twice",
        "list --json=yes                              | --json=yes: takes no value",
        "list -p                                      | -p: its value is missing (expected: -p PID)",
        "list -p --json                               | -p: its value is missing",
        "list -p abc                                  | -p: abc (expected: the number of a process",
        "list -p -5                                   | -p: -5 (expected: the number of a process",
        "list -p 1 -u a:1                             | -p and -u: one too many",
        "list --main (                                | --main: ( (expected: a regular expression",
        "list -u host                                 | -u: host (expected: host:port,",
        "list -u host:0                               | -u: host:0 (expected: host:port,",
        "list -u ::1:99                               | -u: ::1:99 (expected: host:port,",
        "list -u service:jmx:                         | -u: service:jmx: (expected: host:port,",
        "list -u a:1 --user u                         | --user: --password-file is missing",
        "list -u a:1 --password-file f                | --password-file: --user is missing",
        "list -p 1 --user u --password-file f         | --user: only goes with -u",
        "list -u a:1 --user u --password-file /no/f   | --password-file: /no/f cannot be read",
        "list --timeout 5                             | --timeout: 5 (expected: 100ms to 1h",
        "list --timeout 99ms                          | --timeout: 99ms (expected: 100ms to 1h",
        "list --timeout 2h                            | --timeout: 2h (expected: 100ms to 1h",
        "list --fleet                                 | --fleet: does not go with list",
        "ps -p 1                                      | -p: does not go with ps",
        "release a --for 5m                           | --for: does not go with release",
        "open a --reason x                            | open: --for is missing",
        "open a --for 5m                              | open: --reason is missing",
        "reset a                                      | reset: --reason is missing",
        "open a --for 5m --reason=                    | --reason: blank",
        "open a --reason --for 5m                     | --reason: its value is missing",
        "open a --for 0s --reason x                   | --for: 0s (expected: 1s to 24h",
        "open a --for 25h --reason x                  | --for: 25h (expected: 1s to 24h",
        "open a --for 999999999h --reason x           | --for: 999999999h (expected: 1s to 24h",
        "open a --for 1500ms --reason x               | --for: 1500ms (expected: whole seconds)",
        "open a --for five --reason x                 | --for: five (expected: 1s to 24h",
      })
  void aMistakeIsOneClearLineAndEndsWith2(String line, String expected) {
    String[] args = line.isEmpty() ? new String[0] : line.strip().split(" +");

    assertThat(run(args)).isEqualTo(2);

    List<String> lines = err.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines.get(0)).startsWith("breakers: " + expected);
    assertThat(lines.subList(1, lines.size())).allMatch(hint -> hint.startsWith("  "));
    assertThat(out.size()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Breakers.Command.class)
  void eachCommandHasHelpWithAnExampleThatIsValid(Breakers.Command command) throws Exception {
    assertThat(run(command.word(), "--help")).isZero();

    assertThat(out.toString(StandardCharsets.UTF_8))
        .startsWith("breakers " + command.word())
        .contains("example: breakers " + command.example);
    String[] example = command.example.replaceAll("\"[^\"]*\"", "why").split(" ");
    assertThat(Breakers.Arguments.parse(example).command).isEqualTo(command);
  }

  @Test
  void helpAndVersionGoToStandardOutput() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("breakers [-p PID", "Exit: 0 done");
    assertThat(out.toString(StandardCharsets.UTF_8).lines()).allMatch(line -> line.length() <= 100);
    assertThat(run("--version")).isZero();
    assertThat(err.size()).isZero();
  }

  @Test
  void jsonEscapesWhatMustBeEscapedAndHasNoNaN() {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("text", "\"\\\n\t\u0001\u007f \u00e4 \ud83d\ude00 \ud83d");
    document.put("numbers", Arrays.asList(1, -2L, 0.5, 1e300, Double.NaN, Float.NEGATIVE_INFINITY));
    document.put("rest", Arrays.asList(true, null, List.of(), Map.of()));

    String json = Breakers.Json.write(document);

    assertThat(json).contains("\\u0001", "\\ud83d\"", "\u00e4 \ud83d\ude00").doesNotContain("NaN");
    assertThat((Map<?, ?>) JsonReader.read(json))
        .isEqualTo(
            Map.of(
                "text",
                document.get("text"),
                "numbers",
                Arrays.asList(1.0, -2.0, 0.5, 1e300, null, null),
                "rest",
                Arrays.asList(true, null, List.of(), Map.of())));
  }
}
