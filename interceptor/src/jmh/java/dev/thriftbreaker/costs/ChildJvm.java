package dev.thriftbreaker.costs;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own, fresh and for one measurement: a main class that obeys lines on its input, ends
 * with it and speaks in lines that begin with {@link #SAYS}.
 */
final class ChildJvm implements AutoCloseable {

  static final String SAYS = "> ";

  private static final String ENDED = "";

  private final String name;
  private final Process process;
  private final PrintWriter input;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  ChildJvm(Class<?> main, List<String> options, String... arguments) throws IOException {
    name = main.getSimpleName() + " " + String.join(" ", arguments);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=error");
    command.addAll(options);
    command.add("-classpath");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    input = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
    Thread reader = new Thread(this::read, "reader of " + name);
    reader.setDaemon(true);
    reader.start();
  }

  private void read() {
    try (BufferedReader output =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        if (line.startsWith(SAYS)) {
          lines.add(line.substring(SAYS.length()));
        }
      }
    } catch (IOException ended) {
      // so did what it had to say
    }
    lines.add(ENDED);
  }

  /** In the child: says a line. */
  static void say(String line) {
    System.out.println(SAYS + line);
    System.out.flush();
  }

  void tell(String line) {
    input.println(line);
  }

  /** The next line that it says. */
  String next() throws InterruptedException {
    String line = lines.poll(120, TimeUnit.SECONDS);
    if (line == null || line.equals(ENDED)) {
      throw new IllegalStateException(name + (line == null ? " says nothing" : " ended"));
    }
    return line;
  }

  /** The rest of the next line that begins with a word; those before are dropped. */
  String next(String word) throws InterruptedException {
    while (true) {
      String line = next();
      if (line.startsWith(word + " ")) {
        return line.substring(word.length() + 1);
      }
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
