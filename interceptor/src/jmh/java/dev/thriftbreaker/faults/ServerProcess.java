package dev.thriftbreaker.faults;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The server under test, seen from outside: a child process that dies with this one. */
final class ServerProcess implements AutoCloseable {

  private final Process process;
  private final PrintWriter commands;
  private final BufferedReader replies;
  private final int port;

  /** Its errors go to {@code log}. */
  ServerProcess(
      Variant variant,
      ServerUnderTest.Kind kind,
      int workers,
      int timeoutMillis,
      List<Integer> ports,
      Path log)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    Collections.addAll(
        command,
        "-Xms256m",
        "-Xmx256m",
        // libthrift logs each TApplicationException of a handler with its stack trace
        "-Dorg.slf4j.simpleLogger.log.org.apache.thrift=off",
        "-Dcsp.sentinel.log.dir=" + log.getParent(),
        "-classpath",
        System.getProperty("java.class.path"),
        ServerUnderTest.class.getName(),
        variant.name(),
        kind.name(),
        "" + workers,
        "" + timeoutMillis,
        String.join(",", ports.stream().map(String::valueOf).toList()));
    File file = log.toFile();
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.to(file)).start();
    commands = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
    replies =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    port = Integer.parseInt(reply());
  }

  /**
   * What the server has counted since it started.
   *
   * @param calls begun to dependencies
   * @param stuckNanos that threads were in calls of more than 100 ms, summed over threads
   * @param stuckMost the most threads at once in such calls
   * @param trips when a breaker opened
   */
  record Counts(long calls, long stuckNanos, int stuckMost, List<Trip> trips) {}

  record Trip(String dependency, long nanos) {}

  int port() {
    return port;
  }

  Counts counts() throws IOException {
    String[] parts = ask("counts").split(" ", -1);
    List<Trip> trips = new ArrayList<>();
    if (!parts[3].isEmpty()) {
      for (String trip : parts[3].split(",")) {
        String[] pair = trip.split("@");
        trips.add(new Trip(pair[0], Long.parseLong(pair[1])));
      }
    }
    return new Counts(
        Long.parseLong(parts[0]), Long.parseLong(parts[1]), Integer.parseInt(parts[2]), trips);
  }

  void workers(int number) throws IOException {
    ask("workers " + number);
  }

  Duration cpuTime() {
    return process.toHandle().info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** Stops the whole JVM, as a long garbage collection or a paused virtual machine would. */
  void pause() throws IOException, InterruptedException {
    signal("STOP");
  }

  void resume() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor();
  }

  private String ask(String command) throws IOException {
    commands.println(command);
    return reply();
  }

  private String reply() throws IOException {
    for (String line = replies.readLine(); line != null; line = replies.readLine()) {
      if (line.startsWith(ServerUnderTest.REPLY)) {
        return line.substring(ServerUnderTest.REPLY.length());
      }
    }
    throw new IOException("the server under test ended");
  }

  @Override
  public void close() throws IOException {
    commands.close();
    try {
      if (!process.waitFor(2, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
