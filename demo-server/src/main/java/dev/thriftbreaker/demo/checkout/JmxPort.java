package dev.thriftbreaker.demo.checkout;

import dev.thriftbreaker.demo.CannotRun;
import dev.thriftbreaker.demo.process.Cleanup;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.rmi.registry.LocateRegistry;
import java.rmi.server.RMIServerSocketFactory;
import java.util.Map;
import javax.management.remote.JMXConnectorServer;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXServiceURL;
import javax.management.remote.rmi.RMIConnectorServer;

/** A JMX connector on one port of 127.0.0.1. Without a password: for a demo only. */
public final class JmxPort {

  private JmxPort() {}

  public static void open(int port) {
    System.setProperty("java.rmi.server.hostname", "127.0.0.1");
    RMIServerSocketFactory loopback = new Loopback();
    try {
      LocateRegistry.createRegistry(port, null, loopback);
      JMXServiceURL url =
          new JMXServiceURL(
              "service:jmx:rmi://127.0.0.1:%1$d/jndi/rmi://127.0.0.1:%1$d/jmxrmi".formatted(port));
      JMXConnectorServer server =
          JMXConnectorServerFactory.newJMXConnectorServer(
              url,
              Map.of(RMIConnectorServer.RMI_SERVER_SOCKET_FACTORY_ATTRIBUTE, loopback),
              ManagementFactory.getPlatformMBeanServer());
      server.start();
      Cleanup.atExit(server::stop);
    } catch (IOException e) {
      throw new CannotRun("--jmx-port: " + port + " is taken (expected: a free port on 127.0.0.1)");
    }
  }

  /** Equal to its like, so that registry and connector share the port. */
  private record Loopback() implements RMIServerSocketFactory {
    @Override
    public ServerSocket createServerSocket(int port) throws IOException {
      return new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    }
  }
}
