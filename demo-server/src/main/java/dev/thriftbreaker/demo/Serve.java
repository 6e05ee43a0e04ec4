package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.checkout.CheckoutServer;
import dev.thriftbreaker.demo.checkout.JmxPort;
import dev.thriftbreaker.demo.checkout.ServerKind;
import dev.thriftbreaker.demo.downstream.Downstreams;
import dev.thriftbreaker.demo.process.Redis;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** {@code serve}: the shop and all it needs, until Ctrl-C. This process is the shop's. */
final class Serve {

  private Serve() {}

  static void run(List<String> arguments) throws Exception {
    Flags flags =
        new Flags(
            arguments, "--port", "--server", "--transport", "--protocol", "--redis", "--jmx-port");
    ServerKind kind = flags.choice("--server", ServerKind.class, ServerKind.THREADPOOL);
    Wire wire = Wire.of(flags);
    URI givenRedis = flags.redis("--redis");
    int jmxPort = flags.number("--jmx-port", 0, 1, 65535);
    CheckoutServer server =
        CheckoutServer.bind(kind, wire, flags.number("--port", Demo.PORT, 0, 65535));
    if (flags.has("--jmx-port")) {
      JmxPort.open(jmxPort);
    }

    Redis redis = Redis.start(givenRedis, Demo.NO_LOG);
    Downstreams downstreams = Downstreams.start(null);
    server.start(redis.uri(), "demo", downstreams.ports());
    long pid = ProcessHandle.current().pid();
    int port = server.port();
    new RunningDemo(pid, server.controlPort(), downstreams.faultPorts()).announce(port);

    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            "%-16s pid %d, 127.0.0.1:%d (%s, %s)%n",
            "checkout", pid, port, kind.name().toLowerCase(Locale.ROOT), wire));
    for (String name : Downstreams.NAMES) {
      text.append(
          String.format(
              "%-16s pid %d, 127.0.0.1:%d%n",
              name, downstreams.pid(name), downstreams.ports().get(name)));
    }
    text.append(String.format("%-16s %s%n", "redis", redis.description()));
    text.append(
        String.format(
            "%-16s %s%n",
            "jmx",
            flags.has("--jmx-port")
                ? "127.0.0.1:" + jmxPort + ", no password"
                : "by pid (--jmx-port N opens a port as well)"));

    String at = port == Demo.PORT ? "" : " --port " + port;
    String as =
        (wire.transport() == Wire.Transport.FRAMED ? "" : " --transport buffered")
            + (wire.protocol() == Wire.Protocol.BINARY
                ? ""
                : " --protocol " + wire.protocol().name().toLowerCase(Locale.ROOT));
    Path home = Path.of(System.getProperty("demo.home", "demo-server")).toAbsolutePath();
    text.append(
        String.format(
            """

            Ctrl-C ends it. In another terminal:
              %1$s load%2$s%3$s
              %1$s fault inventory errors 0.7%2$s
              %1$s fault inventory heal%2$s
              %4$s -p %5$d list
              jconsole %5$d
            """,
            shown(home.resolve("run.sh")),
            at,
            as,
            shown(home.resolveSibling("jmx-scripts").resolve("breakers")),
            pid));
    System.out.print(text);
    System.out.flush();
  }

  /** A path as the user would type it where he is. */
  private static Path shown(Path path) {
    Path here = Path.of("").toAbsolutePath();
    return path.startsWith(here) ? here.relativize(path) : path;
  }
}
