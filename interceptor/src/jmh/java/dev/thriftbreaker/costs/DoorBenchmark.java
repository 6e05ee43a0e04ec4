package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.TException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A request that is shed at the door, beside the cheapest request that a bare processor can serve
 * and beside the same request served.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
public class DoorBenchmark {

  @Param({"binary", "compact"})
  String language;

  private ThriftInterceptor interceptor;
  private Exchange ping;
  private Exchange served;
  private Exchange servedOfManyFields;
  private Exchange shedSmall;
  private Exchange shed;
  private Exchange shedOfManyFields;

  @Setup
  public void open() throws TException {
    interceptor =
        ThriftInterceptor.builder("bench")
            .dependency("stock", stock -> stock.earlyProbeInterval(Duration.ZERO))
            .requires("text", "stock")
            .requires("tree", "stock")
            .requires("bytes", "stock")
            .build();
    CircuitBreaker stock = interceptor.breaker("stock");
    long sequence = stock.snapshot().sequence();
    stock.apply(sequence, BreakerState.OPEN, Duration.ofDays(1), 1, "benchmark", "benchmark");
    ping = served(Message.PING);
    served = served(Message.LARGE);
    servedOfManyFields = served(Message.LARGE_OF_MANY_FIELDS);
    shedSmall = shed(Message.SMALL);
    shed = shed(Message.LARGE);
    shedOfManyFields = shed(Message.LARGE_OF_MANY_FIELDS);
  }

  private Exchange served(Message message) throws TException {
    return new Exchange(language, message, Echoing.processor());
  }

  private Exchange shed(Message message) throws TException {
    return new Exchange(language, message, interceptor.wrap(Echoing.processor()));
  }

  @TearDown
  public void close() {
    interceptor.close();
  }

  @Benchmark
  public int ping() throws TException {
    return ping.once();
  }

  @Benchmark
  public int shedSmall() throws TException {
    return shedSmall.once();
  }

  @Benchmark
  public int shedLarge() throws TException {
    return shed.once();
  }

  @Benchmark
  public int shedLargeOfManyFields() throws TException {
    return shedOfManyFields.once();
  }

  @Benchmark
  public int servedLarge() throws TException {
    return served.once();
  }

  @Benchmark
  public int servedLargeOfManyFields() throws TException {
    return servedOfManyFields.once();
  }
}
