package dev.thriftbreaker.faults;

import dev.thriftbreaker.faults.gen.Dependency;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TIOStreamTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * A dependency with a fault switch: a Thrift service with a thread a connection. Healthy, it
 * answers after a log-normal time of 2 ms in the mean (median 1.85 ms, 99 % within 4.7 ms).
 */
final class Downstream implements AutoCloseable {

  /** What can be wrong with it. */
  enum Fault {
    NONE,
    /** Takes 20 times as long. */
    SLOW,
    /** 70 % of the calls fail. */
    ERRORS,
    /** All calls fail. */
    ALL_ERRORS,
    /** Takes calls and answers none. When it heals it was restarted: their connections end. */
    HANG,
    /** Takes calls and never answers them, nor ends their connections when it heals. */
    SILENT,
    /** Does not answer while it lasts; when it heals, what waited is answered. */
    STALL,
    /** A reply comes a byte a second. When it heals, the rest comes at once. */
    TRICKLE,
    /** Nobody listens and all connections are gone. */
    REFUSE
  }

  private static final double MEDIAN_MILLIS = 1.85;
  private static final double SIGMA = 0.4;

  private final Recorder recorder;
  private final int port;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private volatile ServerSocket listener;
  private volatile Fault fault = Fault.NONE;
  private volatile double errorRate;
  private volatile CountDownLatch healed = new CountDownLatch(0);

  Downstream(Recorder recorder) throws IOException {
    this.recorder = recorder;
    this.port = listenAnywhere();
  }

  int port() {
    return port;
  }

  /** The share of errors while it is healthy. */
  void errorRate(double rate) {
    errorRate = rate;
  }

  void fail(Fault next) throws IOException {
    healed = new CountDownLatch(1);
    fault = next;
    if (next == Fault.REFUSE) {
      listener.close();
      closeConnections();
    }
  }

  void heal() throws IOException {
    Fault last = fault;
    fault = Fault.NONE;
    if (last == Fault.REFUSE) {
      listen(port);
    }
    healed.countDown();
  }

  @Override
  public void close() throws IOException {
    closed.countDown();
    healed.countDown();
    listener.close();
    closeConnections();
  }

  private void closeConnections() throws IOException {
    for (Socket connection : connections) {
      connection.close();
    }
  }

  /**
   * Below the range from which the system takes the ports of connections: one that connects to a
   * closed port of that range can happen to connect to itself.
   */
  private int listenAnywhere() throws IOException {
    while (true) {
      int candidate = ThreadLocalRandom.current().nextInt(20_000, 30_000);
      try {
        listen(candidate);
        return candidate;
      } catch (BindException e) {
        // taken: another one
      }
    }
  }

  private void listen(int at) throws IOException {
    ServerSocket socket = new ServerSocket();
    socket.setReuseAddress(true);
    socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), at), 1000);
    listener = socket;
    start(() -> accept(socket), "dependency-" + at);
  }

  private void accept(ServerSocket socket) {
    try {
      while (true) {
        Socket connection = socket.accept();
        connections.add(connection);
        start(() -> serve(connection), "dependency-call");
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      OutputStream out = new TricklingStream(connection.getOutputStream());
      TProtocol protocol =
          new TBinaryProtocol(
              new TFramedTransport(
                  new TIOStreamTransport(
                      new BufferedInputStream(connection.getInputStream()), out)));
      Dependency.Processor<Dependency.Iface> processor = new Dependency.Processor<>(this::get);
      while (true) {
        processor.process(protocol, protocol);
      }
    } catch (IOException | TException e) {
      // the caller went away, or is sent away
    } finally {
      connections.remove(connection);
    }
  }

  private long get(long number) throws TException {
    recorder.called();
    Fault now = fault;
    switch (now) {
      case HANG -> {
        await(healed);
        throw new TTransportException("restarted");
      }
      case SILENT -> {
        await(closed);
        throw new TTransportException("closed");
      }
      case STALL -> await(healed);
      default -> {}
    }
    ThreadLocalRandom random = ThreadLocalRandom.current();
    double millis = MEDIAN_MILLIS * Math.exp(SIGMA * random.nextGaussian());
    sleep((long) (millis * (now == Fault.SLOW ? 20 : 1) * 1e6));
    double share =
        switch (now) {
          case ERRORS -> 0.7;
          case ALL_ERRORS -> 1;
          default -> errorRate;
        };
    if (random.nextDouble() < share) {
      throw new IllegalStateException("fails");
    }
    return number;
  }

  private static void sleep(long nanos) {
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(1, TimeUnit.HOURS);
    } catch (InterruptedException e) {
      return false;
    }
  }

  private static void start(Runnable body, String name) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  private final class TricklingStream extends OutputStream {
    private final OutputStream out;

    private TricklingStream(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      int sent = 0;
      while (fault == Fault.TRICKLE && sent < length) {
        out.write(bytes, offset + sent, 1);
        out.flush();
        sent++;
        try {
          if (healed.await(1, TimeUnit.SECONDS)) {
            break;
          }
        } catch (InterruptedException e) {
          break;
        }
      }
      out.write(bytes, offset + sent, length - sent);
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }
  }
}
