package dev.thriftbreaker.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who did it, where the connector asks for a password. */
class OperatorTest {

  @TempDir Path directory;

  private final MBeanServer mbeanServer = MBeanServerFactory.newMBeanServer();
  private final CircuitBreaker breaker =
      new CircuitBreaker(
          "inventory", BreakerConfig.DEFAULTS, new Clocks().nanoClock(), () -> 0.5, () -> {});
  private Management management;
  private LoopbackConnector server;

  @BeforeEach
  void start() throws Exception {
    management = new Management("checkout", new MetricRegistry(), mbeanServer, new Clocks());
    management.breaker(breaker, null);
    server =
        LoopbackConnector.start(
            mbeanServer,
            Map.of(
                "jmx.remote.x.password.file", secret("password", "ann secret1\nbob secret2\n"),
                "jmx.remote.x.access.file", secret("access", "ann readwrite\nbob readonly\n")));
  }

  private String secret(String file, String content) throws IOException {
    Path path = directory.resolve(file);
    Files.createFile(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    return Files.writeString(path, content).toString();
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    management.close();
  }

  private BreakerMXBean remote(JMXConnector connector) throws Exception {
    return JMX.newMXBeanProxy(
        connector.getMBeanServerConnection(),
        new ObjectName("dev.thriftbreaker:type=Breaker,server=checkout,name=inventory"),
        BreakerMXBean.class);
  }

  @Test
  void theAuthenticatedUserIsTheOneWhoDidIt() throws Exception {
    try (JMXConnector connector = server.connect("ann", "secret1")) {
      BreakerMXBean remote = remote(connector);

      remote.forceOpen(60, "deploy");

      assertThat(remote.getModeBy()).isEqualTo("ann");
      breaker.dispatch();
      assertThat(remote.getHistory()[0]).endsWith("AUTO -> FORCED_OPEN: deploy (by ann)");
    }
  }

  @Test
  void aReadonlyUserReadsAndNoMore() throws Exception {
    try (JMXConnector connector = server.connect("bob", "secret2")) {
      BreakerMXBean remote = remote(connector);

      assertThat(remote.getState()).isEqualTo("CLOSED");
      assertThatThrownBy(() -> remote.forceOpen(60, "deploy"))
          .isInstanceOf(SecurityException.class);
      assertThat(remote.getMode()).isEqualTo("AUTO");
    }
  }

  @Test
  void aWrongPasswordDoesNotConnect() {
    assertThatThrownBy(() -> server.connect("ann", "secret2").close())
        .isInstanceOf(SecurityException.class);
  }

  @Test
  void whoeverCallsInThisProcessIsTheUserOfTheOperatingSystem() {
    assertThat(Operator.current()).isEqualTo(System.getProperty("user.name"));
  }
}
