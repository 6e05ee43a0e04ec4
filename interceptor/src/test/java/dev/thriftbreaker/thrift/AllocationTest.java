package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.server.AbstractNonblockingServer.AsyncFrameBuffer;
import org.apache.thrift.transport.AutoExpandingBufferWriteTransport;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What a call or a request that passes allocates, in bytes each. Measured in a JVM that only
 * interprets: a compiler that makes some objects vanish makes the numbers depend on its mood.
 */
class AllocationTest {

  private static final Map<String, Long> bytes = new HashMap<>();

  @BeforeAll
  static void measure() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xint",
                "-cp",
                System.getProperty("java.class.path"),
                Measurement.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (var lines = process.inputReader()) {
      lines
          .lines()
          .map(line -> line.split("="))
          .forEach(pair -> bytes.put(pair[0], Long.valueOf(pair[1])));
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void guardedCallAllocatesNothing() {
    assertThat(bytes).containsEntry("call", 0L).containsEntry("call with fallback", 0L);
  }

  @Test
  void guardedMethodAllocatesNothing() {
    assertThat(bytes).containsEntry("reserve", 0L);
  }

  @Test
  void requestThatPassesAllocatesExactlyWhatItDoesOnABareServer() {
    for (String language : List.of("binary", "compact")) {
      assertThat(bytes.get(language + " bare")).isPositive();
      assertThat(bytes.get(language + " wrapped")).isEqualTo(bytes.get(language + " bare"));
      assertThat(bytes.get(language + " judged")).isEqualTo(bytes.get(language + " bare"));
    }
  }

  /** The frame buffer that stands in for the connection's, what watches the reply, what it used. */
  @Test
  void asynchronousRequestThatPassesAllocatesOneFrameBuffer() {
    assertThat(bytes.get("async bare")).isPositive();
    assertThat(bytes.get("async wrapped") - bytes.get("async bare")).isBetween(0L, 832L);
  }

  @Test
  void requestOfWhichTheServerLearnsAllocatesExactlyWhatItDoesOnABareServer() {
    for (String language : List.of("binary", "compact")) {
      assertThat(bytes.get(language + " guarded bare")).isPositive();
      assertThat(bytes.get(language + " guarded wrapped"))
          .isEqualTo(bytes.get(language + " guarded bare"));
    }
  }

  @Test
  void requestThatIsShedAllocatesNothingButOnceAMillisecond() {
    for (String language : List.of("binary", "compact")) {
      assertThat(bytes).containsEntry(language + " shed", 0L);
    }
  }

  @Test
  void refusedCallAllocatesOnlyTheException() {
    assertThat(bytes.get("refused call")).isBetween(1L, 48L);
  }

  @Test
  void permitAllocatesNothing() {
    assertThat(bytes).containsEntry("permit", 0L);
  }

  /** Prints the numbers. */
  static final class Measurement {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int CALLS = 5_000;

    private interface Step {
      void run() throws Exception;
    }

    private Measurement() {}

    public static void main(String[] args) throws Exception {
      CircuitBreaker breaker = Breakers.closed("stock");
      print(
          "permit",
          () -> {
            long now = breaker.now();
            breaker.complete(breaker.tryAcquire(now), Outcome.SUCCESS, now, null);
          });
      Callable<String> body = () -> "done";
      print("call", () -> Guard.call(breaker, body));
      Downstream downstream = new Downstream(breaker);
      Fallback<String> fallback = why -> "cached";
      print("call with fallback", () -> Guard.call(downstream, body, FallbackOn.REFUSAL, fallback));

      Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, new ConformanceTest.RealStock());
      print("reserve", () -> guarded.reserve("apple", 1_000));

      CircuitBreaker open = openAtOneMoment();
      print("refused call", () -> refusedCall(open, body));

      measure("binary", new TBinaryProtocol.Factory(), breaker);
      measure("compact", new TCompactProtocol.Factory(), breaker);

      Warehouse.AsyncProcessor<?> bare =
          new Warehouse.AsyncProcessor<>(
              new AsyncWarehouse(new WarehouseHandler(null), Runnable::run));
      RequestPath path = new RequestPath(Map.of(), Map.of(), System::nanoTime);
      print("async bare", new AsyncExchange(bare)::once);
      print("async wrapped", new AsyncExchange((TAsyncProcessor) path.wrap(bare))::once);
    }

    private static void measure(String name, TProtocolFactory language, CircuitBreaker breaker)
        throws Exception {
      TProcessor bare = new Warehouse.Processor<>(new WarehouseHandler(null));
      RequestPath path =
          new RequestPath(
              Map.of("stock", breaker), Map.of("count", List.of("stock")), System::nanoTime);
      Recording count = client -> client.send_count(List.of());
      print(name + " bare", new Exchange(language, bare, count)::once);
      print(name + " wrapped", new Exchange(language, path.wrap(bare), count)::once);

      Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, new ConformanceTest.RealStock());
      TProcessor touching = new Warehouse.Processor<>(new WarehouseHandler(guarded));
      RequestPath learning =
          new RequestPath(Map.of("stock", breaker), Map.of(), true, System::nanoTime);
      Recording touch = client -> client.send_touch("apple");
      print(name + " guarded bare", new Exchange(language, touching, touch)::once);
      print(
          name + " guarded wrapped", new Exchange(language, learning.wrap(touching), touch)::once);
      RequestPath judging =
          new RequestPath(
              Map.of(),
              Map.of(),
              false,
              new Workers(null),
              System::nanoTime,
              new ShedReplies(),
              new MethodBreakers(Map.of(), Breakers::closed));
      print(name + " judged", new Exchange(language, judging.wrap(bare), count)::once);

      CircuitBreaker open = openAtOneMoment();
      RequestPath shedding =
          new RequestPath(Map.of("open", open), Map.of("count", List.of("open")), () -> 1);
      print(name + " shed", new Exchange(language, shedding.wrap(bare), count)::once);
    }

    /** The clock stands still: each millisecond has a refusal of its own. */
    private static CircuitBreaker openAtOneMoment() {
      CircuitBreaker open =
          new CircuitBreaker("open", BreakerConfig.DEFAULTS, () -> 1, () -> 0.5, () -> {});
      Breakers.open(open);
      return open;
    }

    private static void refusedCall(CircuitBreaker open, Callable<String> body) throws Exception {
      try {
        Guard.call(open, body);
        throw new AssertionError("passed");
      } catch (BreakerOpenException expected) {
        // that is what is measured
      }
    }

    private static void print(String name, Step step) throws Exception {
      repeat(step);
      long before = THREADS.getCurrentThreadAllocatedBytes();
      repeat(step);
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      // to the nearest: what one request in sixteen allocates is to be seen
      System.out.println(name + "=" + Math.round((double) allocated / CALLS));
    }

    private static void repeat(Step step) throws Exception {
      for (int i = 0; i < CALLS; i++) {
        step.run();
      }
    }
  }

  private interface Recording {
    void record(Warehouse.Client client) throws TException;
  }

  /** A request in memory, served again and again by the same protocol objects. */
  private static final class Exchange {
    private final byte[] request;
    private final TMemoryInputTransport incoming = new TMemoryInputTransport();
    private final AutoExpandingBufferWriteTransport outgoing =
        new AutoExpandingBufferWriteTransport(new TConfiguration(), 256, 0);
    private final TProtocol in;
    private final TProtocol out;
    private final TProcessor processor;

    Exchange(TProtocolFactory language, TProcessor processor, Recording recording)
        throws TException {
      TMemoryBuffer recorded = new TMemoryBuffer(256);
      recording.record(new Warehouse.Client(language.getProtocol(recorded)));
      request = recorded.getArray().clone();
      in = language.getProtocol(incoming);
      out = language.getProtocol(outgoing);
      this.processor = processor;
    }

    void rewind() {
      incoming.reset(request);
      outgoing.reset();
    }

    void once() throws TException {
      rewind();
      processor.process(in, out);
    }
  }

  /** A request as an asynchronous server has it, served again and again. */
  private static final class AsyncExchange extends AsyncFrameBuffer {
    private final Exchange exchange;
    private final TAsyncProcessor processor;

    AsyncExchange(TAsyncProcessor processor) throws TException {
      Nowhere.SERVER.super(Nowhere.TRANSPORT, null, null);
      exchange =
          new Exchange(new TBinaryProtocol.Factory(), null, client -> client.send_count(List.of()));
      this.processor = processor;
    }

    @Override
    public TProtocol getInputProtocol() {
      return exchange.in;
    }

    @Override
    public TProtocol getOutputProtocol() {
      return exchange.out;
    }

    @Override
    public void responseReady() {}

    void once() throws TException {
      exchange.rewind();
      processor.process(this);
    }
  }
}
