package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.thriftbreaker.breaker.CircuitBreaker;
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
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
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
  void guardedMethodAllocatesNoMoreThanItsArgumentsAndResultInObjects() {
    // an array of two and, outside of the caches of boxes, an Integer twice
    assertThat(bytes.get("reserve")).isLessThanOrEqualTo(24 + 2 * 16);
  }

  @Test
  void requestThatPassesAllocatesExactlyWhatItDoesOnABareServer() {
    for (String language : List.of("binary", "compact")) {
      assertThat(bytes.get(language + " bare")).isPositive();
      assertThat(bytes.get(language + " wrapped")).isEqualTo(bytes.get(language + " bare"));
      assertThat(bytes.get(language + " judged")).isEqualTo(bytes.get(language + " bare"));
    }
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
      Callable<String> body = () -> "done";
      print("call", () -> Guard.call(breaker, body));
      Downstream downstream = new Downstream(breaker);
      Fallback<String> fallback = why -> "cached";
      print("call with fallback", () -> Guard.call(downstream, body, FallbackOn.REFUSAL, fallback));

      Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, new ConformanceTest.RealStock());
      print("reserve", () -> guarded.reserve("apple", 1_000));

      measure("binary", new TBinaryProtocol.Factory(), breaker);
      measure("compact", new TCompactProtocol.Factory(), breaker);
    }

    private static void measure(String name, TProtocolFactory language, CircuitBreaker breaker)
        throws Exception {
      TProcessor bare = new Warehouse.Processor<>(new WarehouseHandler(null));
      RequestPath path =
          new RequestPath(
              Map.of("stock", breaker), Map.of("count", List.of("stock")), System::nanoTime);
      print(name + " bare", new Exchange(language, bare)::once);
      print(name + " wrapped", new Exchange(language, path.wrap(bare))::once);
      RequestPath judging =
          new RequestPath(
              Map.of(),
              Map.of(),
              new Workers(null),
              System::nanoTime,
              new ShedReplies(),
              new MethodBreakers(Map.of(), Breakers::closed));
      print(name + " judged", new Exchange(language, judging.wrap(bare))::once);
    }

    private static void print(String name, Step step) throws Exception {
      repeat(step);
      long before = THREADS.getCurrentThreadAllocatedBytes();
      repeat(step);
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      System.out.println(name + "=" + allocated / CALLS);
    }

    private static void repeat(Step step) throws Exception {
      for (int i = 0; i < CALLS; i++) {
        step.run();
      }
    }
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

    Exchange(TProtocolFactory language, TProcessor processor) throws TException {
      TMemoryBuffer recorded = new TMemoryBuffer(256);
      new Warehouse.Client(language.getProtocol(recorded)).send_count(List.of());
      request = recorded.getArray().clone();
      in = language.getProtocol(incoming);
      out = language.getProtocol(outgoing);
      this.processor = processor;
    }

    void once() throws TException {
      incoming.reset(request);
      outgoing.reset();
      processor.process(in, out);
    }
  }
}
