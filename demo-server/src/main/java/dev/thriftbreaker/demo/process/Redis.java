package dev.thriftbreaker.demo.process;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import redis.embedded.core.ExecutableProvider;

/**
 * Where the breakers' state is kept: a Redis that is there, else a real one started for this demo,
 * else none.
 *
 * @param uri where it is, or null: state in memory
 * @param description where it comes from, in one line
 * @param started whether this demo started it; it ends with the demo then
 */
public record Redis(URI uri, String description, boolean started) {

  /**
   * Runs Redis until the standard input ends, then kills it. Where the system can do it, the kernel
   * kills Redis also when this shell itself is killed.
   */
  private static final String WATCHER =
      """
      if setpriv --pdeathsig KILL true 2>/dev/null; then set -- setpriv --pdeathsig KILL "$@"; fi
      "$@" >&2 &
      pid=$!
      echo "ready $pid"
      while read -r line; do :; done
      kill -9 $pid
      """;

  private static final int TRIES = 3;

  /**
   * @param given the user's Redis, or null to find one
   * @param log where Redis writes
   */
  public static Redis start(URI given, File log) {
    if (given != null) {
      boolean answers = answers(given.getHost(), given.getPort() < 0 ? 6379 : given.getPort());
      return new Redis(
          given,
          "redis://"
              + given.getHost()
              + (given.getPort() < 0 ? "" : ":" + given.getPort())
              + (answers ? " (yours)" : " (yours; it does not answer now, breakers go on without)"),
          false);
    }
    File found = onPath("redis-server");
    if (found != null) {
      Redis redis = launch(found, "redis-server of the PATH", log);
      if (redis != null) {
        return redis;
      }
    }
    try {
      File embedded = ExecutableProvider.newJarResourceProvider().get();
      embedded.deleteOnExit();
      Redis redis = launch(embedded, "embedded redis-server", log);
      embedded.delete(); // it runs without its file
      embedded.getParentFile().delete(); // made for it; kept if there is anything else in it
      if (redis != null) {
        return redis;
      }
    } catch (IOException | RuntimeException e) {
      return none("there is no embedded one for this system: " + e.getMessage());
    }
    return none("the embedded one does not run on this system");
  }

  private static Redis none(String why) {
    return new Redis(
        null,
        "none: breaker state is in memory only, a restart forgets it (no usable redis-server on the PATH; "
            + why
            + ")",
        true);
  }

  private static Redis launch(File executable, String what, File log) {
    if (!canRun(executable)) {
      return null;
    }
    for (int i = 0; i < TRIES; i++) {
      int port = Ports.free();
      Child watcher =
          Child.start(
              "redis",
              log,
              List.of(
                  "sh",
                  "-c",
                  WATCHER,
                  "sh",
                  executable.getPath(),
                  "--port",
                  String.valueOf(port),
                  "--bind",
                  "127.0.0.1",
                  "--save",
                  "",
                  "--appendonly",
                  "no"));
      long pid = Long.parseLong(watcher.awaitReady(10));
      ProcessHandle redis = ProcessHandle.of(pid).orElse(null);
      if (redis != null && awaitAnswer(redis, port)) {
        watcher.onExit().thenRun(redis::destroyForcibly);
        return new Redis(
            URI.create("redis://127.0.0.1:" + port),
            "127.0.0.1:" + port + "  " + what + ", pid " + pid,
            true);
      }
      watcher.close();
    }
    return null;
  }

  /** Whether it is made for this system, with all the libraries it wants. */
  private static boolean canRun(File executable) {
    try {
      return new ProcessBuilder(executable.getPath(), "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static boolean awaitAnswer(ProcessHandle redis, int port) {
    for (int i = 0; i < 100 && redis.isAlive(); i++) {
      if (answers("127.0.0.1", port)) {
        return true;
      }
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return false;
  }

  /** Whether something there speaks Redis; it may want a password. */
  private static boolean answers(String host, int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getByName(host), port), 1000);
      socket.setSoTimeout(1000);
      socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      int first = in.read();
      return first == '+' || first == '-';
    } catch (IOException e) {
      return false;
    }
  }

  private static File onPath(String name) {
    String path = System.getenv("PATH");
    for (String directory : (path == null ? "" : path).split(File.pathSeparator)) {
      File file = new File(directory, name);
      if (!directory.isEmpty() && file.isFile() && file.canExecute()) {
        return file;
      }
    }
    return null;
  }
}
