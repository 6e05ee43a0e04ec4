package dev.thriftbreaker.costs;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.THsHaServer;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TNonblockingServerSocket;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.layered.TFramedTransport;

/** A server of libthrift's on the loopback interface, framed binary, and bare connections to it. */
final class Loopback implements AutoCloseable {

  /** The kinds of servers. */
  enum Kind {
    THREAD_POOL,
    HSHA
  }

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final List<Thread> workers = new CopyOnWriteArrayList<>();
  private final TServer server;
  private final int port;

  Loopback(Kind kind, int workers, TProcessor processor) throws TException {
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    ThreadFactory threads = this::worker;
    ThreadPoolExecutor pool = (ThreadPoolExecutor) Executors.newFixedThreadPool(workers, threads);
    if (kind == Kind.THREAD_POOL) {
      TServerSocket socket = new TServerSocket(anyPort);
      port = socket.getServerSocket().getLocalPort();
      server =
          new TThreadPoolServer(
              new TThreadPoolServer.Args(socket)
                  .processor(processor)
                  .transportFactory(new TFramedTransport.Factory())
                  .executorService(pool));
    } else {
      TNonblockingServerSocket socket = new TNonblockingServerSocket(anyPort);
      port = socket.getPort();
      server =
          new THsHaServer(new THsHaServer.Args(socket).processor(processor).executorService(pool));
    }
    worker(server::serve).start();
  }

  private Thread worker(Runnable work) {
    Thread thread = new Thread(work, "loopback");
    thread.setDaemon(true);
    workers.add(thread);
    return thread;
  }

  /** The processor time that the server's threads have used. */
  long cpuNanos() {
    return workers.stream().mapToLong(t -> Math.max(0, THREADS.getThreadCpuTime(t.getId()))).sum();
  }

  Connection connect(Message message) throws IOException, TException {
    return new Connection(port, message);
  }

  @Override
  public void close() {
    server.stop();
  }

  /** A connection that sends one request again and again and does not look into the replies. */
  static final class Connection implements AutoCloseable {
    private final Socket socket;
    private final DataInputStream in;
    private byte[] request;

    private Connection(int port, Message message) throws IOException, TException {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
      in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      sends(message);
    }

    /** Sends that request from now on. */
    void sends(Message message) throws TException {
      byte[] bytes = message.bytes(new TBinaryProtocol.Factory());
      request = ByteBuffer.allocate(4 + bytes.length).putInt(bytes.length).put(bytes).array();
    }

    void call() throws IOException {
      socket.getOutputStream().write(request);
      in.skipNBytes(in.readInt());
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
