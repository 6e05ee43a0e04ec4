package dev.thriftbreaker.faults;

import dev.thriftbreaker.faults.gen.Dependency;
import dev.thriftbreaker.faults.gen.Front;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.server.THsHaServer;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TNonblockingServerSocket;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * The server, in a JVM of its own: {@code ServerUnderTest variant kind workers timeoutMillis
 * ports}. It answers the lines of its standard input with lines that begin with {@link #REPLY}, and
 * ends with its input.
 */
final class ServerUnderTest {

  /** How the server's workers are used. */
  enum Kind {
    /** TThreadPoolServer: a worker a connection, for as long as the connection lasts. */
    THREAD_POOL,
    /** THsHaServer: a worker a request; those that wait are queued without bound. */
    HSHA
  }

  static final String REPLY = "> ";

  private final CallsInFlight calls = new CallsInFlight();
  private final Trips trips = new Trips();
  private final ThreadPoolExecutor workers;
  private final int port;

  private ServerUnderTest(Variant variant, Kind kind, int size, int timeoutMillis, String[] ports)
      throws TTransportException {
    Guarding guarding = variant.at(new Site(size, ports.length, trips));
    List<Dependency.Iface> dependencies = new ArrayList<>();
    for (int i = 0; i < ports.length; i++) {
      Endpoint endpoint = new Endpoint(Integer.parseInt(ports[i]), timeoutMillis, calls);
      dependencies.add(guarding.guard(dependencyName(i), endpoint));
    }
    TProcessor processor = guarding.wrap(new Front.Processor<>(new Handler(dependencies)));
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    TServer server;
    if (kind == Kind.THREAD_POOL) {
      // as TThreadPoolServer makes it where it is given none
      workers = new ThreadPoolExecutor(5, size, 60, TimeUnit.SECONDS, new SynchronousQueue<>());
      TServerSocket socket = new TServerSocket(anyPort);
      port = socket.getServerSocket().getLocalPort();
      server =
          new TThreadPoolServer(
              new TThreadPoolServer.Args(socket)
                  .processor(processor)
                  .transportFactory(new TFramedTransport.Factory())
                  .executorService(workers));
    } else {
      workers =
          new ThreadPoolExecutor(size, size, 60, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
      TNonblockingServerSocket socket = new TNonblockingServerSocket(anyPort);
      port = socket.getPort();
      server =
          new THsHaServer(
              new THsHaServer.Args(socket).processor(processor).executorService(workers));
    }
    Thread thread = new Thread(server::serve, "server");
    thread.setDaemon(true);
    thread.start();
  }

  static String dependencyName(int index) {
    return "dependency-" + (index + 1);
  }

  public static void main(String[] args) throws Exception {
    ServerUnderTest server =
        new ServerUnderTest(
            Variant.valueOf(args[0]),
            Kind.valueOf(args[1]),
            Integer.parseInt(args[2]),
            Integer.parseInt(args[3]),
            args[4].split(","));
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println(REPLY + server.port);
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      System.out.println(REPLY + server.answer(line.split(" ")));
    }
    System.exit(0);
  }

  private String answer(String[] command) {
    return switch (command[0]) {
      case "counts" ->
          calls.begun() + " " + calls.stuckNanos() + " " + calls.stuckMost() + " " + trips;
      case "workers" -> resize(Integer.parseInt(command[1]));
      default -> throw new IllegalArgumentException(command[0]);
    };
  }

  private String resize(int size) {
    if (workers.getQueue() instanceof LinkedBlockingQueue) {
      if (size < workers.getCorePoolSize()) {
        workers.setCorePoolSize(size);
        workers.setMaximumPoolSize(size);
      } else {
        workers.setMaximumPoolSize(size);
        workers.setCorePoolSize(size);
      }
    } else {
      workers.setMaximumPoolSize(size);
    }
    return "resized";
  }

  private record Handler(List<Dependency.Iface> dependencies) implements Front.Iface {

    @Override
    public long other(long number) {
      return number;
    }

    @Override
    public long cope(long number) {
      try {
        return dependencies.get(0).get(number);
      } catch (TException e) {
        return number;
      }
    }

    @Override
    public long useFirst(long number) throws TException {
      return dependencies.get(0).get(number);
    }

    @Override
    public long useSecond(long number) throws TException {
      return dependencies.get(1).get(number);
    }

    @Override
    public long useThird(long number) throws TException {
      return dependencies.get(2).get(number);
    }
  }
}
