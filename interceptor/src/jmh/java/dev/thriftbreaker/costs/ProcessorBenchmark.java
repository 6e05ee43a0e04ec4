package dev.thriftbreaker.costs;

import dev.thriftbreaker.ThriftInterceptor;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
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
 * A request that passes: the bare processor, and the same one wrapped. What HotSpot makes of them
 * differs by fork, so many short forks tell more than a few long ones. The warm-up is longer than
 * others' since a megabyte of many fields takes long to be compiled.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 2, time = 200, timeUnit = TimeUnit.MILLISECONDS)
public class ProcessorBenchmark {

  /** Each thread has its connection. */
  @State(Scope.Thread)
  public static class Connection {

    @Param({"binary", "compact"})
    String language;

    @Param({"SMALL", "MEDIUM", "LARGE", "LARGE_OF_MANY_FIELDS"})
    Message message;

    Exchange bare;
    Exchange wrapped;

    @Setup
    public void open(Server server) throws TException {
      bare = new Exchange(language, message, server.bare);
      wrapped = new Exchange(language, message, server.wrapped);
    }
  }

  /** All threads have one server, with a dependency that all its methods require and that is up. */
  @State(Scope.Benchmark)
  public static class Server {

    TProcessor bare;
    TProcessor wrapped;
    private ThriftInterceptor interceptor;

    @Setup
    public void start() {
      bare = Echoing.processor();
      interceptor =
          ThriftInterceptor.builder("bench")
              .dependency("stock")
              .requires("text", "stock")
              .requires("tree", "stock")
              .requires("bytes", "stock")
              .build();
      wrapped = interceptor.wrap(bare);
    }

    @TearDown
    public void stop() {
      interceptor.close();
    }
  }

  @Benchmark
  public int bare(Connection connection) throws TException {
    return connection.bare.once();
  }

  @Benchmark
  public int wrapped(Connection connection) throws TException {
    return connection.wrapped.once();
  }
}
