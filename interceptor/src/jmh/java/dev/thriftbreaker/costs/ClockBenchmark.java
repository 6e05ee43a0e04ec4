package dev.thriftbreaker.costs;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** The yardsticks: what cannot be had for less. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@ThreadCounts({1, 2})
public class ClockBenchmark {

  private final LongAdder adder = new LongAdder();

  @Benchmark
  public long clockOnce() {
    return System.nanoTime();
  }

  @Benchmark
  public long clockTwice() {
    long start = System.nanoTime();
    return System.nanoTime() - start;
  }

  @Benchmark
  public void longAdder() {
    adder.increment();
  }
}
