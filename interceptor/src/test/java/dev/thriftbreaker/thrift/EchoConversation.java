package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.MatrixServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.gen.Echo;
import dev.thriftbreaker.thrift.gen.Leaf;
import dev.thriftbreaker.thrift.gen.Mix;
import dev.thriftbreaker.thrift.gen.Numeral;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Tree;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TTransportException;

/** What a client says to a server on one connection, and what it heard, to the byte. */
final class EchoConversation {

  /** A line for each request: the answer as the client sees it, and its bytes. */
  final List<String> heard = new ArrayList<>();

  private static final String LOST = "connection lost";

  private final Connection connection;
  private final Language language;
  private final CircuitBreaker dependency;
  private final Echo.Client client;

  /**
   * Begins a conversation.
   *
   * @param dependency the one that is to fail now and then; null for a bare server
   */
  EchoConversation(
      Connection connection, Language language, String service, CircuitBreaker dependency) {
    this.connection = connection;
    this.language = language;
    this.dependency = dependency;
    TProtocol protocol = connection.protocol;
    client =
        new Echo.Client(service == null ? protocol : new TMultiplexedProtocol(protocol, service));
  }

  /** One request of every type, and every way to fail that leaves the connection open. */
  void aboutEverything() throws Exception {
    ask("nothing", () -> done(() -> client.nothing()));
    for (int size : new int[] {0, 1, 127, 128, 4096}) {
      ask("bytes " + size, () -> client.bytes(bytes(size)));
    }
    shed("at first");
    for (String text : List.of("", "Test", "a \"b\" \\ \u00e9 \u4e2d \ud83d\ude00 \u0000")) {
      ask("text", () -> client.text(text));
    }
    ask("flag", () -> client.flag(true));
    ask("flag", () -> client.flag(false));
    ask("small", () -> client.small(Byte.MIN_VALUE));
    ask("medium", () -> client.medium(Short.MAX_VALUE));
    ask("whole", () -> client.whole(-1));
    ask("large", () -> client.large(-34359738368L));
    for (double real : new double[] {5.325098235, -0.0, Double.MIN_VALUE, Double.NaN}) {
      ask("real", () -> client.real(real));
    }
    ask("real", () -> client.real(Double.NEGATIVE_INFINITY));
    ask("id", () -> client.id(UUID.fromString("00112233-4455-6677-8899-aabbccddeeff")));
    ask("leaf", () -> client.leaf(leaf()));
    ask("tree", () -> client.tree(tree(3)));
    ask("numbers", () -> client.numbers(new TreeMap<>(Map.of(0, -10, 1, -9, 4, -6))));
    ask("numbers", () -> client.numbers(Map.of()));
    ask("texts", () -> client.texts(new TreeMap<>(Map.of("a", "123", " x y ", " ", "0", ""))));
    ask("few", () -> client.few(new TreeSet<>(Set.of(-2, -1, 0, 1, 2))));
    ask("many", () -> client.many(List.of(-2, -1, 0, 1, 2)));
    ask("many", () -> client.many(Collections.nCopies(20, Integer.MAX_VALUE)));
    shed("in between");
    ask("numeral", () -> client.numeral(Numeral.EIGHT));
    ask("user", () -> client.user(309858235082523L));
    ask("nested", () -> client.nested(4));
    ask("mixed", () -> client.mixed(mix()));
    ask("several", () -> client.several((byte) 1, 2, 3, Map.of((short) 4, "5"), Numeral.TWO, 6));
    for (String how : List.of("no", "refused", "broken", "runtime", "exception", "protocol")) {
      ask("fail " + how, () -> done(() -> client.fail(how)));
    }
    for (String how : List.of("no", "null", "refused", "broken", "application")) {
      ask("failOrNot " + how, () -> client.failOrNot(how, "text"));
    }
    client.send("hello");
    client.sendFailing("runtime");
    client.sendFailing("exception");
    ask("need", () -> client.need(bytes(9)));
    if (language != Language.TUPLE) { // no server can pass over arguments in tuples
      TProtocol protocol = client.getInputProtocol();
      ask("ping", () -> new Stock.Client(protocol).ping(1));
    }
    shed("at last");
    ask("nothing", () -> done(() -> client.nothing()));
    assertThat(heard).noneMatch(line -> line.contains(LOST));
  }

  /** Several requests under way at once, answered one after the other. */
  void withoutWaiting() throws Exception {
    breakDependency(true);
    connection.tap.pause(true);
    // a client each, as one expects the answer to what it asked last
    Echo.Client[] clients = new Echo.Client[5];
    Arrays.setAll(clients, i -> new Echo.Client(client.getInputProtocol()));
    clients[0].send_text("one");
    clients[1].send_need(bytes(100));
    client.send_sendNeeding("without waiting");
    clients[2].send_many(List.of(1, 2, 3));
    clients[3].send_need(bytes(0));
    client.send_send("goes through");
    clients[4].send_leaf(leaf());
    List<String> answers = new ArrayList<>();
    answers.add(clients[0].recv_text());
    Throwable first = catchThrowable(clients[1]::recv_need);
    answers.add(clients[2].recv_many().toString());
    Throwable second = catchThrowable(clients[3]::recv_need);
    answers.add(clients[4].recv_leaf().toString());
    connection.tap.pause(false);
    breakDependency(false);
    assertThat(answers).containsExactly("one", "[1, 2, 3]", leaf().toString());
    assertShed(first);
    assertShed(second);
    ask("nothing", () -> done(() -> client.nothing()));
  }

  /** Payloads up to a size, sheds among them, and small ones in between. */
  void aboutMuch(int size) throws Exception {
    ask("bytes", () -> client.bytes(bytes(size)));
    ask("text", () -> client.text("a"));
    ask("text", () -> client.text("x".repeat(size / 4)));
    breakDependency(true);
    connection.tap.pause(true);
    assertShed(catchThrowable(() -> client.need(bytes(size))));
    client.sendNeeding("y".repeat(1 + size / 4));
    assertShed(catchThrowable(() -> client.need(bytes(0))));
    connection.tap.pause(false);
    breakDependency(false);
    client.send("z".repeat(size / 4));
    ask("many", () -> client.many(Collections.nCopies(size / 64, 1 << 20)));
    ask("nothing", () -> done(() -> client.nothing()));
    ask("need", () -> client.need(bytes(size)));
    assertThat(heard).noneMatch(line -> line.contains(LOST));
  }

  /** A request too large for the server, and whether the connection survives it. */
  void tooMuch(int size) {
    ask("too much", () -> client.bytes(bytes(size)));
    askWhetherOpen();
  }

  /** A request at whose end a bare server gives up the connection. */
  void endingWith(String how) {
    ask("fail " + how, () -> done(() -> client.fail(how)));
    askWhetherOpen();
  }

  /** A request of a service that the server does not have. */
  void aboutAnotherService() {
    Echo.Client stranger =
        new Echo.Client(new TMultiplexedProtocol(connection.protocol, "Stranger"));
    ask("another service", () -> stranger.text("a"));
    askWhetherOpen();
  }

  /** Requests whose arguments nobody can read; they are not even looked at while they are shed. */
  void unreadably() throws Exception {
    breakDependency(true);
    for (int size : new int[] {0, 1, 70_000}) {
      sendUnreadable("need", TMessageType.CALL, size);
      Throwable thrown = catchThrowable(client::recv_need);
      assertThat(thrown).hasMessageStartingWith("SHED dependency=stock");
      sendUnreadable("sendNeeding", TMessageType.ONEWAY, size);
    }
    assertShed(catchThrowable(() -> client.need(bytes(1))));
    breakDependency(false);
    connection.tap.take();
    ask("text", () -> client.text("a"));
    ask("need", () -> client.need(bytes(9)));
  }

  private void sendUnreadable(String method, byte type, int size) throws TException {
    TProtocol protocol = client.getOutputProtocol();
    protocol.writeMessageBegin(new TMessage(method, type, 0));
    if (language == Language.JSON) {
      protocol.getTransport().write(new byte[] {','}); // ends the header
    }
    byte[] garbage = new byte[size];
    Arrays.fill(garbage, (byte) 0xf5);
    protocol.getTransport().write(garbage);
    protocol.getTransport().flush();
    protocol.reset();
  }

  private void askWhetherOpen() {
    Throwable thrown = catchThrowable(() -> client.nothing());
    assertThat(isLate(thrown)).as("no answer").isFalse();
    heard.add(thrown == null ? "open" : "closed");
  }

  private void shed(String when) throws Exception {
    breakDependency(true);
    Throwable first = catchThrowable(() -> client.need(bytes(5)));
    byte[] reply = connection.tap.take();
    client.sendNeeding(when);
    byte[] replyToOneway = connection.tap.take();
    Throwable second = catchThrowable(() -> client.need(bytes(300)));
    connection.tap.take();
    breakDependency(false);
    assertShed(first);
    assertShed(second);
    assertThat(replyToOneway).isEmpty();
    if (dependency != null) {
      assertThat(new String(reply, StandardCharsets.ISO_8859_1))
          .contains("need", "SHED")
          .doesNotContain(":need");
    }
  }

  private void breakDependency(boolean broken) {
    if (dependency != null && broken) {
      Breakers.open(dependency);
    } else if (dependency != null) {
      Breakers.close(dependency);
    }
  }

  private void assertShed(Throwable thrown) {
    if (dependency == null) {
      assertThat(thrown).isNull();
      return;
    }
    assertThat(thrown)
        .isInstanceOf(TApplicationException.class)
        .message()
        .matches("SHED dependency=stock state=OPEN retryAfterMs=[1-6]\\d{4}");
    assertThat(((TApplicationException) thrown).getType()).isEqualTo(11);
  }

  private void ask(String what, Callable<?> call) {
    Object[] result = new Object[1];
    Throwable thrown = catchThrowable(() -> result[0] = call.call());
    assertThat(isLate(thrown)).as("no answer to " + what).isFalse();
    byte[] bytes = connection.tap.take();
    heard.add(what + ": " + describe(thrown == null ? result[0] : thrown) + " " + describe(bytes));
  }

  /** Whether the client has waited in vain, which nothing is to do to it. */
  private static boolean isLate(Throwable thrown) {
    return thrown instanceof SocketTimeoutException || thrown != null && isLate(thrown.getCause());
  }

  static String describe(Object answer) {
    if (answer instanceof TTransportException) {
      return LOST; // whether a reset or an end is a matter of chance
    }
    if (answer instanceof TApplicationException e) {
      return e.getType() + " " + e.getMessage();
    }
    if (answer instanceof byte[] bytes) {
      return bytes.length <= 200
          ? HexFormat.of().formatHex(bytes)
          : bytes.length + " bytes of hash " + Arrays.hashCode(bytes);
    }
    if (answer instanceof ByteBuffer buffer) {
      return buffer.remaining() + " bytes of hash " + buffer.hashCode();
    }
    String text = String.valueOf(answer);
    return text.length() <= 200 ? text : text.length() + " characters of hash " + text.hashCode();
  }

  private interface Call {
    void make() throws Exception;
  }

  private static String done(Call call) throws Exception {
    call.make();
    return "done";
  }

  private static ByteBuffer bytes(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i * 31);
    }
    return ByteBuffer.wrap(bytes);
  }

  private static Leaf leaf() {
    return new Leaf("Zero", (byte) 1, -3, -5);
  }

  private static Tree tree(int depth) {
    List<Tree> branches = depth == 0 ? List.of() : List.of(tree(depth - 1), tree(0));
    return new Tree((byte) depth, leaf(), 5, branches);
  }

  private static Mix mix() {
    return new Mix(new TreeMap<>(Map.of(Numeral.ONE, 5000L)), List.of(leaf(), leaf()))
        .setId(new UUID(1, 2))
        .setBytes(bytes(17));
  }
}
