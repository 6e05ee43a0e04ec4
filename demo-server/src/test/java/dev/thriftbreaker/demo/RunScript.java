package dev.thriftbreaker.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/** A run of the real {@code run.sh}, with the classes under test, that ends with the test. */
final class RunScript implements AutoCloseable {

  private static final Duration STARTS_WITHIN = Duration.ofSeconds(30);
  private static final Pattern PID = Pattern.compile("pid (\\d+)");

  private final Process process;
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Thread reader;

  private RunScript(Map<String, String> environment, String... arguments) {
    Assumptions.assumeTrue(onPath("bash"), "run.sh needs bash, and there is none on the PATH");
    List<String> command = new ArrayList<>(List.of("bash", "run.sh"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("DEMO_CLASSPATH", System.getProperty("java.class.path"));
    File temporary = new File("target/tmp");
    temporary.mkdirs();
    builder
        .environment()
        .put("DEMO_JAVA_OPTS", "-Ddemo.dieWithParent=true -Djava.io.tmpdir=" + temporary);
    builder.environment().putAll(environment);
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    reader = new Thread(this::read, "output of run.sh");
    reader.setDaemon(true);
    reader.start();
  }

  static RunScript start(String... arguments) {
    return new RunScript(Map.of(), arguments);
  }

  static RunScript start(Map<String, String> environment, String... arguments) {
    return new RunScript(environment, arguments);
  }

  /** Starts the shop on any free port and waits until it serves. */
  static RunScript serve(String... flags) {
    List<String> arguments = new ArrayList<>(List.of("serve", "--port", "0"));
    arguments.addAll(List.of(flags));
    RunScript script = start(arguments.toArray(String[]::new));
    script.awaitLine("jconsole");
    return script;
  }

  static boolean onPath(String name) {
    for (String directory : System.getenv("PATH").split(File.pathSeparator)) {
      if (Files.isExecutable(Path.of(directory, name))) {
        return true;
      }
    }
    return false;
  }

  private void read() {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line; (line = in.readLine()) != null; ) {
        lines.add(line);
      }
    } catch (IOException e) {
      // the process is gone
    }
  }

  void awaitLine(String part) {
    await()
        .atMost(STARTS_WITHIN)
        .until(() -> output().contains(part) || !process.isAlive() && !reader.isAlive());
    assertThat(output()).contains(part);
  }

  /** Waits for its end. */
  int status() throws InterruptedException {
    assertThat(process.waitFor(STARTS_WITHIN.toSeconds(), TimeUnit.SECONDS)).isTrue();
    reader.join();
    return process.exitValue();
  }

  String output() {
    return String.join("\n", lines);
  }

  /** The port that the shop told. */
  int port() {
    Matcher matcher = Pattern.compile("pid \\d+, 127.0.0.1:(\\d+)").matcher(output());
    assertThat(matcher.find()).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  /** All processes that the output tells of, and the script's own. */
  List<Long> pids() {
    List<Long> pids = new ArrayList<>(List.of(process.pid()));
    Matcher matcher = PID.matcher(output());
    while (matcher.find()) {
      pids.add(Long.valueOf(matcher.group(1)));
    }
    return pids.stream().distinct().toList();
  }

  /** The process of the line with this word. */
  long pidOf(String word) {
    Matcher matcher = Pattern.compile(word + "\\b.*?pid (\\d+)").matcher(output());
    assertThat(matcher.find()).as(word).isTrue();
    return Long.parseLong(matcher.group(1));
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** Whether a process runs; one that only waits to be reaped does not. */
  static boolean runs(long pid) {
    if (ProcessHandle.of(pid).isEmpty()) {
      return false;
    }
    Path stat = Path.of("/proc", String.valueOf(pid), "stat");
    try {
      String text = Files.readString(stat);
      return text.charAt(text.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException e) {
      return !Files.exists(Path.of("/proc/self/stat"));
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    await().atMost(Duration.ofSeconds(10)).until(() -> !process.isAlive());
  }
}
