package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.IOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GuardTest {

  private final CircuitBreaker breaker = Breakers.closed("stock");

  static Stream<Arguments> outcomes() {
    return Stream.of(
        Arguments.of(new OutOfStock("plum", 0), Outcome.SUCCESS),
        Arguments.of(new TTransportException("gone"), Outcome.FAILURE),
        Arguments.of(new TProtocolException("garbled"), Outcome.FAILURE),
        Arguments.of(new TApplicationException(6, "Internal error"), Outcome.FAILURE),
        Arguments.of(new TApplicationException(11, "SHED dependency=x"), Outcome.FAILURE),
        Arguments.of(new TException("plain"), Outcome.FAILURE),
        Arguments.of(new IllegalStateException("bug"), Outcome.FAILURE),
        Arguments.of(new StackOverflowError(), Outcome.FAILURE),
        Arguments.of(new BreakerOpenException(new Refusal("other", "OPEN", 1)), Outcome.IGNORED));
  }

  @ParameterizedTest
  @MethodSource("outcomes")
  void throwsTheClientsOwnExceptionAndCompletesThePermit(Throwable thrown, Outcome outcome) {
    // given
    Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, new Throwing(thrown));

    // when / then
    assertThat(catchThrowable(() -> guarded.reserve("plum", 1))).isSameAs(thrown);
    assertCounted(outcome);
  }

  @ParameterizedTest
  @MethodSource("outcomes")
  void throwsTheBodysOwnExceptionAndCompletesThePermit(Throwable thrown, Outcome outcome) {
    assertThat(catchThrowable(() -> Guard.call(breaker, () -> new Throwing(thrown).reserve("", 1))))
        .isSameAs(thrown);
    assertCounted(outcome);
  }

  static Stream<Exception> givenUp() {
    return Stream.of(new InterruptedException(), new CancellationException());
  }

  @ParameterizedTest
  @MethodSource("givenUp")
  void ignoresACallThatItsCallerGaveUp(Exception givenUp) {
    assertThatThrownBy(() -> call(breaker, givenUp)).isSameAs(givenUp);
    assertCounted(Outcome.IGNORED);
  }

  @Test
  void judgesByTheBreakersOwnRulesFirst() {
    // given
    CircuitBreaker strict =
        Breakers.closed(
            "stock",
            BreakerConfig.builder()
                .failOn(OutOfStock.class)
                .ignore(TApplicationException.class)
                .unwrap(ExecutionException.class)
                .failureResult(result -> Integer.valueOf(13).equals(result))
                .build());

    // when
    Stock.Iface guarded =
        Guard.of(strict, Stock.Iface.class, new Throwing(new OutOfStock("plum", 0)));
    catchThrowable(() -> guarded.reserve("plum", 1));
    catchThrowable(() -> call(strict, new TApplicationException()));
    catchThrowable(() -> call(strict, new ExecutionException(new TApplicationException())));
    catchThrowable(() -> Guard.call(strict, () -> 13));

    // then
    BreakerSnapshot counted = strict.snapshot();
    assertThat(counted.failures()).isEqualTo(2);
    assertThat(counted.ignored()).isEqualTo(2);
    assertThat(counted.successes()).isZero();
  }

  @Test
  void refusesWithoutCallingWhileTheBreakerIsOpen() {
    // given
    AtomicInteger calls = new AtomicInteger();
    Stock.Iface guarded =
        Guard.of(
            breaker,
            Stock.Iface.class,
            new Throwing(null) {
              @Override
              public int reserve(String sku, int quantity) {
                return calls.incrementAndGet();
              }
            });
    Breakers.open(breaker);

    // when
    Throwable refused = catchThrowable(() -> guarded.reserve("plum", 1));
    Throwable refusedToo = catchThrowable(() -> Guard.call(breaker, calls::incrementAndGet));

    // then
    for (Throwable refusal : new Throwable[] {refused, refusedToo}) {
      assertThat(refusal).isInstanceOf(BreakerOpenException.class);
      assertThat(refusal.getStackTrace()).isEmpty();
      assertThat(((BreakerOpenException) refusal).dependency()).isEqualTo("stock");
      assertThat(((BreakerOpenException) refusal).reason()).isEqualTo("OPEN");
      assertThat(((BreakerOpenException) refusal).retryAfterMillis()).isBetween(1L, 60_000L);
      assertThat(((TApplicationException) refusal).getType()).isEqualTo(11);
    }
    assertThat(calls).hasValue(0);
    assertThat(breaker.snapshot().refused()).isEqualTo(2);
  }

  /** One exception for all refusals could not be added to itself. */
  @Test
  void refusesTheCallThatClosesAResourceTooWithAnExceptionOfItsOwn() {
    Breakers.open(breaker);

    Throwable refused =
        catchThrowable(
            () -> {
              try (AutoCloseable resource = () -> Guard.call(breaker, () -> null)) {
                assertThat(resource).isNotNull();
                Guard.call(breaker, () -> null);
              }
            });

    assertThat(refused).isInstanceOf(BreakerOpenException.class);
    assertThat(refused.getSuppressed()).singleElement().isInstanceOf(BreakerOpenException.class);
  }

  @Test
  void tellsARefusalInOneStableLine() {
    assertThat(new BreakerOpenException(new Refusal("inventory", "OPEN", 4_199_000_001L)))
        .hasMessage("SHED dependency=inventory state=OPEN retryAfterMs=4200");
  }

  @Test
  void leavesMethodsOfObjectAlone() {
    // given
    Stock.Iface guarded = Guard.of(breaker, Stock.Iface.class, new Throwing(null));
    Breakers.open(breaker);

    // when / then
    assertThat(guarded).isEqualTo(guarded).hasSameHashCodeAs(guarded);
    assertThat(guarded).isNotEqualTo(Guard.of(breaker, Stock.Iface.class, new Throwing(null)));
    assertThat(guarded.toString()).endsWith("guarded by breaker stock");
    assertThat(breaker.snapshot().refused()).isZero();
  }

  @Test
  void refusesWhatItCannotGuard() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.of(breaker, OddCallback.class, callback -> {}))
        .withMessageContaining("OddCallback")
        .withMessageEndingWith("(expected: an AsyncMethodCallback itself as the callback of read)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.of(breaker, Throwing.class, new Throwing(null)))
        .withMessageContaining("expected: an interface");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.of(breaker, Stock.Iface.class, null))
        .withMessage("client: null (expected: a client of " + Stock.Iface.class.getName() + ")");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.of(null, Stock.Iface.class, new Throwing(null)))
        .withMessageStartingWith("breaker: null");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guard.of(breaker, null, new Throwing(null)))
        .withMessageStartingWith("iface: null");
  }

  private interface NarrowCallback extends AsyncMethodCallback<String> {}

  private interface OddCallback {
    void read(NarrowCallback callback);
  }

  private interface Hidden {
    String read() throws IOException;
  }

  @Test
  void guardsAnyInterfaceEvenOneThatIsNotPublic() throws IOException {
    // given
    Hidden guarded = Guard.of(breaker, Hidden.class, () -> "read");

    // when / then
    assertThat(guarded.read()).isEqualTo("read");
    Breakers.open(breaker);
    assertThatThrownBy(guarded::read)
        .isInstanceOf(UndeclaredThrowableException.class)
        .hasCauseInstanceOf(BreakerOpenException.class);
  }

  private static Object call(CircuitBreaker breaker, Exception thrown) throws Exception {
    Callable<Object> body =
        () -> {
          throw thrown;
        };
    return Guard.call(breaker, body);
  }

  private void assertCounted(Outcome outcome) {
    BreakerSnapshot counted = breaker.snapshot();
    assertThat(counted.acquired()).isEqualTo(1);
    assertThat(counted.successes()).isEqualTo(outcome == Outcome.SUCCESS ? 1 : 0);
    assertThat(counted.failures()).isEqualTo(outcome == Outcome.FAILURE ? 1 : 0);
    assertThat(counted.ignored()).isEqualTo(outcome == Outcome.IGNORED ? 1 : 0);
  }

  /** A client that throws what it is told. */
  private static class Throwing implements Stock.Iface {
    private final Throwable thrown;

    Throwing(Throwable thrown) {
      this.thrown = thrown;
    }

    @Override
    public int reserve(String sku, int quantity) throws TException {
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown instanceof RuntimeException unchecked) {
        throw unchecked;
      }
      throw (TException) thrown;
    }

    @Override
    public long ping(long number) {
      return number;
    }

    @Override
    public void touch() {}
  }
}
