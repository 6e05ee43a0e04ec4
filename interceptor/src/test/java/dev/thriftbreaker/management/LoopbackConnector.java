package dev.thriftbreaker.management;

import java.io.IOException;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.rmi.server.RMIClientSocketFactory;
import java.rmi.server.RMIServerSocketFactory;
import java.util.HashMap;
import java.util.Map;
import javax.management.MBeanServer;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXConnectorServer;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXServiceURL;
import javax.management.remote.rmi.RMIConnectorServer;

/** A real RMI connector on a loopback port of the system's choice. */
final class LoopbackConnector implements AutoCloseable {

  private final JMXConnectorServer server;

  private LoopbackConnector(JMXConnectorServer server) {
    this.server = server;
  }

  static LoopbackConnector start(MBeanServer mbeanServer, Map<String, String> access)
      throws IOException {
    Map<String, Object> environment = new HashMap<>(access);
    Loopback sockets = new Loopback();
    environment.put(RMIConnectorServer.RMI_CLIENT_SOCKET_FACTORY_ATTRIBUTE, sockets);
    environment.put(RMIConnectorServer.RMI_SERVER_SOCKET_FACTORY_ATTRIBUTE, sockets);
    JMXConnectorServer server =
        JMXConnectorServerFactory.newJMXConnectorServer(
            new JMXServiceURL("service:jmx:rmi://"), environment, mbeanServer);
    server.start();
    return new LoopbackConnector(server);
  }

  JMXConnector connect() throws IOException {
    return JMXConnectorFactory.connect(server.getAddress());
  }

  JMXConnector connect(String user, String password) throws IOException {
    return JMXConnectorFactory.connect(
        server.getAddress(), Map.of(JMXConnector.CREDENTIALS, new String[] {user, password}));
  }

  @Override
  public void close() throws IOException {
    server.stop();
  }

  /** Sockets that neither listen nor connect anywhere but on this machine. */
  private static final class Loopback
      implements RMIClientSocketFactory, RMIServerSocketFactory, Serializable {

    private static final long serialVersionUID = 1;

    @Override
    public Socket createSocket(String host, int port) throws IOException {
      return new Socket(InetAddress.getLoopbackAddress(), port);
    }

    @Override
    public ServerSocket createServerSocket(int port) throws IOException {
      return new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Loopback;
    }

    @Override
    public int hashCode() {
      return 1;
    }
  }
}
