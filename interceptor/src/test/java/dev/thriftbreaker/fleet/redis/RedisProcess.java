package dev.thriftbreaker.fleet.redis;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.embedded.core.ExecutableProvider;

/**
 * A real Redis on loopback that can be killed, hung and started again on its port. A {@code
 * redis-server} on the PATH is preferred; otherwise, or with {@code -Dtest.redis=embedded}, the one
 * that embedded-redis ships.
 *
 * <p>It dies with this JVM, also when that is killed: a shell waits for the end of its input, which
 * this JVM holds open, and then kills the server.
 */
public final class RedisProcess implements AutoCloseable {

  private static final String GUARD =
      "log=$1; shift; \"$@\" >>\"$log\" 2>&1 & echo $!; cat >/dev/null; kill -9 $! 2>/dev/null";

  private static File executable;

  private final Path directory;
  private final int port;
  private final List<String> settings;
  private Process guard;
  private long pid;

  private RedisProcess(int port, List<String> settings) {
    this.port = port;
    this.settings = settings;
    try {
      directory = Files.createTempDirectory("redis-test");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts one on a free port. Settings are pairs, such as {@code "--maxmemory", "1mb"}. */
  public static RedisProcess start(String... settings) {
    RedisProcess redis = stopped(settings);
    redis.restart();
    return redis;
  }

  /** One that is not running yet, on a port that is free now. */
  public static RedisProcess stopped(String... settings) {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new RedisProcess(socket.getLocalPort(), List.of(settings));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts it, empty, on its port, and waits until it answers. */
  public void restart() {
    List<String> command = new ArrayList<>();
    Path log = directory.resolve("log");
    command.addAll(List.of("sh", "-c", GUARD, "sh", log.toString(), executable().getPath()));
    command.addAll(List.of("--port", String.valueOf(port), "--bind", "127.0.0.1"));
    command.addAll(List.of("--save", "", "--appendonly", "no", "--dir", directory.toString()));
    command.addAll(settings);
    try {
      guard = new ProcessBuilder(command).redirectErrorStream(true).start();
      BufferedReader output =
          new BufferedReader(new InputStreamReader(guard.getInputStream(), StandardCharsets.UTF_8));
      pid = Long.parseLong(output.readLine());
      awaitAnswer(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void awaitAnswer(Path log) throws IOException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (true) {
      try (RedisClient client = client()) {
        client.ping();
        return;
      } catch (RuntimeException notYet) {
        if (System.nanoTime() - until > 0 || !ProcessHandle.of(pid).isPresent()) {
          close();
          throw new IllegalStateException("Redis does not start: " + Files.readString(log));
        }
        Thread.onSpinWait();
      }
    }
  }

  public int port() {
    return port;
  }

  public URI uri() {
    return URI.create("redis://127.0.0.1:" + port);
  }

  /** A client for looking at it and tampering with it; to be closed. */
  public RedisClient client() {
    return RedisClient.builder()
        .hostAndPort(new HostAndPort("127.0.0.1", port))
        .clientConfig(DefaultJedisClientConfig.builder().resp2().build())
        .build();
  }

  /** Runs an ACL command. */
  public void acl(String words) {
    CommandArguments command = new CommandArguments(Protocol.Command.ACL);
    for (String word : words.split(" ")) {
      command.add(word);
    }
    try (Connection connection = new Connection("127.0.0.1", port)) {
      connection.executeCommand(command);
    }
  }

  /** SIGKILL. Nothing was saved, so it starts again empty. */
  public void kill() {
    if (guard != null) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      awaitEnd();
    }
  }

  /** SIGSTOP: connections are accepted, nothing is answered. */
  public void hang() {
    signal("STOP");
  }

  /** SIGCONT. */
  public void resume() {
    signal("CONT");
  }

  private void signal(String name) {
    try {
      Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid).start();
      if (kill.waitFor() != 0) {
        throw new IllegalStateException("kill -" + name + " " + pid + ": " + kill.exitValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void awaitEnd() {
    try {
      guard.getOutputStream().close(); // the shell kills what is left and ends
      if (!guard.waitFor(10, TimeUnit.SECONDS)) {
        throw new IllegalStateException("Redis does not end, pid " + pid);
      }
      guard = null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    kill();
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static synchronized File executable() {
    if (executable == null && !"embedded".equals(System.getProperty("test.redis"))) {
      for (String place : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
        File file = new File(place, "redis-server");
        if (executable == null && file.canExecute()) {
          executable = file;
        }
      }
    }
    if (executable == null) {
      try {
        executable = ExecutableProvider.newJarResourceProvider().get();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return executable;
  }
}
