package dev.thriftbreaker.demo.process;

import dev.thriftbreaker.demo.CannotRun;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A process of this one's making, which does not outlive it: its standard input is a pipe whose
 * other end only this process holds. When this process ends, however it ends, the kernel closes the
 * pipe; the child reads the end of the stream and goes, see {@link #dieWithParent()}.
 *
 * <p>A child says {@code ready} and what its parent needs to know, in one line on its standard
 * output.
 */
public final class Child implements AutoCloseable {

  /** Keeps the pipes from being garbage collected, which would close them. */
  private static final Set<Child> ALIVE = ConcurrentHashMap.newKeySet();

  private static final List<String> JVM_OPTIONS =
      List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m");

  private final String name;
  private final File log;
  private final Process process;
  private final CompletableFuture<String> ready = new CompletableFuture<>();

  private Child(String name, File log, Process process) {
    this.name = name;
    this.log = log;
    this.process = process;
    ALIVE.add(this);
    Cleanup.atExit(this);
    process.onExit().thenRun(() -> ALIVE.remove(this));
    Thread reader = new Thread(this::readOutput, "output of " + name);
    reader.setDaemon(true);
    reader.start();
  }

  /**
   * Starts a JVM with this one's class path.
   *
   * @param log where its standard error goes, or null for this process's own
   */
  public static Child jvm(String name, File log, Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    command.addAll(JVM_OPTIONS);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(arguments);
    return start(name, log, command);
  }

  /** Starts a command that reads its standard input and ends when that ends. */
  static Child start(String name, File log, List<String> command) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.redirectError(
          log == null ? ProcessBuilder.Redirect.INHERIT : ProcessBuilder.Redirect.appendTo(log));
      return new Child(name, log, builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void readOutput() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line; (line = lines.readLine()) != null; ) {
        if (line.startsWith("ready")) {
          ready.complete(line.substring("ready".length()).strip());
        }
      }
    } catch (IOException e) {
      // the process is gone
    }
    ready.completeExceptionally(new CannotRun(name + " ended before it was ready" + seeLog()));
  }

  /** Waits until the child is ready and answers with what it said. */
  public String awaitReady(long seconds) {
    try {
      return ready.get(seconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new CannotRun(e.getCause().getMessage());
    } catch (TimeoutException e) {
      throw new CannotRun(name + " was not ready within " + seconds + " s" + seeLog());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CannotRun("interrupted while " + name + " started");
    }
  }

  private String seeLog() {
    return log == null ? "" : "; what it said is in " + log;
  }

  public long pid() {
    return process.pid();
  }

  CompletableFuture<Process> onExit() {
    return process.onExit();
  }

  /** SIGKILL, and waits until it is gone. */
  public void kill() {
    process.destroyForcibly();
    try {
      process.waitFor(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the child by the end of its input, as the end of this process would. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(1, TimeUnit.SECONDS)) {
        kill();
      }
    } catch (IOException e) {
      kill();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      kill();
    }
  }

  /** Called in a child JVM: ends it when its parent is gone. */
  public static void dieWithParent() {
    Thread watch =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {}
              } catch (IOException e) {
                // as good as the end
              }
              Runtime.getRuntime().halt(0);
            },
            "parent watch");
    watch.setDaemon(true);
    watch.start();
  }
}
