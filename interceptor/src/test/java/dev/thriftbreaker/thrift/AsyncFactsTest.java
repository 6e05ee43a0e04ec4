package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.async.TAsyncClientManager;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.AbstractNonblockingServer.AsyncFrameBuffer;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TNonblockingSocket;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;

/**
 * What the request path and the guards rely on in libthrift's asynchronous servers and clients. A
 * new version that does otherwise shows here.
 */
class AsyncFactsTest {

  private final List<String> events = new ArrayList<>();

  @Test
  void aGeneratedProcessorTellsWhichMethodsAreOneway() {
    Warehouse.AsyncProcessor<?> processor = new Warehouse.AsyncProcessor<>(handler(callback -> {}));

    assertThat(processor.getProcessMapView().get("note").isOneway()).isTrue();
    assertThat(processor.getProcessMapView().get("reserve").isOneway()).isFalse();
  }

  @Test
  void anAnswerIsWrittenAndThenSaidToBeReady() throws TException {
    process(request(client -> client.send_reserve("apple", 1)), callback -> callback.onComplete(5));

    assertThat(events).containsExactly("handler", "ready 5");
  }

  @Test
  void aOnewayRequestIsReadyBeforeItsHandlerRunsAndNeverAfter() throws TException {
    process(request(client -> client.send_note("text")), callback -> callback.onComplete(null));

    assertThat(events).containsExactly("ready", "handler");
  }

  @Test
  void aTransportFailureClosesTheConnectionInPlaceOfAnAnswer() throws TException {
    TTransportException failure = new TTransportException("downstream");

    process(
        request(client -> client.send_reserve("apple", 1)), callback -> callback.onError(failure));
    process(request(client -> client.send_note("text")), callback -> callback.onError(failure));

    assertThat(events).containsExactly("handler", "close", "ready", "handler", "close");
  }

  @Test
  void anExceptionThatAHandlerThrowsIsToldToItsCallbackAndAnErrorIsNot() throws TException {
    process(
        request(client -> client.send_reserve("apple", 1)),
        callback -> {
          throw new IllegalStateException("bug");
        });
    assertThat(events).containsExactly("handler", "ready 6 bug");

    Warehouse.AsyncProcessor<?> broken =
        new Warehouse.AsyncProcessor<>(
            handler(
                callback -> {
                  throw new StackOverflowError();
                }));
    Recorder frame = new Recorder(request(client -> client.send_reserve("apple", 1)));
    assertThatThrownBy(() -> broken.process(frame)).isInstanceOf(StackOverflowError.class);
    assertThat(events).containsExactly("handler", "ready 6 bug", "handler");
  }

  @Test
  void aFactoryIsAsynchronousIfItsProcessorIs() {
    assertThat(
            new TProcessorFactory(new Warehouse.AsyncProcessor<>(handler(callback -> {})))
                .isAsyncProcessor())
        .isTrue();
    assertThat(new TProcessorFactory((in, out) -> {}).isAsyncProcessor()).isFalse();
  }

  /** So a server that takes it for a synchronous one calls it again and again. */
  @Test
  void aGeneratedProcessorReadsAndAnswersNothingIfCalledAsASynchronousOne() throws TException {
    TMemoryBuffer in = request(client -> client.send_reserve("apple", 1));
    TMemoryBuffer out = new TMemoryBuffer(64);
    int length = in.length();

    new Warehouse.AsyncProcessor<>(handler(callback -> callback.onComplete(1)))
        .process(new TBinaryProtocol(in), new TBinaryProtocol(out));

    assertThat(in.read(new byte[length], 0, length)).isEqualTo(length);
    assertThat(out.length()).isZero();
    assertThat(events).isEmpty();
  }

  @Test
  void aMultiplexedProcessorOverAnAsynchronousOneAnswersNothing() throws TException {
    TMultiplexedProcessor services = new TMultiplexedProcessor();
    services.registerProcessor(
        "Warehouse", new Warehouse.AsyncProcessor<>(handler(callback -> callback.onComplete(1))));
    TMemoryBuffer in = new TMemoryBuffer(64);
    TMemoryBuffer out = new TMemoryBuffer(64);
    new Warehouse.Client(new TMultiplexedProtocol(new TBinaryProtocol(in), "Warehouse"))
        .send_reserve("apple", 1);

    services.process(new TBinaryProtocol(in), new TBinaryProtocol(out));

    assertThat(out.length()).isZero();
    assertThat(events).isEmpty();
  }

  // ---- clients

  @Test
  void aClientTellsTheCallbackOfAnExceptionThatTheCallbackThrewAndIsBroken() throws Exception {
    BlockingQueue<Object> told = new LinkedBlockingQueue<>();
    IllegalStateException thrown = new IllegalStateException("in the callback");
    TAsyncClientManager manager = new TAsyncClientManager();
    try (TestServer server = server(callback -> callback.onComplete(3));
        TNonblockingSocket socket = new TNonblockingSocket("127.0.0.1", server.port())) {
      Warehouse.AsyncClient client =
          new Warehouse.AsyncClient(new TBinaryProtocol.Factory(), manager, socket);

      client.reserve(
          "apple",
          3,
          new AsyncMethodCallback<>() {
            @Override
            public void onComplete(Integer response) {
              told.add(response);
              throw thrown;
            }

            @Override
            public void onError(Exception exception) {
              told.add(exception);
            }
          });

      assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo(3);
      assertThat(told.poll(10, TimeUnit.SECONDS)).isSameAs(thrown);
      assertThat(client.hasError()).isTrue();
    } finally {
      manager.stop();
    }
  }

  @Test
  void aClientIsBrokenByAnyExceptionThatItIsAnswered() throws Exception {
    TAsyncClientManager manager = new TAsyncClientManager();
    try {
      for (Exception answer :
          List.of(new OutOfStock("apple", 0), new TApplicationException(11, "SHED"))) {
        Told told = new Told();
        try (TestServer server = server(callback -> callback.onError(answer));
            TNonblockingSocket socket = new TNonblockingSocket("127.0.0.1", server.port())) {
          Warehouse.AsyncClient client =
              new Warehouse.AsyncClient(new TBinaryProtocol.Factory(), manager, socket);
          client.reserve("apple", 1, told);

          assertThat(told.failure()).hasSameClassAs(answer);
          assertThat(client.hasError()).isTrue();
          assertThat(socket.isOpen()).isFalse();
        }
      }
    } finally {
      manager.stop();
    }
  }

  @Test
  void aClientTellsTheCallbackOfARefusedConnection() throws Exception {
    int port;
    try (TestServer server = server(callback -> {})) {
      port = server.port();
    }
    TAsyncClientManager manager = new TAsyncClientManager();
    Told told = new Told();
    try (TNonblockingSocket socket = new TNonblockingSocket("127.0.0.1", port)) {
      new Warehouse.AsyncClient(new TBinaryProtocol.Factory(), manager, socket)
          .reserve("apple", 1, told);

      assertThat(told.failure()).isInstanceOf(ConnectException.class);
    } finally {
      manager.stop();
    }
  }

  private TestServer server(Consumer<AsyncMethodCallback<Integer>> body) throws Exception {
    return new TestServer(
        Kind.NONBLOCKING,
        Wire.FRAMED,
        Language.BINARY,
        new Warehouse.AsyncProcessor<>(handler(body)));
  }

  private interface Sending {
    void send(Warehouse.Client client) throws TException;
  }

  private static TMemoryBuffer request(Sending sending) throws TException {
    TMemoryBuffer in = new TMemoryBuffer(64);
    sending.send(new Warehouse.Client(new TBinaryProtocol(in)));
    return in;
  }

  private void process(TMemoryBuffer in, Consumer<AsyncMethodCallback<Integer>> body)
      throws TException {
    new Warehouse.AsyncProcessor<>(handler(body)).process(new Recorder(in));
  }

  private Warehouse.AsyncIface handler(Consumer<AsyncMethodCallback<Integer>> body) {
    return new AsyncWarehouse(null, Runnable::run) {
      @Override
      public void reserve(String sku, int quantity, AsyncMethodCallback<Integer> callback) {
        events.add("handler");
        body.accept(callback);
      }

      @Override
      @SuppressWarnings({"unchecked", "rawtypes"}) // told the same, whatever the method returns
      public void note(String text, AsyncMethodCallback<Void> callback) {
        events.add("handler");
        body.accept((AsyncMethodCallback) callback);
      }
    };
  }

  /** A frame buffer that notes what is done with it. */
  private final class Recorder extends AsyncFrameBuffer {
    private final TProtocol in;
    private final TMemoryBuffer reply = new TMemoryBuffer(64);

    Recorder(TMemoryBuffer in) throws TTransportException {
      Nowhere.SERVER.super(Nowhere.TRANSPORT, null, null);
      this.in = new TBinaryProtocol(in);
    }

    @Override
    public TProtocol getInputProtocol() {
      return in;
    }

    @Override
    public TProtocol getOutputProtocol() {
      return new TBinaryProtocol(reply);
    }

    @Override
    public void responseReady() {
      String answer = "";
      try {
        if (reply.length() > 0) {
          TProtocol protocol = getOutputProtocol();
          if (protocol.readMessageBegin().type == TMessageType.EXCEPTION) {
            TApplicationException e = TApplicationException.readFrom(protocol);
            answer = " " + e.getType() + " " + e.getMessage();
          } else {
            Warehouse.reserve_result result = new Warehouse.reserve_result();
            result.read(protocol);
            answer = " " + result.getSuccess();
          }
        }
      } catch (TException e) {
        throw new AssertionError(e);
      }
      events.add("ready" + answer);
    }

    @Override
    public void close() {
      events.add("close");
    }
  }

  /** A callback that waits to be told of a failure. */
  private static final class Told implements AsyncMethodCallback<Integer> {
    private final BlockingQueue<Exception> failures = new LinkedBlockingQueue<>();

    Exception failure() throws InterruptedException {
      return failures.poll(10, TimeUnit.SECONDS);
    }

    @Override
    public void onComplete(Integer response) {
      failures.add(new Exception("answered " + response));
    }

    @Override
    public void onError(Exception exception) {
      failures.add(exception);
    }
  }
}
