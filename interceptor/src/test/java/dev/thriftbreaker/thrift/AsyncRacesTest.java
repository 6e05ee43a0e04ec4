package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.HeadOn;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TException;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.AbstractNonblockingServer.AsyncFrameBuffer;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;

/**
 * Two threads that tell of one asynchronous request or call within the same few instructions: what
 * may come of it is spelled out, and whatever comes of it, it ends once.
 */
class AsyncRacesTest {

  private static final int ROUNDS = 1_000;

  /** What is told of a request, or of a guarded call that it makes. */
  private interface Telling {
    void tell(Request request);
  }

  /** A request under way, as an asynchronous server has it, and a guarded call made in it. */
  private static final class Request extends AsyncFrameBuffer {
    private final CircuitBreaker own = Breakers.closed("method.reserve");
    private final CircuitBreaker stock = Breakers.closed("stock");
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicInteger closes = new AtomicInteger();
    private final TProtocol in = new TBinaryProtocol(new TMemoryInputTransport(message()));
    private final TProtocol out = new TBinaryProtocol(new TMemoryBuffer(64));
    private final RequestPath path;
    private final TAsyncProcessor processor;
    private volatile AsyncMethodCallback<Integer> callback;
    private volatile AsyncMethodCallback<Integer> dependency;

    /**
     * Sets up.
     *
     * @param end what the handler's method throws in the end, or null
     */
    Request(Error end) throws TException {
      Nowhere.SERVER.super(Nowhere.TRANSPORT, null, null);
      path =
          new RequestPath(
              Map.of("stock", new Downstream(stock)),
              Map.of(),
              true,
              new Workers(null),
              System::nanoTime,
              new ShedReplies(),
              new MethodBreakers(Map.of("reserve", own), name -> null));
      Stock.AsyncIface guarded =
          Guard.of(stock, Stock.AsyncIface.class, new Holding(held -> dependency = held));
      AsyncWarehouse handler =
          new AsyncWarehouse(null, null) {
            @Override
            public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> given)
                throws TException {
              guarded.reserve(sku, quantity, new Ignoring());
              callback = given;
              if (end != null) {
                throw end;
              }
            }
          };
      processor = (TAsyncProcessor) path.wrap(new Warehouse.AsyncProcessor<>(handler));
    }

    private static byte[] message() throws TException {
      TMemoryBuffer message = new TMemoryBuffer(64);
      new Warehouse.Client(new TBinaryProtocol(message)).send_reserve("apple", 1);
      return message.getArray();
    }

    Request begin() {
      try {
        processor.process(this);
      } catch (TException e) {
        throw new AssertionError(e);
      }
      return this;
    }

    @Override
    public TProtocol getInputProtocol() {
      return in;
    }

    @Override
    public TProtocol getOutputProtocol() {
      return out;
    }

    @Override
    public boolean isFrameFullyRead() {
      return true;
    }

    @Override
    public void responseReady() {
      answers.incrementAndGet();
    }

    @Override
    public void close() {
      closes.incrementAndGet();
    }

    String outcome() {
      assertEnded(own);
      MethodStats stats =
          path.methods().stream().filter(m -> m.name().equals("reserve")).findFirst().orElseThrow();
      assertThat(stats.inFlight()).isZero();
      return answers
          + " answers, "
          + closes
          + " closes, "
          + stats.successes()
          + " successes, "
          + stats.failures()
          + " failures, "
          + stats.contained()
          + " contained";
    }
  }

  /** One call was let in, and it has ended once. */
  private static void assertEnded(CircuitBreaker breaker) {
    BreakerSnapshot end = breaker.snapshot();
    assertThat(end.acquired()).isEqualTo(1);
    assertThat(end.successes() + end.failures() + end.ignored()).isEqualTo(1);
    assertThat(end.inFlight()).isZero();
  }

  private static final class Ignoring implements AsyncMethodCallback<Integer> {
    @Override
    public void onComplete(Integer response) {}

    @Override
    public void onError(Exception exception) {}
  }

  private interface Holder {
    void hold(AsyncMethodCallback<Integer> callback);
  }

  /** A stock that answers when somebody tells it to. */
  private record Holding(Holder holder) implements Stock.AsyncIface {
    @Override
    public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback) {
      holder.hold(callback);
    }

    @Override
    public void ping(long number, AsyncMethodCallback<Long> callback) {}

    @Override
    public void touch(AsyncMethodCallback<Void> callback) {}
  }

  private static void race(Telling first, Telling second, String... allowed) throws Exception {
    HeadOn.race(ROUNDS, () -> new Told(request(null).begin(), first, second), allowed);
  }

  private static Request request(Error end) {
    try {
      return new Request(end);
    } catch (TException e) {
      throw new AssertionError(e);
    }
  }

  private record Told(Request request, Telling one, Telling other) implements HeadOn.Race {
    @Override
    public void first() {
      one.tell(request);
    }

    @Override
    public void second() {
      other.tell(request);
    }

    @Override
    public String outcome() {
      assertThat(RequestContext.currentAsync()).isNull();
      return request.outcome();
    }
  }

  private static final Telling ANSWER = request -> request.callback.onComplete(1);
  private static final Telling BREAK =
      request -> request.callback.onError(new TTransportException("broken"));

  @Test
  void aRequestIsEitherAnsweredOrClosed() throws Exception {
    race(
        ANSWER,
        BREAK,
        "1 answers, 0 closes, 1 successes, 0 failures, 0 contained",
        "0 answers, 1 closes, 0 successes, 1 failures, 0 contained");
  }

  @Test
  void aRequestThatIsBrokenTwiceIsClosedOnce() throws Exception {
    race(BREAK, BREAK, "0 answers, 1 closes, 0 successes, 1 failures, 0 contained");
  }

  @Test
  void aGuardedCallThatBreaksWhileItsRequestDoesIsTheCauseOrNot() throws Exception {
    race(
        request -> request.dependency.onError(new TTransportException("the dependency's")),
        BREAK,
        "1 answers, 0 closes, 0 successes, 1 failures, 1 contained",
        "0 answers, 1 closes, 0 successes, 1 failures, 0 contained");
  }

  @Test
  void aGuardedCallThatFailsWhileItsRequestIsAnsweredEndsBoth() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          Request request = request(null).begin();
          return new HeadOn.Race() {
            @Override
            public void first() {
              request.dependency.onError(new IllegalStateException("down"));
            }

            @Override
            public void second() {
              ANSWER.tell(request);
            }

            @Override
            public String outcome() {
              assertEnded(request.stock);
              assertThat(RequestContext.currentAsync()).isNull();
              return request.outcome();
            }
          };
        },
        "1 answers, 0 closes, 1 successes, 0 failures, 0 contained");
  }

  @Test
  void aRequestIsEitherAnsweredOrEndsWithTheErrorOfItsHandler() throws Exception {
    Error end = new LinkageError("end");
    HeadOn.race(
        ROUNDS,
        () -> {
          Request request = request(end);
          return new HeadOn.Race() {
            @Override
            public void first() {
              try {
                request.begin();
              } catch (LinkageError thrown) {
                assertThat(thrown).isSameAs(end);
              }
            }

            @Override
            public void second() {
              while (request.callback == null) {
                Thread.onSpinWait();
              }
              ANSWER.tell(request);
            }

            @Override
            public String outcome() {
              return request.outcome();
            }
          };
        },
        "1 answers, 0 closes, 1 successes, 0 failures, 0 contained",
        "0 answers, 0 closes, 0 successes, 1 failures, 0 contained",
        // nobody gets that answer, as the server closes the connection
        "1 answers, 0 closes, 0 successes, 1 failures, 0 contained");
  }

  @Test
  void aGuardedCallThatIsToldTwiceEndsOnce() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          CircuitBreaker breaker = Breakers.closed("stock");
          AtomicReference<AsyncMethodCallback<Integer>> held = new AtomicReference<>();
          reserve(
              Guard.of(breaker, Stock.AsyncIface.class, new Holding(held::set)), new Ignoring());
          return new HeadOn.Race() {
            @Override
            public void first() {
              held.get().onComplete(1);
            }

            @Override
            public void second() {
              held.get().onError(new IllegalStateException("down"));
            }

            @Override
            public String outcome() {
              assertEnded(breaker);
              return breaker.snapshot().successes() + " successes";
            }
          };
        },
        "1 successes",
        "0 successes");
  }

  private static void reserve(Stock.AsyncIface stock, AsyncMethodCallback<Integer> callback) {
    try {
      stock.reserve("apple", 1, callback);
    } catch (TException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aStageThatEndsWhileItIsCancelledGivesItsPermitBack() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          CircuitBreaker breaker = Breakers.closed("stock");
          CompletableFuture<Integer> source = new CompletableFuture<>();
          CompletableFuture<Integer> guarded = Guard.callAsync(breaker, () -> source);
          return new HeadOn.Race() {
            @Override
            public void first() {
              guarded.cancel(true);
            }

            @Override
            public void second() {
              source.complete(1);
            }

            @Override
            public String outcome() {
              assertEnded(breaker);
              BreakerSnapshot end = breaker.snapshot();
              String how = guarded.isCancelled() ? "cancelled" : "" + guarded.join();
              return how + ", " + end.successes() + " successes, " + end.ignored() + " ignored";
            }
          };
        },
        "cancelled, 0 successes, 1 ignored",
        "1, 1 successes, 0 ignored",
        "cancelled, 1 successes, 0 ignored"); // the source was faster, what follows from it not
  }

  @Test
  void aFallbackThatIsAskedWhileTheCallIsCancelledIsCancelledToo() throws Exception {
    HeadOn.race(
        ROUNDS,
        () -> {
          CircuitBreaker breaker = Breakers.closed("stock");
          CompletableFuture<Integer> source = new CompletableFuture<>();
          CompletableFuture<Integer> instead = new CompletableFuture<>();
          AtomicInteger asked = new AtomicInteger();
          CompletableFuture<Integer> guarded =
              AsyncGuard.call(
                  new Downstream(breaker),
                  () -> source,
                  FallbackOn.FAILURE,
                  why -> {
                    asked.incrementAndGet();
                    return instead;
                  });
          return new HeadOn.Race() {
            @Override
            public void first() {
              guarded.cancel(true);
            }

            @Override
            public void second() {
              source.completeExceptionally(new IllegalStateException("down"));
            }

            @Override
            public String outcome() {
              assertEnded(breaker);
              assertThat(guarded.isDone()).isTrue();
              return asked
                  + " asked, "
                  + (guarded.isCancelled() ? "cancelled, " : "failed, ")
                  + (instead.isCancelled() ? "cancelled" : "not cancelled");
            }
          };
        },
        "0 asked, cancelled, not cancelled",
        "1 asked, cancelled, cancelled",
        "0 asked, failed, not cancelled"); // seen to be done by the one, and not yet by the other
  }
}
