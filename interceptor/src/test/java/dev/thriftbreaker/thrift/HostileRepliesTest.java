package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.Trial.Link;
import dev.thriftbreaker.thrift.gen.OutOfStock;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TBase;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TField;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TStruct;
import org.apache.thrift.protocol.TType;
import org.apache.thrift.transport.TIOStreamTransport;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a dependency replies, a guarded client returns and throws what the bare one does, the
 * call is judged, its permit is back, and a server whose handler lets the failure escape answers
 * its own caller.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileRepliesTest {

  private static final long SEED = Long.getLong("hostile.seed", 20_250);
  private static final int MUTATIONS = 1_000;

  static Stream<Arguments> languages() {
    List<Arguments> all = new ArrayList<>();
    for (Language language : Language.values()) {
      for (Wire wire : Wire.values()) {
        all.add(Arguments.of(language, wire));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("languages")
  void repliesMadeToHurt(Language language, Wire wire) throws TException {
    byte[] valid = reply(language, "reserve", TMessageType.REPLY, 1, HostileRepliesTest::seven);
    byte[] stream = new Trial(null, wire, language, Link.STREAM).framed(valid);
    assertThat(client(language, wire, stream).reserve("apple", 7)).isEqualTo(7);
    for (int length = 0; length <= valid.length; length++) {
      check(language, wire, Arrays.copyOf(valid, length));
    }
    String large = "x".repeat(1 << 20);
    check(
        language,
        wire,
        reply(
            language,
            "reserve",
            TMessageType.EXCEPTION,
            1,
            out -> new TApplicationException(6, large).write(out)));
    for (HostileServices.Writing body :
        List.<HostileServices.Writing>of(
            HostileRepliesTest::seven,
            out -> new OutOfStock("apple", 1).write(out),
            out -> new TApplicationException(11, HostileServices.SHED).write(out),
            out -> new TApplicationException(Integer.MIN_VALUE, null).write(out),
            out -> nested(out, 1_000))) {
      for (String method : List.of("reserve", "touch", "", "Stock:reserve", "no such method")) {
        for (byte type : new byte[] {0, 1, 2, 3, 4, 7}) {
          for (int seqid : new int[] {1, 0, 2, -1, Integer.MAX_VALUE}) {
            if (seqid == 1 || type == TMessageType.REPLY) {
              check(language, wire, reply(language, method, type, seqid, body));
            }
          }
        }
      }
    }
    for (String garbage : List.of("HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\0", "\u00ff\u00ff")) {
      check(language, wire, garbage.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  @ParameterizedTest
  @MethodSource("languages")
  void damagedReplies(Language language, Wire wire) {
    Random random = new Random(SEED);
    Mutator mutator = new Mutator(random);
    List<byte[]> replies =
        List.of(
            reply(language, "reserve", TMessageType.REPLY, 1, HostileRepliesTest::seven),
            reply(
                language,
                "reserve",
                TMessageType.EXCEPTION,
                1,
                out -> new TApplicationException(6, "Internal error").write(out)),
            reply(
                language,
                "reserve",
                TMessageType.REPLY,
                1,
                out -> {
                  Stock.reserve_result result = new Stock.reserve_result();
                  result.setOutOfStock(new OutOfStock("apple", 1));
                  result.write(out);
                }));
    for (int i = 0; i < MUTATIONS; i++) {
      check(language, wire, mutator.mutate(replies.get(i % replies.size()), replies));
    }
  }

  /** Well-framed where there are frames, and as the stream of frames itself. */
  private static void check(Language language, Wire wire, byte[] reply) {
    checkStream(language, wire, new Trial(null, wire, language, Link.STREAM).framed(reply));
    if (wire != Wire.PLAIN && reply.length < 1_000) {
      checkStream(language, wire, reply);
    }
  }

  private static void checkStream(Language language, Wire wire, byte[] stream) {
    String name = HexFormat.of().formatHex(stream, 0, Math.min(stream.length, 1_000));
    Object[] results = new Object[2];
    Throwable bare =
        catchThrowable(() -> results[0] = client(language, wire, stream).reserve("apple", 7));
    CircuitBreaker breaker = Breakers.closed("stock");
    Throwable guarded =
        catchThrowable(
            () ->
                results[1] =
                    Guard.of(breaker, Stock.Iface.class, client(language, wire, stream))
                        .reserve("apple", 7));

    if (results[1] == null ? results[0] != null : !results[1].equals(results[0])) {
      assertThat(results[1]).as(name).isEqualTo(results[0]);
    }
    if (!String.valueOf(guarded).equals(String.valueOf(bare))) {
      assertThat(guarded).as(name).hasToString(String.valueOf(bare));
    }
    BreakerSnapshot counted = breaker.snapshot();
    boolean failed = bare != null && !(bare instanceof TBase);
    if (counted.inFlight() != 0
        || counted.failures() != (failed ? 1 : 0)
        || counted.successes() != (failed ? 0 : 1)) {
      assertThat(counted).as(name + " " + bare).isNull();
    }
    if (bare instanceof TException) {
      checkServer(name, language, wire, stream);
    }
  }

  /** A server whose handler lets the failure escape. */
  private static void checkServer(String name, Language language, Wire wire, byte[] stream) {
    RequestPath path =
        new RequestPath(Map.of("stock", Breakers.closed("stock")), Map.of(), System::nanoTime);
    Throwable thrown =
        catchThrowable(
            () -> {
              CircuitBreaker breaker = Breakers.closed("stock");
              Stock.Iface stock =
                  Guard.of(breaker, Stock.Iface.class, client(language, wire, stream));
              TProcessor processor =
                  path.wrap(new Warehouse.Processor<>(new WarehouseHandler(stock)));
              TMemoryBuffer in = new TMemoryBuffer(64);
              TMemoryBuffer out = new TMemoryBuffer(64);
              new Warehouse.Client(Language.BINARY.over(in)).send_reserve("apple", 7);
              processor.process(Language.BINARY.over(in), Language.BINARY.over(out));
              TMessage reply = Language.BINARY.over(out).readMessageBegin();
              assertThat(reply.name + reply.seqid).isEqualTo("reserve1");
            });
    if (thrown != null) {
      assertThat(thrown).as(name).isNull();
    }
    path.methods().forEach(method -> assertThat(method.inFlight()).isZero());
  }

  private static Stock.Iface client(Language language, Wire wire, byte[] stream)
      throws TTransportException {
    TTransport socket =
        wire.over(
            new TIOStreamTransport(
                new TConfiguration(Trial.MAX_SIZE, Trial.MAX_SIZE, 64),
                new ByteArrayInputStream(stream),
                new ByteArrayOutputStream()));
    return new Stock.Client(language.over(socket));
  }

  private static void seven(TProtocol out) throws TException {
    Stock.reserve_result result = new Stock.reserve_result();
    result.setSuccess(7);
    result.write(out);
  }

  private static void nested(TProtocol out, int depth) throws TException {
    out.writeStructBegin(new TStruct());
    for (int i = 0; i < depth; i++) {
      out.writeFieldBegin(new TField("", TType.STRUCT, (short) (i == 0 ? 0 : 1)));
      out.writeStructBegin(new TStruct());
    }
    for (int i = 0; i < depth; i++) {
      out.writeFieldStop();
      out.writeStructEnd();
      out.writeFieldEnd();
    }
    out.writeFieldStop();
    out.writeStructEnd();
  }

  private static byte[] reply(
      Language language, String method, byte type, int seqid, HostileServices.Writing body) {
    return HostileServices.message(
        language,
        "",
        out -> {
          out.writeMessageBegin(new TMessage(method, type, seqid));
          body.to(out);
          out.writeMessageEnd();
        });
  }

  /** A dependency that never comes to an end holds the call as long as it goes on, not longer. */
  @Test
  void aReplyThatGoesOnAndOnIsAFailureOnceItStops() throws Exception {
    // given a dependency that sends field after field that nobody knows, eight megabytes in all
    byte[] field = HostileServices.message(Language.BINARY, "", HostileRepliesTest::unknownField);
    CircuitBreaker breaker = Breakers.closed("stock");
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        TSocket socket = new TSocket("127.0.0.1", server.getLocalPort(), 10_000)) {
      Thread dependency =
          new Thread(
              () -> {
                try (Socket client = server.accept()) {
                  OutputStream out = client.getOutputStream();
                  out.write(reply(Language.BINARY, "reserve", TMessageType.REPLY, 1, unused -> {}));
                  for (int i = 0; i < (8 << 20) / field.length; i++) {
                    out.write(field);
                  }
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      dependency.start();
      socket.open();

      // when
      Stock.Iface guarded =
          Guard.of(breaker, Stock.Iface.class, new Stock.Client(Language.BINARY.over(socket)));
      Throwable thrown = catchThrowable(() -> guarded.reserve("apple", 7));

      // then
      assertThat(thrown).isInstanceOf(TTransportException.class);
      assertThat(breaker.snapshot().failures()).isEqualTo(1);
      assertThat(breaker.snapshot().inFlight()).isZero();
      dependency.join();
    }
  }

  private static void unknownField(TProtocol out) throws TException {
    out.writeFieldBegin(new TField("", TType.STRING, (short) 99));
    out.writeString("x".repeat(10_000));
    out.writeFieldEnd();
  }
}
