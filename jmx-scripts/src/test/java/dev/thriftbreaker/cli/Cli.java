package dev.thriftbreaker.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the launcher as a process. */
final class Cli {

  static final Path LAUNCHER = Path.of("breakers").toAbsolutePath();
  private static final long LONGEST_SECONDS = 30;

  private Cli() {}

  /** How a run ended. */
  record Result(int exit, String out, String err) {
    Object json() {
      return JsonReader.read(out);
    }
  }

  static Result run(String... args) {
    return run(LAUNCHER, args);
  }

  static Result run(List<String> target, String... args) {
    List<String> all = new ArrayList<>(target);
    all.addAll(Arrays.asList(args));
    return run(all.toArray(String[]::new));
  }

  static Result run(Path launcher, String... args) {
    return finish(builder(launcher, args));
  }

  static ProcessBuilder builder(Path launcher, String... args) {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(Arrays.asList(args));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    return builder;
  }

  static Result finish(ProcessBuilder builder) {
    try {
      Path out = Files.createTempFile("breakers", ".out");
      Path err = Files.createTempFile("breakers", ".err");
      try {
        Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError(builder.command() + " hangs");
        }
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
      } finally {
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** A run that goes on, whose output is read as it comes. */
  static final class Running implements AutoCloseable {
    final Process process;
    private final BufferedReader out;
    private final Path err;

    Running(List<String> target, String... args) throws IOException {
      List<String> all = new ArrayList<>(target);
      all.addAll(Arrays.asList(args));
      err = Files.createTempFile("breakers", ".err");
      process = builder(LAUNCHER, all.toArray(String[]::new)).redirectError(err.toFile()).start();
      out = process.inputReader(StandardCharsets.UTF_8);
    }

    String line() throws IOException {
      return out.readLine();
    }

    /** The error output so far. */
    String err() throws IOException {
      return Files.readString(err);
    }

    int exit() throws InterruptedException {
      if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("breakers hangs");
      }
      return process.exitValue();
    }

    @Override
    public void close() throws IOException {
      process.destroyForcibly();
      Files.delete(err);
    }
  }
}
