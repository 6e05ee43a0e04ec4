package dev.thriftbreaker.demo.load;

import dev.thriftbreaker.demo.Wire;
import dev.thriftbreaker.demo.shop.Checkout;
import dev.thriftbreaker.demo.shop.Item;
import dev.thriftbreaker.demo.shop.Order;
import dev.thriftbreaker.demo.shop.OutOfStock;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.transport.TTransportException;

/**
 * The shop's customers: some connections, each asking one thing after the other at an even pace,
 * and not catching up on what a slow answer cost. The counters are read by one thread.
 */
public final class LoadClient implements AutoCloseable {

  /** Longer than anything the shop waits for, so that the shop's own times show. */
  private static final int TIMEOUT_MILLIS = 5000;

  private static final long RECONNECT_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long LONGEST_MICROS = TimeUnit.SECONDS.toMicros(60);

  private final Wire wire;
  private final int port;
  private final long paceNanos;
  private final LongAdder ok = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder shed = new LongAdder();
  private final Recorder latencyMicros = new Recorder(LONGEST_MICROS, 2);
  private volatile boolean closed;

  /**
   * @param connections how many customers at once
   * @param perSecond how many requests a second they make together; 0 for as many as they can
   */
  public LoadClient(Wire wire, int port, int connections, int perSecond) {
    this.wire = wire;
    this.port = port;
    this.paceNanos = perSecond == 0 ? 0 : TimeUnit.SECONDS.toNanos(1) * connections / perSecond;
    for (int i = 0; i < connections; i++) {
      Thread thread = new Thread(this::shop, "customer " + i);
      thread.setDaemon(true);
      thread.start();
    }
  }

  /**
   * What happened since the last time this was asked.
   *
   * @return counts of the requests that ended
   */
  public Tally take() {
    Histogram latency = latencyMicros.getIntervalHistogram();
    return new Tally(ok.sumThenReset(), failed.sumThenReset(), shed.sumThenReset(), latency);
  }

  private void shop() {
    Checkout.Client client = null;
    long next = System.nanoTime() + ThreadLocalRandom.current().nextLong(paceNanos + 1);
    while (!closed) {
      long start = System.nanoTime();
      if (next - start > 0) {
        LockSupport.parkNanos(next - start);
        continue;
      }
      next = Math.max(next + paceNanos, start);
      try {
        if (client == null) {
          client = wire.connect(port, TIMEOUT_MILLIS);
        }
        ask(client);
        ok.increment();
      } catch (TTransportException e) {
        failed.increment();
        if (client != null) {
          client.getOutputProtocol().getTransport().close();
          client = null;
        }
        next = System.nanoTime() + RECONNECT_NANOS;
      } catch (OutOfStock e) {
        ok.increment(); // an answer like any other
      } catch (TApplicationException e) {
        (isShed(e) ? shed : failed).increment();
      } catch (TException e) {
        failed.increment();
      }
      long micros = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start);
      latencyMicros.recordValue(Math.min(micros, LONGEST_MICROS));
    }
    if (client != null) {
      client.getOutputProtocol().getTransport().close();
    }
  }

  private static boolean isShed(TApplicationException e) {
    return e.getMessage() != null && e.getMessage().startsWith("SHED ");
  }

  /** Mostly what needs inventory, some of everything else. */
  private static void ask(Checkout.Client client) throws TException {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    int dice = random.nextInt(100);
    String customer = "c" + random.nextInt(1000);
    if (dice < 40) {
      client.quote(items(random));
    } else if (dice < 70) {
      client.placeOrder(new Order("o" + random.nextInt(100_000), customer, items(random)));
    } else if (dice < 85) {
      client.recommend(customer);
    } else if (dice < 95) {
      client.ping();
    } else {
      client.recordView(customer, "teapot");
    }
  }

  private static List<Item> items(ThreadLocalRandom random) {
    String second = random.nextInt(50) == 0 ? "unicorn" : "whisk";
    return List.of(new Item("teapot", 1 + random.nextInt(3)), new Item(second, 1));
  }

  @Override
  public void close() {
    closed = true;
  }
}
