package dev.thriftbreaker.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.demo.process.Ports;
import dev.thriftbreaker.demo.shop.Checkout;
import dev.thriftbreaker.demo.shop.Item;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.apache.thrift.TException;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.embedded.core.ExecutableProvider;

/** The shop as a process of its own, through run.sh. */
class ServeTest {

  private static final Wire WIRE = new Wire(Wire.Transport.FRAMED, Wire.Protocol.BINARY);
  private static final List<Item> ITEMS = List.of(new Item("teapot", 1));
  private static final Duration DIES_WITHIN = Duration.ofSeconds(10);

  @Test
  void servesTakesFaultsAndLoadAndLeavesNothingBehindOnSIGTERM() throws Exception {
    int jmxPort = Ports.free();
    try (RunScript shop = RunScript.serve("--jmx-port", String.valueOf(jmxPort))) {
      // every method
      CheckoutServerTest.callEveryMethod(WIRE, shop.port());

      // every fault, and healing from it
      fault(shop, "inventory", "errors", "1.0");
      assertThatThrownBy(() -> quote(shop)).isInstanceOf(TException.class);
      heal(shop, "inventory");
      assertThat(quote(shop)).isPositive();

      fault(shop, "inventory", "slow", "300");
      long start = System.nanoTime();
      assertThat(quote(shop)).isPositive();
      assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start))
          .isGreaterThanOrEqualTo(300);
      heal(shop, "inventory");

      fault(shop, "inventory", "down");
      assertThatThrownBy(() -> quote(shop)).isInstanceOf(TException.class);
      heal(shop, "inventory");
      assertThat(quote(shop)).isPositive();

      fault(shop, "inventory", "hang");
      assertThatThrownBy(() -> quote(shop)).isInstanceOf(TException.class);
      heal(shop, "inventory");
      assertThat(quote(shop)).isPositive();

      // recommend copes
      fault(shop, "recommendations", "down");
      try (Client client = new Client(shop)) {
        assertThat(client.shop.recommend("ann")).isNotEmpty().doesNotContain("for-ann");
      }

      // load
      String port = String.valueOf(shop.port());
      try (RunScript load = RunScript.start("load", "--port", port, "--seconds", "2")) {
        assertThat(load.status()).as(load::output).isZero();
        assertThat(load.output()).contains("0:01  load", "0:02  load", "2 s, 8 connections: ");
      }

      // JMX
      JMXServiceURL url =
          new JMXServiceURL("service:jmx:rmi:///jndi/rmi://127.0.0.1:%d/jmxrmi".formatted(jmxPort));
      try (JMXConnector connector = JMXConnectorFactory.connect(url)) {
        MBeanServerConnection beans = connector.getMBeanServerConnection();
        assertThat(beans.getMBeanCount()).isPositive();
      }

      // the operator's tool, on the whole fleet
      if (shop.output().contains("redis-server")) {
        String server = "127.0.0.1:" + jmxPort;
        assertThat(
                breakers(
                    "-u",
                    server,
                    "open",
                    "payments",
                    "--for",
                    "1m",
                    "--reason",
                    "drill",
                    "--fleet"))
            .isEqualTo("0: payments on checkout: AUTO -> FORCED_OPEN for 60 s, fleet-wide");
        assertThat(breakers("-u", server, "release", "payments", "--reason", "drill is over"))
            .isEqualTo("0: payments on checkout: FORCED_OPEN -> AUTO, fleet-wide");
      }

      // the end
      List<Long> pids = shop.pids();
      assertThat(pids).hasSizeGreaterThanOrEqualTo(4);
      shop.terminate();
      await().atMost(DIES_WITHIN).until(() -> pids.stream().noneMatch(RunScript::runs));
    }
  }

  /** Runs the command line; returns its exit status and what it printed. */
  private static String breakers(String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of("..", "jmx-scripts", "breakers").toString());
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile("breakers", ".txt");
    try {
      Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).start();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      return process.exitValue() + ": " + Files.readString(output).strip();
    } finally {
      Files.delete(output);
    }
  }

  @Test
  void aPortThatIsTakenIsToldAndNothingIsLeftAfterSIGKILL() throws Exception {
    try (RunScript shop = RunScript.serve("--server", "hsha", "--protocol", "compact")) {
      // given a shop
      CheckoutServerTest.callEveryMethod(
          new Wire(Wire.Transport.FRAMED, Wire.Protocol.COMPACT), shop.port());
      List<Long> pids = shop.pids();
      assertThat(pids).allMatch(RunScript::runs).hasSizeGreaterThanOrEqualTo(4);

      // when a second one wants its port, by another kind of server too
      for (String kind : List.of("hsha", "threadpool")) {
        try (RunScript second =
            RunScript.start("serve", "--server", kind, "--port", String.valueOf(shop.port()))) {
          // then
          assertThat(second.status()).isEqualTo(1);
          assertThat(second.output()).contains("--port: " + shop.port() + " is taken");
        }
      }

      // when
      shop.kill();

      // then
      await().atMost(DIES_WITHIN).until(() -> pids.stream().noneMatch(RunScript::runs));
    }
  }

  @Test
  void theStoryLeavesNothingAfterSIGKILL() {
    try (RunScript story = RunScript.start()) {
      story.awaitLine("healthy");
      List<Long> pids = story.pids();
      assertThat(pids).allMatch(RunScript::runs).hasSizeGreaterThanOrEqualTo(5);

      story.kill();

      await().atMost(DIES_WITHIN).until(() -> pids.stream().noneMatch(RunScript::runs));
    }
  }

  @Test
  void redisDoesNotOutliveItsWatcher() {
    try (RunScript shop = RunScript.serve()) {
      Assumptions.assumeTrue(shop.output().contains("redis-server"), "no Redis for this system");
      long redis = shop.pidOf("redis-server");

      ProcessHandle.of(redis).orElseThrow().parent().orElseThrow().destroyForcibly();

      await().atMost(DIES_WITHIN).until(() -> !RunScript.runs(redis));
    }
  }

  @Test
  void withoutARedisThatRunsItSaysSoAndServes(@TempDir Path fake) throws Exception {
    // given an embedded one for another system, and one first on the PATH that does not start
    Path broken = Files.writeString(fake.resolve("redis-server"), "#!/bin/sh\nexit 1\n");
    assertThat(broken.toFile().setExecutable(true)).isTrue();
    String path = fake + File.pathSeparator + System.getenv("PATH");
    for (String name : ExecutableProvider.newProvidedVersionsMap().values()) {
      Files.writeString(fake.resolve(name.substring(name.lastIndexOf('/') + 1)), "not a program");
    }
    String classpath = fake + File.pathSeparator + System.getProperty("java.class.path");

    // when
    try (RunScript shop =
        RunScript.start(
            Map.of("DEMO_CLASSPATH", classpath, "PATH", path), "serve", "--port", "0")) {
      shop.awaitLine("jconsole");

      // then
      assertThat(shop.output()).contains("none: breaker state is in memory only");
      assertThat(quote(shop)).isPositive();
    }
  }

  private static void fault(RunScript shop, String service, String... fault) throws Exception {
    String[] arguments = new String[fault.length + 4];
    arguments[0] = "fault";
    arguments[1] = service;
    System.arraycopy(fault, 0, arguments, 2, fault.length);
    arguments[arguments.length - 2] = "--port";
    arguments[arguments.length - 1] = String.valueOf(shop.port());
    try (RunScript script = RunScript.start(arguments)) {
      assertThat(script.status()).as(script::output).isZero();
    }
  }

  private static void heal(RunScript shop, String service) throws Exception {
    fault(shop, service, "heal");
  }

  private static long quote(RunScript shop) throws Exception {
    try (Client client = new Client(shop)) {
      return client.shop.quote(ITEMS);
    }
  }

  private static final class Client implements AutoCloseable {
    final Checkout.Client shop;

    Client(RunScript script) throws TTransportException {
      shop = WIRE.connect(script.port(), 5000);
    }

    @Override
    public void close() {
      shop.getOutputProtocol().getTransport().close();
    }
  }
}
