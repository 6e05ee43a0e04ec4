package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.thrift.TException;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;

/** What answers in place of a dependency. */
class FallbackTest {

  private final CircuitBreaker breaker = Breakers.closed("stock");
  private final Downstream stock = new Downstream(breaker);

  private static final class Fixed implements Stock.Iface {
    private final int left;
    private final Throwable thrown;

    Fixed(int left, Throwable thrown) {
      this.left = left;
      this.thrown = thrown;
    }

    @Override
    public int reserve(String sku, int quantity) throws TException {
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown instanceof TException exception) {
        throw exception;
      }
      return left + quantity;
    }

    @Override
    public long ping(long number) {
      return number;
    }

    @Override
    public void touch() {}
  }

  private Stock.Iface guard(Throwable thrown, FallbackOn on) {
    return Guard.of(stock, Stock.Iface.class, new Fixed(0, thrown), new Fixed(100, null), on);
  }

  @Test
  void answersACallThatTheBreakerRefuses() throws Exception {
    // given
    Stock.Iface guarded = guard(null, FallbackOn.REFUSAL);
    assertThat(guarded.reserve("plum", 7)).isEqualTo(7);
    assertThat(stock.fallbacks()).isZero();

    // when
    Breakers.open(breaker);

    // then it gets the same call
    assertThat(guarded.reserve("plum", 7)).isEqualTo(107);
    assertThat(breaker.snapshot().refused()).isEqualTo(1);
    assertThat(stock.fallbacks()).isEqualTo(1);
  }

  @Test
  void leavesAFailedCallAsItIsUnlessAskedTo() throws Exception {
    TTransportException gone = new TTransportException("gone");

    assertThat(catchThrowable(() -> guard(gone, FallbackOn.REFUSAL).reserve("plum", 7)))
        .isSameAs(gone);
    assertThat(guard(gone, FallbackOn.FAILURE).reserve("plum", 7)).isEqualTo(107);

    assertThat(breaker.snapshot().failures()).isEqualTo(2);
    assertThat(stock.fallbacks()).isEqualTo(1);
  }

  @Test
  void leavesDeclaredExceptionsIgnoredOnesAndErrorsAsTheyAre() {
    for (Throwable thrown :
        new Throwable[] {
          new OutOfStock("plum", 0),
          new BreakerOpenException(new Refusal("other", "OPEN", 1)),
          new StackOverflowError()
        }) {
      assertThat(catchThrowable(() -> guard(thrown, FallbackOn.FAILURE).reserve("plum", 7)))
          .isSameAs(thrown);
    }
    assertThat(stock.fallbacks()).isZero();
    BreakerSnapshot counted = breaker.snapshot();
    assertThat(counted.successes()).isEqualTo(1);
    assertThat(counted.ignored()).isEqualTo(1);
    assertThat(counted.failures()).isEqualTo(1);
  }

  @Test
  void goesByTheBreakersOwnRules() throws Exception {
    CircuitBreaker strict =
        Breakers.closed("stock", BreakerConfig.builder().failOn(OutOfStock.class).build());
    Stock.Iface guarded =
        Guard.of(
            new Downstream(strict),
            Stock.Iface.class,
            new Fixed(0, new OutOfStock("plum", 0)),
            new Fixed(100, null),
            FallbackOn.FAILURE);

    assertThat(guarded.reserve("plum", 7)).isEqualTo(107);
  }

  @Test
  void throwsWhatTheFallbackThrows() {
    OutOfStock none = new OutOfStock("all", 0);
    Stock.Iface guarded =
        Guard.of(
            stock, Stock.Iface.class, new Fixed(0, null), new Fixed(0, none), FallbackOn.REFUSAL);
    Breakers.open(breaker);

    assertThat(catchThrowable(() -> guarded.reserve("plum", 7))).isSameAs(none);
    assertThat(breaker.snapshot().inFlight()).isZero();
  }

  @Test
  void answersACallOfAnythingAndIsToldWhy() throws Exception {
    // given
    AtomicReference<Exception> told = new AtomicReference<>();
    Fallback<String> fallback =
        why -> {
          told.set(why);
          return "cached";
        };
    IOException broken = new IOException("broken");
    Callable<String> failing =
        () -> {
          throw broken;
        };

    // when / then
    assertThat(Guard.call(stock, () -> "fresh", FallbackOn.FAILURE, fallback)).isEqualTo("fresh");
    assertThat(told).hasNullValue();
    assertThatThrownBy(() -> Guard.call(stock, failing, FallbackOn.REFUSAL, fallback))
        .isSameAs(broken);
    assertThat(Guard.call(stock, failing, FallbackOn.FAILURE, fallback)).isEqualTo("cached");
    assertThat(told).hasValue(broken);
    Breakers.open(breaker);
    assertThat(Guard.call(stock, () -> "fresh", FallbackOn.REFUSAL, fallback)).isEqualTo("cached");
    assertThat(told.get()).hasMessageStartingWith("SHED dependency=stock state=OPEN");
    assertThat(stock.fallbacks()).isEqualTo(2);
    assertThat(breaker.snapshot().failures()).isEqualTo(2);
    assertThat(breaker.snapshot().refused()).isEqualTo(1);
  }

  private interface Closable extends AutoCloseable {
    @Override
    void close();
  }

  @Test
  void closesTheClientAndNotTheFallback() {
    StringBuilder closed = new StringBuilder();
    Closable guarded =
        Guard.of(
            stock,
            Closable.class,
            () -> closed.append("client"),
            () -> closed.append("fallback"),
            FallbackOn.REFUSAL);
    Breakers.open(breaker);

    guarded.close();

    assertThat(closed).hasToString("client");
  }

  @Test
  void refusesWhatIsNoFallback() {
    @SuppressWarnings({"unchecked", "rawtypes"}) // as careless code would do it
    Callable<Object> careless =
        () ->
            Guard.of(
                stock, (Class) Stock.Iface.class, new Fixed(0, null), "no", FallbackOn.REFUSAL);
    assertThatIllegalArgumentException()
        .isThrownBy(careless::call)
        .withMessageStartingWith("fallback: no (expected: an implementation of ");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> guard(null, null))
        .withMessage("on: null (expected: REFUSAL or FAILURE)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.call(stock, () -> 1, FallbackOn.REFUSAL, null))
        .withMessage("fallback: null (expected: a fallback)");
  }
}
