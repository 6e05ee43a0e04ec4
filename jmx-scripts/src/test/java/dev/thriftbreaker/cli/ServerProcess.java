package dev.thriftbreaker.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;

/** A {@link LiveServer} as a process, run from a jar of its own so that its main is unique. */
final class ServerProcess implements AutoCloseable {

  final Path directory;
  final int port;
  private final Process process;
  private final Writer commands;
  private final BufferedReader answers;
  private Process stopper;

  ServerProcess(Path directory, List<String> javaOptions, String... servers) throws IOException {
    this.directory = directory;
    Path passwords = secret("passwords", "operator secret\nmonitor look\n");
    Path access = secret("access", "operator readwrite\nmonitor readonly\n");
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(
        List.of("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.rmi.server.hostname=127.0.0.1"));
    command.addAll(javaOptions);
    command.addAll(List.of("-jar", jar().toString(), passwords.toString(), access.toString()));
    command.addAll(Arrays.asList(servers));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    commands = process.outputWriter(StandardCharsets.UTF_8);
    answers = process.inputReader(StandardCharsets.UTF_8);
    String ready = answers.readLine();
    if (ready == null || !ready.startsWith("ready ")) {
      throw new IOException("the server did not start: " + ready);
    }
    port = Integer.parseInt(ready.substring("ready ".length()));
  }

  private Path jar() throws IOException {
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.put(Attributes.Name.MAIN_CLASS, LiveServer.class.getName());
    main.put(
        Attributes.Name.CLASS_PATH,
        Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" ")));
    Path jar = directory.resolve("server.jar");
    try (OutputStream out = Files.newOutputStream(jar)) {
      new JarOutputStream(out, manifest).close();
    }
    return jar;
  }

  /** A file that only its owner can read. */
  Path secret(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return file;
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  List<String> byPid() {
    return List.of("-p", String.valueOf(pid()));
  }

  List<String> byUrl() {
    return List.of("-u", "127.0.0.1:" + port);
  }

  List<String> byUrl(String user, String password) throws IOException {
    return List.of(
        "-u",
        "127.0.0.1:" + port,
        "--user",
        user,
        "--password-file",
        secret("password of " + user, password + "\n").toString());
  }

  /** Sends a line that {@link LiveServer} obeys, and waits until it has. */
  void tell(String line) throws IOException {
    commands.write(line + "\n");
    commands.flush();
    String answer = answers.readLine();
    if (!"ok".equals(answer)) {
      throw new IOException(line + ": " + answer);
    }
  }

  /** Stops the process as a hang would, for a minute at most, even if the test dies. */
  void hang() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-STOP", String.valueOf(pid())).start().waitFor();
    stopper = new ProcessBuilder("sh", "-c", "sleep 60; kill -CONT " + pid()).start();
  }

  void goOn() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-CONT", String.valueOf(pid())).start().waitFor();
    stopper.destroyForcibly();
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    if (stopper != null) {
      stopper.destroyForcibly();
    }
  }
}
