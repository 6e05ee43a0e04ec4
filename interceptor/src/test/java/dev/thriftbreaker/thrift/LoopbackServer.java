package dev.thriftbreaker.thrift;

import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportFactory;
import org.awaitility.Awaitility;

/** A server that does to each connection what a test says, and can be killed and started again. */
final class LoopbackServer implements AutoCloseable {

  /** What is done to a connection, on a thread of its own; it is closed afterwards. */
  interface Behaviour {
    void serve(Socket socket) throws Exception;
  }

  /** Takes what comes and never answers. */
  static final Behaviour HANG =
      socket -> {
        while (socket.getInputStream().read() >= 0) {}
      };

  /** Never reads. */
  static final Behaviour DEAF = socket -> Thread.sleep(60_000);

  /** Answers for ever: a string that is always one byte longer, a byte every 20 ms. */
  static final Behaviour TRICKLE =
      socket -> {
        byte[] begin = {(byte) 0x80, 1, 0, 2, 0x00, 0x10, 0, 0};
        for (int i = 0; ; i++) {
          socket.getOutputStream().write(i < begin.length ? begin[i] : 'x');
          Thread.sleep(20);
        }
      };

  private final ServerSocket listener;
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final AtomicInteger accepted = new AtomicInteger();
  private final Behaviour behaviour;
  private final Thread acceptor;

  LoopbackServer(Behaviour behaviour) throws IOException {
    this(0, behaviour);
  }

  LoopbackServer(int port, Behaviour behaviour) throws IOException {
    this(new ServerSocket(port, 200, InetAddress.getLoopbackAddress()), behaviour);
  }

  LoopbackServer(ServerSocket listener, Behaviour behaviour) {
    this.listener = listener;
    this.behaviour = behaviour;
    acceptor = new Thread(this::accept, "acceptor-" + port());
    acceptor.setDaemon(true);
    acceptor.start();
  }

  /** Serves a processor, over TBinaryProtocol. */
  static Behaviour serving(TProcessor processor, TTransportFactory layer) {
    return socket -> {
      TTransport transport = layer.getTransport(new TSocket(socket));
      TProtocol protocol = new TBinaryProtocol(transport);
      while (true) {
        processor.process(protocol, protocol);
      }
    };
  }

  int port() {
    return listener.getLocalPort();
  }

  /** The connections there are. */
  int connections() {
    return connections.size();
  }

  /** The connections there were ever. */
  int accepted() {
    return accepted.get();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket socket = listener.accept();
        accepted.incrementAndGet();
        connections.add(socket);
        Thread thread = new Thread(() -> serve(socket), "connection-" + port());
        thread.setDaemon(true);
        thread.start();
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      behaviour.serve(socket);
    } catch (Exception ended) {
      // as the test wants it
    } finally {
      connections.remove(socket);
    }
  }

  /** Closes the connections, and takes no more. The port is free then. */
  @Override
  public void close() throws IOException {
    listener.close();
    Awaitility.await().until(() -> !acceptor.isAlive());
    for (Socket socket : connections) {
      socket.close();
    }
  }

  /** Answers at once. */
  static class Answering implements Stock.Iface {

    @Override
    public int reserve(String sku, int quantity) throws TException {
      if (quantity == 0) {
        throw new OutOfStock(sku, 0);
      }
      return quantity;
    }

    @Override
    public long ping(long number) throws TException {
      return number;
    }

    @Override
    public void touch() {}
  }
}
