package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.THsHaServer;
import org.apache.thrift.transport.TNonblockingServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.layered.TFramedTransport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clients that call methods which do not exist, a new name each time, leave no trace but a count:
 * no memory, no MBean, no metric. More of them:
 *
 * <pre>
 * mvn -pl interceptor test -Dtest=UnknownMethodsTest -Dhostile.names=5000000
 * </pre>
 */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UnknownMethodsTest {

  private static final int NAMES = Integer.getInteger("hostile.names", 200_000);
  private static final int CONNECTIONS = 4;
  private static final String FILLING = "n".repeat(250);

  private static final Stock.Iface STOCK =
      new Stock.Iface() {
        @Override
        public int reserve(String sku, int quantity) {
          return quantity;
        }

        @Override
        public long ping(long number) {
          return number;
        }

        @Override
        public void touch() {}
      };

  @Test
  void leaveNoTraceButACount() throws Exception {
    MetricRegistry metrics = new MetricRegistry();
    TNonblockingServerSocket socket =
        new TNonblockingServerSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    ExecutorService clients = Executors.newFixedThreadPool(2 * CONNECTIONS + 1);
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("unknown").dependency("disk").metricRegistry(metrics).build()) {
      TProcessor processor = interceptor.wrap(new Stock.Processor<>(STOCK));
      THsHaServer server = new THsHaServer(new THsHaServer.Args(socket).processor(processor));
      Thread serving = new Thread(server::serve);
      serving.start();
      AtomicBoolean over = new AtomicBoolean();
      Future<Long> bystander = clients.submit(() -> pingUntil(over, socket.getPort()));

      // given what there is when the first few have been seen
      storm(clients, socket.getPort(), 0, 2_000);
      Set<String> names = metrics.getNames();
      Set<ObjectName> mbeans = mbeans();
      long bytes = usedBytes();

      // when
      storm(clients, socket.getPort(), 2_000, NAMES);

      // then
      long grown = usedBytes() - bytes;
      assertThat(metrics.getNames()).isEqualTo(names);
      assertThat(mbeans()).isEqualTo(mbeans);
      assertThat(grown).isLessThan(NAMES * 60L);
      over.set(true);
      assertThat(bystander.get()).isPositive();
      ObjectName unknown =
          new ObjectName("dev.thriftbreaker:type=Method,server=unknown,name=unknown");
      MBeanServer mbeanServer = ManagementFactory.getPlatformMBeanServer();
      assertThat(mbeanServer.getAttribute(unknown, "RequestCount")).isEqualTo((long) NAMES);
      assertThat(mbeanServer.getAttribute(unknown, "InFlight")).isEqualTo(0L);
      server.stop();
      serving.join();
    } finally {
      clients.shutdownNow();
    }
  }

  private static Set<ObjectName> mbeans() throws Exception {
    return ManagementFactory.getPlatformMBeanServer()
        .queryNames(new ObjectName("dev.thriftbreaker:*,server=unknown"), null);
  }

  private static long usedBytes() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static long pingUntil(AtomicBoolean over, int port) throws Exception {
    try (TSocket socket = new TSocket("127.0.0.1", port, 10_000)) {
      socket.open();
      Stock.Client client = new Stock.Client(new TBinaryProtocol(new TFramedTransport(socket)));
      long calls = 0;
      while (!over.get()) {
        assertThat(client.ping(calls)).isEqualTo(calls);
        calls++;
      }
      return calls;
    }
  }

  private static void storm(ExecutorService clients, int port, int from, int to) throws Exception {
    List<Socket> sockets = new ArrayList<>();
    List<Future<?>> ends = new ArrayList<>();
    int each = (to - from) / CONNECTIONS;
    for (int i = 0; i < CONNECTIONS; i++) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setSoTimeout(10_000);
      sockets.add(socket);
      int first = from + i * each;
      ends.add(clients.submit(() -> send(socket, first, each)));
      ends.add(clients.submit(() -> receive(socket, each)));
    }
    for (Future<?> end : ends) {
      end.get();
    }
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private static Void send(Socket socket, int first, int count) throws IOException {
    DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), 1 << 16));
    for (int i = first; i < first + count; i++) {
      byte[] name = (i + (i % 2 == 0 ? ":" : "") + FILLING).getBytes(StandardCharsets.US_ASCII);
      out.writeInt(name.length + 13);
      out.writeInt(0x80010001);
      out.writeInt(name.length);
      out.write(name);
      out.writeInt(i);
      out.writeByte(0);
    }
    out.flush();
    return null;
  }

  private static Void receive(Socket socket, int count) throws IOException {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    for (int i = 0; i < count; i++) {
      byte[] frame = in.readNBytes(in.readInt());
      assertThat(frame[3]).isEqualTo((byte) 3);
    }
    return null;
  }
}
