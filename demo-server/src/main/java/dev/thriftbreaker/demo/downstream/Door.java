package dev.thriftbreaker.demo.downstream;

import dev.thriftbreaker.demo.process.Ports;
import java.io.IOException;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * A service's listening socket and the connections that came through it; can be shut, so that
 * connections are refused, and opened again on the same port.
 */
final class Door {

  /** Enough for every connection that a hanging service keeps. */
  private static final int MAX_CONNECTIONS = 1000;

  private final String service;
  private final TProcessor processor;
  private int port;
  private TServer server;
  private Thread serving;
  private TrackingServerSocket listening;

  /** Holds the port while the door is shut: bound, not listening, so connections are refused. */
  private Socket placeholder;

  Door(String service, TProcessor processor) {
    this.service = service;
    this.processor = processor;
  }

  int port() {
    return port;
  }

  synchronized void open() throws TTransportException {
    if (server != null) {
      return;
    }
    if (placeholder != null) {
      close(placeholder);
      placeholder = null;
    }
    listening = new TrackingServerSocket(port);
    port = listening.getServerSocket().getLocalPort();
    TServer fresh =
        new TThreadPoolServer(
            new TThreadPoolServer.Args(listening)
                .processor(processor)
                .transportFactory(new TFramedTransport.Factory())
                .protocolFactory(new TBinaryProtocol.Factory())
                .minWorkerThreads(8)
                .maxWorkerThreads(MAX_CONNECTIONS)
                .stopTimeoutVal(0));
    server = fresh;
    serving = new Thread(fresh::serve, service);
    serving.start();
  }

  synchronized void shut() throws IOException, InterruptedException {
    if (server == null) {
      return;
    }
    server.stop();
    server = null;
    serving.join(); // until then the kernel may go on listening
    listening.accepted.forEach(Door::close);
    placeholder = new Socket();
    placeholder.setReuseAddress(true);
    placeholder.bind(Ports.loopback(port));
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // closed is what it was to be
    }
  }

  private static final class TrackingServerSocket extends TServerSocket {
    final Set<Socket> accepted = ConcurrentHashMap.newKeySet();

    TrackingServerSocket(int port) throws TTransportException {
      super(Ports.loopback(port));
    }

    @Override
    public TSocket accept() throws TTransportException {
      TSocket socket = super.accept();
      accepted.removeIf(Socket::isClosed);
      accepted.add(socket.getSocket());
      return socket;
    }
  }
}
