package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.gen.Echo;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TProtocol;

/**
 * The processor time that a server's threads use for a request that is shed, over that for a
 * request to an empty handler: at the door, and by an exception of resilience4j's in the handler.
 * The contenders take turns in short rounds; the score is the median of the rounds' ratios.
 *
 * <p>All use one connection and one thread of the server. A thread of its own for each would be on
 * a processor of its own choice, and whether that is its caller's makes twice the difference that
 * there is to be seen: waking up a thread on another processor is paid by whoever does it.
 */
final class ShedCpu implements Measurement {

  private static final String EMPTY = "shedCpu.emptyHandler";
  private static final int CALLS = 500;

  @Override
  public String name() {
    return "shedCpu";
  }

  @Override
  public List<Score> measure(boolean quick) throws Exception {
    try (ThriftInterceptor interceptor =
        ThriftInterceptor.builder("bench")
            .dependency("stock", stock -> stock.earlyProbeInterval(Duration.ZERO))
            .requires("text", "stock")
            .build()) {
      CircuitBreaker stock = interceptor.breaker("stock");
      long sequence = stock.snapshot().sequence();
      stock.apply(sequence, BreakerState.OPEN, Duration.ofDays(1), 1, "benchmark", "benchmark");
      TProcessor bare = Echoing.processor();
      TProcessor theirs = new Echo.Processor<>(new Refusing());
      try (Switch door = new Switch(bare);
          Loopback.Connection connection = door.server.connect(Message.PING)) {
        return measure(
            quick ? 60 : 240,
            new Contender(door, connection, bare, Message.PING),
            Map.of(
                "ours",
                new Contender(door, connection, interceptor.wrap(bare), Message.SMALL),
                "resilience4j",
                new Contender(door, connection, theirs, Message.SMALL)));
      }
    }
  }

  private static List<Score> measure(int rounds, Contender empty, Map<String, Contender> others)
      throws IOException, TException {
    Map<String, List<Double>> ratios = new LinkedHashMap<>();
    List<Double> emptyNanos = new ArrayList<>();
    for (int i = -40; i < rounds; i++) {
      double before = empty.nanosPerCall();
      for (Map.Entry<String, Contender> other : others.entrySet()) {
        double nanos = other.getValue().nanosPerCall();
        double after = empty.nanosPerCall();
        if (i >= 0) {
          ratios
              .computeIfAbsent(other.getKey(), name -> new ArrayList<>())
              .add(2 * nanos / (before + after));
          emptyNanos.add(after);
        }
        before = after;
      }
    }
    List<Score> scores = new ArrayList<>();
    scores.add(new Score(EMPTY, 1, Paired.median(emptyNanos), "ns/op"));
    ratios.forEach(
        (name, all) -> scores.add(new Score("shedCpu." + name, 1, Paired.median(all), "x")));
    return scores;
  }

  /** Refuses every call by a breaker that is open. */
  private static final class Refusing extends Echo.Client {
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker breaker =
        io.github.resilience4j.circuitbreaker.CircuitBreaker.ofDefaults("stock");

    Refusing() {
      super(null);
      breaker.transitionToForcedOpenState();
    }

    @Override
    public String text(String value) {
      return breaker.executeSupplier(() -> value);
    }
  }

  /** One request on the server's only connection, which is served by one thread. */
  private record Contender(
      Switch door, Loopback.Connection connection, TProcessor processor, Message message) {

    double nanosPerCall() throws IOException, TException {
      door.processor = processor;
      connection.sends(message);
      long before = door.server.cpuNanos();
      for (int i = 0; i < CALLS; i++) {
        connection.call();
      }
      return (door.server.cpuNanos() - before) / (double) CALLS;
    }
  }

  /** A server whose processor can be exchanged; where it waits for a request, after that one. */
  private static final class Switch implements TProcessor, AutoCloseable {
    private final Loopback server;
    private volatile TProcessor processor;

    Switch(TProcessor first) throws TException {
      processor = first;
      server = new Loopback(Loopback.Kind.THREAD_POOL, 1, this);
    }

    @Override
    public void process(TProtocol in, TProtocol out) throws TException {
      processor.process(in, out);
    }

    @Override
    public void close() {
      server.close();
    }
  }
}
