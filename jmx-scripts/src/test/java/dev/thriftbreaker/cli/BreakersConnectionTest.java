package dev.thriftbreaker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.cli.Cli.Result;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ways to reach a server, and ways not to. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BreakersConnectionTest {

  @TempDir static Path directory;
  private static ServerProcess first;
  private static ServerProcess second;

  @BeforeAll
  static void start() throws Exception {
    Path one = Files.createDirectory(directory.resolve("one"));
    Path two = Files.createDirectory(directory.resolve("two"));
    first = new ServerProcess(one, List.of(), "checkout:inventory");
    // a JVM that would die of an attempt to attach
    second = new ServerProcess(two, List.of("-Xrs"), "search:index");
  }

  @AfterAll
  static void stop() {
    first.close();
    second.close();
  }

  @Test
  void aRemoteConnectorTakesUserAndPasswordFromAFile() throws Exception {
    assertThat(Cli.run(first.byUrl("monitor", "look"), "list").out()).contains("inventory");
    Result change =
        Cli.run(
            first.byUrl("operator", "secret"), "set", "inventory", "probes", "7", "--reason", "x");
    assertThat(change.exit()).isZero();
    assertThat(change.out()).contains("probes: 5 -> 7");
  }

  @Test
  void aWholeServiceUrlIsTaken() throws Exception {
    List<String> target = first.byUrl("monitor", "look").subList(2, 6);
    String url = "service:jmx:rmi:///jndi/rmi://127.0.0.1:" + first.port + "/jmxrmi";

    assertThat(Cli.run(target, "-u", url, "list").exit()).isZero();
  }

  @Test
  void aReadonlyUserIsRefusedInClearWords() throws Exception {
    Result result =
        Cli.run(
            first.byUrl("monitor", "look"), "open", "inventory", "--for", "5m", "--reason", "x");

    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err())
        .contains("this user may not do that")
        .contains("readwrite")
        .doesNotContain("\tat ");
  }

  @Test
  void aWrongPasswordAndNoUserEndWith3() throws Exception {
    Result wrong = Cli.run(first.byUrl("monitor", "guess"), "list");
    Result none = Cli.run(first.byUrl(), "list");

    assertThat(wrong.exit()).isEqualTo(3);
    assertThat(wrong.err()).contains("user or password is wrong").doesNotContain("guess", "\tat ");
    assertThat(none.exit()).isEqualTo(3);
    assertThat(none.err()).contains("wants a user: --user U --password-file F");
  }

  @Test
  void aPasswordFileThatEverybodyReadsIsWarnedOf() throws Exception {
    Path file = first.secret("open password", "look\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

    Result result =
        Cli.run(first.byUrl(), "--user", "monitor", "--password-file", file.toString(), "list");

    assertThat(result.exit()).isZero();
    assertThat(result.err()).contains("warning: everybody can read " + file);
    assertThat(result.out()).doesNotContain("warning");
  }

  @Test
  void aPasswordFileOfAServerIsNotTaken() {
    Path file = first.directory.resolve("passwords");

    Result result =
        Cli.run(first.byUrl(), "--user", "monitor", "--password-file", file.toString(), "list");

    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err())
        .contains("expected: one line, the password alone")
        .doesNotContain("secret");
  }

  @Test
  void whereNothingListensIs3() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }

    Result result = Cli.run("-u", "127.0.0.1:" + port, "list");

    assertThat(result.exit()).isEqualTo(3);
    assertThat(result.err()).contains("nothing listens there");
  }

  @Test
  void aPortThatAcceptsAndNeverAnswersIs3() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Result result =
          Cli.run("--timeout", "1s", "-u", "127.0.0.1:" + silent.getLocalPort(), "list");

      assertThat(result.exit()).isEqualTo(3);
      assertThat(result.err()).contains("no answer within 1 s");
    }
  }

  @Test
  void mainChoosesAmongProcessesAndSkippedOnesAreNamed() {
    Result one = Cli.run("--main", first.directory.toString(), "list");
    Result both = Cli.run("--main", directory.toString(), "list");
    Result none = Cli.run("--main", directory + "/three", "list");

    assertThat(one.exit()).isZero();
    assertThat(one.out()).contains("inventory");
    assertThat(both.exit()).isEqualTo(2);
    assertThat(both.err())
        .contains("2 JVMs have an interceptor")
        .contains("-p " + first.pid() + "   checkout")
        .contains("-p " + second.pid() + "   skipped: is no JVM, or runs with -Xrs");
    assertThat(none.exit()).isEqualTo(3);
    assertThat(second.isAlive()).isTrue();
  }

  @Test
  void aProcessThatIsNoJvmIsLeftAlone() throws Exception {
    Process sleep = new ProcessBuilder("sleep", "60").start();
    try {
      Result result = Cli.run("-p", String.valueOf(sleep.pid()), "list");

      assertThat(result.exit()).isEqualTo(3);
      assertThat(result.err()).contains("is no JVM");
      assertThat(sleep.isAlive()).isTrue();
    } finally {
      sleep.destroyForcibly().waitFor();
    }
    Result gone = Cli.run("-p", String.valueOf(sleep.pid()), "list");
    assertThat(gone.exit()).isEqualTo(3);
    assertThat(gone.err()).contains("no such process");
  }

  @Test
  void aHungProcessIs3AndIsWellAfterwards() throws Exception {
    List<String> url = first.byUrl("operator", "secret");
    try (Cli.Running watch = new Cli.Running(first.byPid(), "--timeout", "1s", "watch")) {
      assertThat(watch.line()).contains("inventory");
      first.hang();
      try {
        Result byPid = Cli.run(first.byPid(), "--timeout", "1s", "list");
        Result byUrl = Cli.run(url, "--timeout", "1s", "list");
        Result found = Cli.run("--timeout", "1s", "--main", first.directory.toString(), "list");

        assertThat(List.of(byPid.exit(), byUrl.exit(), found.exit())).containsOnly(3);
        assertThat(byPid.err()).contains("is stopped").contains("kill -CONT");
        assertThat(byUrl.err()).contains("no answer within 1 s");
        assertThat(found.err()).contains("skipped: is stopped");
        assertThat(watch.exit()).isEqualTo(3);
        assertThat(watch.err()).contains("no answer within 1 s");
      } finally {
        first.goOn();
      }
    }
    assertThat(Cli.run(first.byPid(), "list").exit()).isZero();
  }

  @Test
  void watchEndsWith3WhenTheServerDiesOrItsInterceptorIsClosed() throws Exception {
    Path third = Files.createDirectory(directory.resolve("doomed"));
    try (ServerProcess doomed = new ServerProcess(third, List.of(), "a:x", "b:y");
        Cli.Running one = new Cli.Running(doomed.byPid(), "watch", "x");
        Cli.Running all = new Cli.Running(doomed.byPid(), "watch")) {
      assertThat(one.line()).contains("a/x");
      assertThat(all.line()).contains("a/x");
      assertThat(all.line()).contains("b/y");

      doomed.tell("close a");
      assertThat(one.line()).contains("gone: its interceptor was closed");
      assertThat(one.exit()).isEqualTo(3);
      assertThat(all.line()).contains("a/x").contains("gone");

      doomed.kill();
      assertThat(all.exit()).isEqualTo(3);
      assertThat(all.err()).contains("connection lost");
    }
  }
}
