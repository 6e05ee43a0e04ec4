package dev.thriftbreaker.costs;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.Cell;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.thrift.Downstream;
import dev.thriftbreaker.thrift.FallbackOn;
import dev.thriftbreaker.thrift.Guard;
import dev.thriftbreaker.thrift.gen.Stock;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.TException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What a guard adds to a call that succeeds, beside what the breaker itself costs: a client that
 * does next to nothing, called directly and through guards.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@ThreadCounts({1, 2})
public class GuardBenchmark {

  /** Whether this is the only interface that is guarded, or one of many that were all in use. */
  @Param({"1", "8"})
  public int interfaces;

  private final CircuitBreaker breaker = breaker();
  private final Downstream downstream = new Downstream(breaker);
  private final Stock.Iface client = new Shelf();
  private final Callable<Long> body = () -> client.ping(7);
  private Stock.Iface guarded;

  private static CircuitBreaker breaker() {
    return new CircuitBreaker(
        "stock", BreakerConfig.builder().build(), System::nanoTime, () -> 0.5, () -> {});
  }

  /** Guards, and uses other guards before. */
  @Setup
  public void guard() throws Exception {
    guarded = guard(downstream, Stock.Iface.class, client);
    for (Callable<?> other : interfaces == 1 ? List.<Callable<?>>of() : others()) {
      for (int i = 0; i < 20_000; i++) {
        other.call();
      }
    }
  }

  private static <T> T guard(Downstream dependency, Class<T> iface, T client) {
    return Guard.of(dependency, iface, client, null, FallbackOn.REFUSAL);
  }

  private static <T> T guardOther(Class<T> iface, T client) {
    return guard(new Downstream(breaker()), iface, client);
  }

  /** Calls of guards of other interfaces, each with another client, of other shapes. */
  private static List<Callable<?>> others() {
    Clients.One one = guardOther(Clients.One.class, number -> number + 1);
    Clients.Two two = guardOther(Clients.Two.class, (a, b) -> a + b);
    Clients.Three three = guardOther(Clients.Three.class, name -> name);
    Clients.Four four = guardOther(Clients.Four.class, () -> {});
    Clients.Five five = guardOther(Clients.Five.class, (name, yes) -> yes);
    Clients.Six six = guardOther(Clients.Six.class, number -> number * 2);
    Clients.Seven seven = guardOther(Clients.Seven.class, (name, a, b) -> name);
    return List.of(
        () -> one.get(1),
        () -> two.add(1, 2),
        () -> three.echo("three"),
        () -> {
          four.touch();
          return null;
        },
        () -> five.is("five", true),
        () -> six.twice(1.5),
        () -> seven.name("seven", 1, 2));
  }

  /** Interfaces of several shapes. */
  public interface Clients {
    /** A number. */
    interface One {
      long get(long number) throws TException;
    }

    /** Two numbers. */
    interface Two {
      int add(int one, int other) throws TException;
    }

    /** An object. */
    interface Three {
      String echo(String name) throws TException;
    }

    /** Nothing. */
    interface Four {
      void touch() throws TException;
    }

    /** An object and a truth. */
    interface Five {
      boolean is(String name, boolean yes) throws TException;
    }

    /** A fraction. */
    interface Six {
      double twice(double number) throws TException;
    }

    /** Three of several kinds. */
    interface Seven {
      String name(String name, int one, long other) throws TException;
    }
  }

  private static final class Shelf implements Stock.Iface {
    private int left = 100;

    @Override
    public int reserve(String sku, int quantity) {
      return left - quantity - sku.length();
    }

    @Override
    public long ping(long number) {
      return left + number;
    }

    @Override
    public void touch() {}
  }

  /** The breaker's own pair, and nothing else. */
  @Benchmark
  public long pair() {
    Cell mine = breaker.cell();
    long now = breaker.now();
    long permit = breaker.tryAcquire(mine, now, true);
    breaker.complete(mine, permit, Outcome.SUCCESS, now, null);
    return permit;
  }

  @Benchmark
  public long directLong() throws TException {
    return client.ping(1_000);
  }

  @Benchmark
  public long ifaceLong() throws TException {
    return guarded.ping(1_000);
  }

  @Benchmark
  public int ifaceObject() throws TException {
    return guarded.reserve("plum", 1_000);
  }

  @Benchmark
  public void ifaceNothing() throws TException {
    guarded.touch();
  }

  @Benchmark
  public Long call() throws Exception {
    return Guard.call(downstream, body);
  }
}
