package dev.thriftbreaker.faults;

import dev.thriftbreaker.faults.gen.Front;
import dev.thriftbreaker.thrift.BreakerOpenException;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * The callers of the server under test. Requests come as they come (a Poisson process with the same
 * seed for each variant), whatever the server does; each is put into one queue in front of a pool
 * of connections, as in a client's process, and is taken by the next connection that is free. So
 * those that hang hold connections, and on a TThreadPoolServer with them workers, and what waits
 * for a connection is late from the moment for which it was scheduled. After {@link
 * #DEADLINE_MILLIS} a request has failed: its connection is closed and opened anew.
 */
final class Load implements AutoCloseable {

  static final int DEADLINE_MILLIS = 1000;

  private static final int BACK_OFF_MILLIS = 100;

  private final Recorder recorder;
  private final int port;
  private final Rates rates;
  private final int dependencies;
  private final LinkedBlockingQueue<Request> queue = new LinkedBlockingQueue<>();
  private volatile int connections;
  private volatile boolean stopped;

  /**
   * Requests a second of each kind.
   *
   * @param use those that need a dependency, in turn one of them
   * @param cope those that can do without the first one
   * @param other those that need none
   */
  record Rates(double use, double cope, double other) {

    static final Rates FULL = new Rates(800, 200, 1000);

    Rates times(double factor) {
      return new Rates(use * factor, cope * factor, other * factor);
    }

    private double all() {
      return use + cope + other;
    }
  }

  Load(Recorder recorder, int port, int dependencies, int connections, Rates rates) {
    this.recorder = recorder;
    this.port = port;
    this.dependencies = dependencies;
    this.connections = connections;
    this.rates = rates;
    for (int i = 0; i < connections; i++) {
      Connection connection = new Connection(i);
      start(connection::run, "load-" + i);
    }
    start(this::schedule, "load-schedule");
  }

  /** From now on only so many of the connections are used. */
  void connections(int number) {
    connections = number;
  }

  @Override
  public void close() {
    stopped = true;
  }

  private static void start(Runnable body, String name) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  private void schedule() {
    Random random = new Random(42);
    double nanosBetween = 1e9 / rates.all();
    double next = System.nanoTime();
    while (!stopped) {
      next += -Math.log(1 - random.nextDouble()) * nanosBetween;
      long scheduledNanos = (long) next;
      for (long wait = scheduledNanos - System.nanoTime();
          wait > 0;
          wait = scheduledNanos - System.nanoTime()) {
        LockSupport.parkNanos(wait);
      }
      double pick = random.nextDouble() * rates.all();
      Recorder.Kind kind =
          pick < rates.use
              ? Recorder.Kind.USE
              : pick < rates.use + rates.cope ? Recorder.Kind.COPE : Recorder.Kind.OTHER;
      recorder.offered(kind, scheduledNanos);
      queue.add(new Request(kind, random.nextInt(dependencies), scheduledNanos));
    }
  }

  private record Request(Recorder.Kind kind, int dependency, long scheduledNanos) {

    long call(Front.Client client) throws TException {
      return switch (kind) {
        case OTHER -> client.other(scheduledNanos);
        case COPE -> client.cope(scheduledNanos);
        case USE ->
            switch (dependency) {
              case 0 -> client.useFirst(scheduledNanos);
              case 1 -> client.useSecond(scheduledNanos);
              default -> client.useThird(scheduledNanos);
            };
      };
    }
  }

  private final class Connection {
    private final int index;
    private TSocket socket;
    private Front.Client client;
    private boolean fresh;

    private Connection(int index) {
      this.index = index;
    }

    private void run() {
      try {
        while (!stopped) {
          if (index >= connections) {
            disconnect();
            TimeUnit.MILLISECONDS.sleep(BACK_OFF_MILLIS);
            continue;
          }
          Request request = queue.poll(BACK_OFF_MILLIS, TimeUnit.MILLISECONDS);
          if (request != null) {
            send(request);
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        disconnect();
      }
    }

    private void send(Request request) throws InterruptedException {
      long leftMillis = DEADLINE_MILLIS - (System.nanoTime() - request.scheduledNanos) / 1_000_000;
      if (leftMillis <= 0) {
        return;
      }
      try {
        connect();
        socket.setTimeout((int) leftMillis);
        request.call(client);
        recorder.good(request.kind, request.scheduledNanos);
        fresh = false;
      } catch (TApplicationException e) {
        if (e.getType() == BreakerOpenException.SHED && request.kind == Recorder.Kind.USE) {
          recorder.shed(request.scheduledNanos);
        }
        fresh = false;
      } catch (TException e) {
        boolean refused = fresh && !isTimeout(e);
        disconnect();
        if (refused) {
          queue.add(request);
          TimeUnit.MILLISECONDS.sleep(BACK_OFF_MILLIS);
        }
      }
    }

    private static boolean isTimeout(TException e) {
      return e instanceof TTransportException failure
          && failure.getType() == TTransportException.TIMED_OUT;
    }

    private void connect() throws TException {
      if (client == null) {
        TFramedTransport transport =
            new TFramedTransport(new TSocket("127.0.0.1", port, DEADLINE_MILLIS));
        transport.open();
        socket = (TSocket) transport.getInnerTransport();
        client = new Front.Client(new TBinaryProtocol(transport));
        fresh = true;
      }
    }

    private void disconnect() {
      if (client != null) {
        client.getInputProtocol().getTransport().close();
        client = null;
      }
    }
  }
}
