package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Ledger;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.protocol.TStruct;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestPathTest {

  private final CircuitBreaker stock = Breakers.closed("stock");
  private final CircuitBreaker bank = Breakers.closed("bank");
  private final WarehouseHandler handler = new WarehouseHandler(new ConformanceTest.RealStock());
  private final Warehouse.Processor<?> bare = new Warehouse.Processor<>(handler);

  private RequestPath path(Map<String, List<String>> requires) {
    return new RequestPath(Map.of("stock", stock, "bank", bank), requires, System::nanoTime);
  }

  private TMultiplexedProcessor services() {
    TMultiplexedProcessor services = new TMultiplexedProcessor();
    services.registerProcessor("Warehouse", bare);
    services.registerProcessor("Led/ger", new Ledger.Processor<Ledger.Iface>(null));
    return services;
  }

  // ---- what is declared

  @Test
  void listsTheMethodsOfAGeneratedProcessor() {
    // given
    RequestPath path = path(Map.of("place", List.of("stock", "bank")));
    assertThat(path.methods()).extracting(MethodStats::name).containsExactly("unknown");

    // when
    path.wrap(bare);

    // then
    assertThat(path.methods())
        .extracting(MethodStats::name)
        .containsExactly(
            "count", "crash", "note", "noteFailing", "place", "reserve", "touch", "unknown");
    assertThat(path.methods())
        .filteredOn(method -> method.name().equals("place"))
        .singleElement()
        .extracting(MethodStats::requires)
        .isEqualTo(List.of("stock", "bank"));
  }

  @Test
  void namesTheMethodsOfSeveralServicesByServiceInCharactersThatNamesMayHave() {
    RequestPath path = path(Map.of("book", List.of("bank")));

    path.wrap(services());

    assertThat(path.methods())
        .extracting(MethodStats::name)
        .contains("Warehouse.place")
        .anyMatch(name -> name.matches("Led_ger\\.book-[0-9a-f]{8}"))
        .allMatch(name -> name.matches("[A-Za-z0-9_.-]{1,64}"));
    assertThat(path.methods())
        .filteredOn(method -> method.requires().equals(List.of("bank")))
        .extracting(MethodStats::name)
        .singleElement()
        .matches(name -> name.startsWith("Led_ger.book-"));
  }

  @Test
  void showsAMethodOfALongNameUnderItsEndAndAHash() {
    String service = "com.example.warehouse.management.ledger.WarehouseManagementLedgerService";
    TMultiplexedProcessor processor = new TMultiplexedProcessor();
    processor.registerProcessor(service, bare);
    RequestPath path = path(Map.of(service + ".place", List.of("bank")));

    path.wrap(processor);

    assertThat(path.methods())
        .extracting(MethodStats::name)
        .hasSize(8)
        .doesNotHaveDuplicates()
        .allMatch(name -> name.matches("[A-Za-z0-9_.-]{1,64}"));
    assertThat(path.methods())
        .filteredOn(method -> method.requires().equals(List.of("bank")))
        .extracting(MethodStats::name)
        .singleElement()
        .matches(name -> name.contains("WarehouseManagementLedgerService.place-"));
  }

  @Test
  void refusesRequirementsThatCannotBeMeant() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path(Map.of("place", List.of("stok"))))
        .withMessage("requires: place -> stok (expected: a dependency of these: [bank, stock])");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path(Map.of("plaice", List.of("stock"))).wrap(bare))
        .withMessageStartingWith("requires: plaice (expected: a method of these: [count, crash,");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path(Map.of("count", List.of("stock"))).wrap(services()))
        .withMessage("requires: count (expected: one of these: [Led/ger.count, Warehouse.count])");
  }

  @Test
  void refusesProcessorsThatItCannotWrap() {
    RequestPath path = path(Map.of());
    TProcessor wrapped = path.wrap(bare);
    TMultiplexedProcessor aroundWrapped = new TMultiplexedProcessor();
    aroundWrapped.registerProcessor("Warehouse", wrapped);
    TMultiplexedProcessor aroundAsync = new TMultiplexedProcessor();
    aroundAsync.registerProcessor(
        "Warehouse", new Warehouse.AsyncProcessor<Warehouse.AsyncIface>(null));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> path.wrap((TProcessor) null))
        .withMessage("processor: null (expected: a TProcessor)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path.wrap(wrapped))
        .withMessageContaining("wrapped already");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path.wrap(aroundWrapped))
        .withMessageContaining("wrapped already");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path.wrap(aroundAsync))
        .withMessageContaining(
            "AsyncProcessor, which is asynchronous, in a TMultiplexedProcessor, which calls it as a"
                + " synchronous one (expected: synchronous processors within)");
  }

  // ---- processors that do not show their methods

  @ParameterizedTest
  @EnumSource(names = {"BINARY", "COMPACT", "JSON"})
  void shedsDeclaredMethodsOfAProcessorThatDoesNotShowThem(Language language) throws TException {
    // given
    RequestPath path = path(Map.of("reserve", List.of("stock"), "Other.book", List.of("bank")));
    TProcessor processor = path.wrap((in, out) -> bare.process(in, out));
    Breakers.open(stock);
    Breakers.open(bank);

    for (Wire wire : Wire.values()) {
      Pipe pipe = new Pipe(wire, language);
      Warehouse.Client client = new Warehouse.Client(pipe.clientIn, pipe.clientOut);

      // when / then
      client.send_reserve("apple", 1);
      processor.process(pipe.serverIn, pipe.serverOut);
      assertThatThrownBy(client::recv_reserve).hasMessageStartingWith("SHED dependency=stock");

      Ledger.Client ledger =
          new Ledger.Client(
              new TMultiplexedProtocol(pipe.clientIn, "Other"),
              new TMultiplexedProtocol(pipe.clientOut, "Other"));
      ledger.send_book("a", 1);
      processor.process(pipe.serverIn, pipe.serverOut);
      assertThatThrownBy(ledger::recv_book).hasMessageStartingWith("SHED dependency=bank");

      client.send_count(List.of());
      processor.process(pipe.serverIn, pipe.serverOut);
      assertThat(client.recv_count()).isZero();
    }
    assertThat(stats(path, "reserve").sheds()).isEqualTo(3);
    assertThat(stats(path, "Other.book").sheds()).isEqualTo(3);
    assertThat(stats(path, "unknown").successes()).isEqualTo(3);
  }

  @Test
  void passesTuplesOverATransportWithoutFramesUntouched() throws TException {
    // given
    RequestPath path = path(Map.of("count", List.of("stock")));
    TProcessor processor = path.wrap(bare);
    Breakers.open(stock);
    Pipe pipe = new Pipe(Wire.PLAIN, Language.TUPLE);
    Warehouse.Client client = new Warehouse.Client(pipe.clientIn, pipe.clientOut);

    // when
    client.send_count(List.of());
    processor.process(pipe.serverIn, pipe.serverOut);

    // then
    assertThat(client.recv_count()).isZero();
    assertThat(stats(path, "count").requests()).isZero();
  }

  // ---- the shed reply

  @ParameterizedTest
  @EnumSource
  void writesAShedAsLibthriftWouldWriteTheException(Language language) throws TException {
    TMemoryBuffer ours = new TMemoryBuffer(64);
    TMemoryBuffer theirs = new TMemoryBuffer(64);
    TProtocol protocol = language.over(theirs);

    ErrorReply.write(language.over(ours), "place", 77, 11, "SHED");
    protocol.writeMessageBegin(new TMessage("place", TMessageType.EXCEPTION, 77));
    new TApplicationException(11, "SHED").write(protocol);
    protocol.writeMessageEnd();

    assertThat(bytes(ours)).isEqualTo(bytes(theirs));
  }

  @Test
  void shedsAOnewayMethodSentAsACallWithoutReply() throws TException {
    // given
    TProcessor processor = path(Map.of("note", List.of("stock"))).wrap(bare);
    Breakers.open(stock);
    Pipe pipe = new Pipe(Wire.FRAMED, Language.BINARY);

    // when
    sendEmpty(pipe.clientOut, "note", TMessageType.CALL);
    processor.process(pipe.serverIn, pipe.serverOut);

    // then
    assertThat(pipe.toClient.length()).isZero();
    assertThat(handler.notes).isEmpty();
  }

  @Test
  void doesNotShedWhatIsNotARequest() throws TException {
    // given a message that pretends to be a reply
    TProcessor processor = path(Map.of("count", List.of("stock"))).wrap(bare);
    Breakers.open(stock);
    Pipe pipe = new Pipe(Wire.FRAMED, Language.COMPACT);

    // when
    sendEmpty(pipe.clientOut, "count", TMessageType.REPLY);
    processor.process(pipe.serverIn, pipe.serverOut);

    // then
    assertThat(stock.snapshot().refused()).isZero();
    assertThat(pipe.toClient.length()).isPositive();
  }

  @Test
  void countsAShedAsARefusalOfTheBreaker() throws TException {
    // given
    RequestPath path = path(Map.of("reserve", List.of("bank", "stock")));
    TProcessor processor = path.wrap(bare);
    Breakers.open(stock);
    Pipe pipe = new Pipe(Wire.FRAMED, Language.BINARY);

    // when
    new Warehouse.Client(pipe.clientOut).send_reserve("apple", 1);
    processor.process(pipe.serverIn, pipe.serverOut);

    // then
    assertThat(stock.snapshot().refused()).isEqualTo(1);
    assertThat(bank.snapshot().refused()).isZero();
    MethodStats reserve = stats(path, "reserve");
    assertThat(reserve.requests()).isEqualTo(1);
    assertThat(reserve.sheds()).isEqualTo(1);
    assertThat(reserve.inFlight()).isZero();
    assertThat(reserve.latency().count()).isZero();
  }

  // ---- malformed input

  /** TBinaryProtocol.skip() reads such a length as a step back and goes round for ever. */
  @Test
  void endsAShedWithANegativeLengthInItsArguments() throws TException {
    // given arguments with a string of length -7
    TProcessor processor = path(Map.of("crash", List.of("stock"))).wrap(bare);
    Breakers.open(stock);
    for (Wire wire : List.of(Wire.PLAIN, Wire.FRAMED)) {
      Pipe pipe = new Pipe(wire, Language.BINARY);
      pipe.clientOut.writeMessageBegin(new TMessage("crash", TMessageType.CALL, 1));
      pipe.clientOut.writeByte((byte) 11);
      pipe.clientOut.writeI16((short) 1);
      pipe.clientOut.writeI32(-7);
      pipe.clientOut.writeFieldStop();
      pipe.clientOut.getTransport().flush();

      // when
      processor.process(pipe.serverIn, pipe.serverOut);

      // then
      assertThat(pipe.toClient.length()).as(wire.toString()).isPositive();
    }
  }

  @Test
  void doesNotShedAMessageOfAnOldClientThatTheProtocolRefuses() throws TException {
    // given
    TProcessor processor = path(Map.of("count", List.of("stock"))).wrap(bare);
    Breakers.open(stock);
    Pipe pipe = new Pipe(Wire.FRAMED, Language.OLD_BINARY);
    TProtocol strict = new TBinaryProtocol(pipe.serverIn.getTransport(), true, true);

    // when / then
    new Warehouse.Client(pipe.clientOut).send_count(List.of());
    assertThatThrownBy(() -> processor.process(strict, pipe.serverOut))
        .isInstanceOf(TProtocolException.class)
        .hasMessage("Missing version in readMessageBegin, old client?");
    assertThat(pipe.toClient.length()).isZero();
  }

  @Test
  void shedsAJsonMessageWhoseHeaderIsWrittenInAnotherWay() throws TException {
    // given a name with an escape, which is read from the protocol and not in place
    TProcessor processor = path(Map.of("count", List.of("stock"))).wrap(bare);
    Breakers.open(stock);
    Pipe pipe = new Pipe(Wire.FRAMED, Language.JSON);

    // when
    byte[] message = "[1,\"co\\u0075nt\",1,7,{}]".getBytes(StandardCharsets.UTF_8);
    pipe.clientOut.getTransport().write(message);
    pipe.clientOut.getTransport().flush();
    processor.process(pipe.serverIn, pipe.serverOut);

    // then
    TMessage reply = pipe.clientIn.readMessageBegin();
    assertThat(reply.name).isEqualTo("count");
    assertThat(reply.seqid).isEqualTo(7);
    assertThat(TApplicationException.readFrom(pipe.clientIn))
        .hasMessageStartingWith("SHED dependency=stock");
  }

  /** What is at fault may be the header's type or number, its end, or what comes after it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[",
        "[1,\"count\"",
        "[1,\"count\",1,5",
        "[1,\"count\",1,5,",
        "[1,\"count\",1,5,{}]",
        "[1,\"count\",1,-5,{}]",
        "[1,\"count\",1,99999999999,{}]",
        "[1,\"count\",1,9999999999,{}]",
        "[1,\"count\",1,,{}]",
        "[1,\"count\",300,5,{}]",
        "[1,\"count\",4,5,{}]",
        "[1,\"count\",1.5,5,{}]",
        "[2,\"count\",1,5,{}]",
        "[1,\"ap\\u0070le\",1,5,{}]",
        "[1,\"\",1,5,{\"1\":{\"str\":\"a\"}}]",
        "[1,\"count\",1,5,{\"1\":{\"str\":\"a\"}}]",
        "[1,\"count\",1,5,{\"1\":{\"lst\":[\"rec\",9]}}]",
        " [1,\"count\",1,5,{}]"
      })
  void answersAnyJsonLikeTheBareProcessor(String json) throws TException {
    for (Wire wire : List.of(Wire.FRAMED, Wire.FAST_FRAMED)) {
      assertAnswersLikeTheBareProcessor(wire, Language.JSON, json.getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void doesNotShedAMessageOfAnotherVersion() throws TException {
    // given
    TProcessor processor = path(Map.of("count", List.of("stock"))).wrap(bare);
    Breakers.open(stock);
    Pipe pipe = new Pipe(Wire.FRAMED, Language.BINARY);
    TProtocol out = pipe.clientOut;
    out.writeI32(0x80020001);
    out.writeString("count");
    out.writeI32(1);
    out.writeFieldStop();
    out.getTransport().flush();

    // when / then
    assertThatThrownBy(() -> processor.process(pipe.serverIn, pipe.serverOut))
        .isInstanceOf(TProtocolException.class)
        .hasMessage("Bad version in readMessageBegin");
  }

  @ParameterizedTest
  @CsvSource({
    "''",
    "00",
    "8001",
    "80010001",
    "8001000100000005",
    "80010001000000056170706c",
    "80010001fffffff96170706c65",
    "800100017fffffff6170706c65",
    "80020001000000056170706c6500000001",
    "00000005636f756e740100000001",
    "80010001000000056170706c65000000010b0001ffffffff00",
    "8221",
    "822101ffffffffff",
    "8221ffffffffffff0f05",
    "822201056170706c6500",
    "82210105636f756e7400",
    "822101ffffffff0f",
    "00000005636f756e740100000001ff",
    "00000005636f756e740100",
    "00000005636f756e7404000000010f",
    "7fffffff636f756e740100000001"
  })
  void answersAnyFrameLikeTheBareProcessor(String hex) throws TException {
    byte[] frame = new byte[hex.length() / 2];
    for (int i = 0; i < frame.length; i++) {
      frame[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
    }
    for (Language language : Language.values()) {
      for (Wire wire : List.of(Wire.FRAMED, Wire.FAST_FRAMED)) {
        assertAnswersLikeTheBareProcessor(wire, language, frame);
      }
    }
  }

  private void assertAnswersLikeTheBareProcessor(Wire wire, Language language, byte[] frame)
      throws TException {
    Pipe bared = new Pipe(wire, language);
    Pipe wrapped = new Pipe(wire, language);
    TProcessor processor = path(Map.of("count", List.of("stock"))).wrap(bare);

    Throwable expected = send(bared, frame, bare);
    Throwable actual = send(wrapped, frame, processor);

    assertThat(actual == null ? null : actual.getClass())
        .isEqualTo(expected == null ? null : expected.getClass());
    assertThat(bytes(wrapped.toClient)).isEqualTo(bytes(bared.toClient));
    assertThat(wrapped.toServer.length()).isEqualTo(bared.toServer.length());
  }

  @ParameterizedTest
  @EnumSource(names = {"FRAMED", "FAST_FRAMED"})
  void readsAHeaderThatIsSpreadOverTwoFrames(Wire wire) throws TException {
    // given
    RequestPath path = path(Map.of());
    TProcessor processor = path.wrap(bare);
    Pipe recorded = new Pipe(Wire.PLAIN, Language.BINARY);
    new Warehouse.Client(recorded.clientOut).send_count(List.of());
    byte[] message = bytes(recorded.toServer);
    Pipe pipe = new Pipe(wire, Language.BINARY);
    for (byte[] part :
        List.of(Arrays.copyOf(message, 6), Arrays.copyOfRange(message, 6, message.length))) {
      pipe.clientOut.getTransport().write(part);
      pipe.clientOut.getTransport().flush();
    }

    // when
    processor.process(pipe.serverIn, pipe.serverOut);

    // then
    Warehouse.Client client = new Warehouse.Client(pipe.clientIn);
    assertThat(catchThrowable(client::recv_count)).hasMessageContaining("out of sequence");
    assertThat(stats(path, "count").successes()).isEqualTo(1);
  }

  private static byte[] bytes(TMemoryBuffer written) {
    return Arrays.copyOf(written.getArray(), written.length());
  }

  private static Throwable send(Pipe pipe, byte[] frame, TProcessor processor)
      throws TTransportException {
    pipe.clientOut.getTransport().write(frame);
    pipe.clientOut.getTransport().flush();
    return catchThrowable(() -> processor.process(pipe.serverIn, pipe.serverOut));
  }

  private static void sendEmpty(TProtocol out, String method, byte type) throws TException {
    out.writeMessageBegin(new TMessage(method, type, 5));
    out.writeStructBegin(new TStruct("args"));
    out.writeFieldStop();
    out.writeStructEnd();
    out.writeMessageEnd();
    out.getTransport().flush();
  }

  private static MethodStats stats(RequestPath path, String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  /** A client's and a server's end of a connection in memory. */
  private static final class Pipe {
    final TMemoryBuffer toServer = new TMemoryBuffer(256);
    final TMemoryBuffer toClient = new TMemoryBuffer(256);
    final TProtocol clientOut;
    final TProtocol clientIn;
    final TProtocol serverIn;
    final TProtocol serverOut;

    Pipe(Wire wire, Language language) throws TTransportException {
      clientOut = language.over(wire.over(toServer));
      clientIn = language.over(wire.over(toClient));
      serverIn = language.over(wire.over(toServer));
      serverOut = language.over(wire.over(toClient));
    }
  }
}
