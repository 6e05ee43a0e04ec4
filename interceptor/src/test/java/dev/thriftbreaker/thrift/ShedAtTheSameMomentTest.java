package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Workers;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.AutoExpandingBufferWriteTransport;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests that are shed on one thread and at one moment: what their replies have in common is made
 * once, and what they have not must not be mixed up.
 */
class ShedAtTheSameMomentTest {

  private static final int TOUCH_TYPE = 40;
  private static final int RESERVE_TYPE = 70_000;
  private static final Call TOUCH = client -> client.send_touch("apple");
  private static final Call COUNT = client -> client.send_count(List.of());
  private static final Call RESERVE = client -> client.send_reserve("apple", 1);

  private final AtomicLong clock = new AtomicLong(1_000_000_000L);
  private final CircuitBreaker stock = breaker("stock");
  private final CircuitBreaker bank = breaker("bank");
  private final RequestPath path = path();
  private final TProcessor server =
      path.wrap(new Warehouse.Processor<>(new WarehouseHandler(new ConformanceTest.RealStock())));
  private final AutoExpandingBufferWriteTransport outgoing = buffer();
  private final AutoExpandingBufferWriteTransport response = buffer();
  private final TMemoryInputTransport incoming = input();
  private TProtocolFactory language;
  private Warehouse.Client client;
  private TProtocol in;
  private TProtocol out;

  private static TMemoryInputTransport input() {
    try {
      return new TMemoryInputTransport();
    } catch (TTransportException e) {
      throw new IllegalStateException(e);
    }
  }

  private static AutoExpandingBufferWriteTransport buffer() {
    try {
      return new AutoExpandingBufferWriteTransport(new TConfiguration(), 256, 0);
    } catch (TTransportException e) {
      throw new IllegalStateException(e);
    }
  }

  private CircuitBreaker breaker(String name) {
    BreakerConfig config = BreakerConfig.builder().earlyProbeInterval(Duration.ZERO).build();
    return new CircuitBreaker(name, config, clock::get, () -> 0.5, () -> {});
  }

  private RequestPath path() {
    ShedReplies replies = new ShedReplies();
    replies.type("touch", TOUCH_TYPE);
    replies.type("reserve", RESERVE_TYPE);
    return new RequestPath(
        Map.of("stock", new Downstream(stock), "bank", new Downstream(bank)),
        Map.of("touch", List.of("stock"), "count", List.of("stock"), "reserve", List.of("bank")),
        false,
        new Workers(null),
        clock::get,
        replies,
        MethodBreakers.NONE);
  }

  private void open(CircuitBreaker breaker, long millis) {
    breaker.apply(
        breaker.snapshot().sequence(),
        BreakerState.OPEN,
        Duration.ofMillis(millis),
        1,
        "test",
        "test");
  }

  private interface Call {
    void send(Warehouse.Client client) throws TException;
  }

  private void speak(String name) {
    language =
        name.equals("binary") ? new TBinaryProtocol.Factory() : new TCompactProtocol.Factory();
    client = new Warehouse.Client(null, language.getProtocol(outgoing));
    in = language.getProtocol(incoming);
    out = language.getProtocol(response);
  }

  /** Serves a request on the same protocol objects as the last one, and reads the reply. */
  private String reply(Call call) throws TException {
    outgoing.reset();
    call.send(client);
    incoming.reset(outgoing.getBuf().array().clone(), 0, outgoing.getLength());
    response.reset();
    server.process(in, out);
    incoming.reset(outgoing.getBuf().array(), 0, outgoing.getLength());
    TMessage asked = language.getProtocol(incoming).readMessageBegin();
    TMemoryInputTransport answer =
        new TMemoryInputTransport(response.getBuf().array(), 0, response.getLength());
    TProtocol read = language.getProtocol(answer);
    TMessage header = read.readMessageBegin();
    assertThat(header.name).isEqualTo(asked.name);
    assertThat(header.seqid).isEqualTo(asked.seqid);
    if (header.type != TMessageType.EXCEPTION) {
      return "served";
    }
    TApplicationException thrown = TApplicationException.readFrom(read);
    assertThat(answer.getBytesRemainingInBuffer()).isZero();
    return thrown.getType() + " " + thrown.getMessage();
  }

  private static String shed(int type, String dependency, String state, long millis) {
    return type + " SHED dependency=" + dependency + " state=" + state + " retryAfterMs=" + millis;
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary", "compact"})
  void eachMethodAndDependencyHasRepliesOfItsOwn(String name) throws TException {
    speak(name);
    open(stock, 5_000);
    open(bank, 5_000);

    for (int i = 0; i < 200; i++) {
      assertThat(reply(TOUCH)).isEqualTo(shed(TOUCH_TYPE, "stock", "OPEN", 5_000));
      assertThat(reply(COUNT)).isEqualTo(shed(BreakerOpenException.SHED, "stock", "OPEN", 5_000));
      assertThat(reply(RESERVE)).isEqualTo(shed(RESERVE_TYPE, "bank", "OPEN", 5_000));
    }
    assertThat(path.methods())
        .filteredOn(method -> List.of("touch", "count", "reserve").contains(method.name()))
        .hasSize(3)
        .allSatisfy(
            method -> {
              assertThat(method.requests()).isEqualTo(200);
              assertThat(method.sheds()).isEqualTo(200);
              assertThat(method.inFlight()).isZero();
            });
    assertThat(stock.snapshot().refused()).isEqualTo(400);
    assertThat(bank.snapshot().refused()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary", "compact"})
  void withoutTicksOneRequestInSixteenLooksAtTheClock(String name) throws TException {
    speak(name);
    open(stock, 5_000);
    for (int i = 0; i < 100; i++) {
      assertThat(reply(TOUCH)).isEqualTo(shed(TOUCH_TYPE, "stock", "OPEN", 5_000));
    }

    clock.addAndGet(Duration.ofMillis(5_000).toNanos());

    int shed = 0;
    while (shed < 16 && !reply(TOUCH).equals("served")) {
      shed++;
    }
    assertThat(shed).isLessThan(16);
    assertThat(stock.snapshot().refused()).isEqualTo(100 + shed);
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary", "compact"})
  void theNextReplyTellsWhatHasChanged(String name) throws TException {
    speak(name);
    open(stock, 5_000);
    assertThat(reply(TOUCH)).isEqualTo(shed(TOUCH_TYPE, "stock", "OPEN", 5_000));

    clock.addAndGet(1_000_000);
    stock.tick();
    assertThat(reply(TOUCH)).isEqualTo(shed(TOUCH_TYPE, "stock", "OPEN", 4_999));

    long until = clock.get() + 4_999_000_000L;
    stock.override(new ModeOverride(Mode.FORCED_OPEN, until, "kim", "test", false));
    assertThat(reply(TOUCH)).isEqualTo(shed(TOUCH_TYPE, "stock", "FORCED_OPEN", 4_999));

    stock.release("kim", "test");
    assertThat(reply(TOUCH)).isEqualTo(shed(TOUCH_TYPE, "stock", "OPEN", 4_999));

    stock.reset("kim", "test");
    assertThat(reply(TOUCH)).isEqualTo("served");

    open(stock, 4_999);
    assertThat(reply(TOUCH)).isEqualTo(shed(TOUCH_TYPE, "stock", "OPEN", 4_999));
  }
}
