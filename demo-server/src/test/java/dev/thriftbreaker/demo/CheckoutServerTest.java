package dev.thriftbreaker.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.demo.checkout.CheckoutServer;
import dev.thriftbreaker.demo.checkout.ServerKind;
import dev.thriftbreaker.demo.downstream.Downstreams;
import dev.thriftbreaker.demo.shop.Checkout;
import dev.thriftbreaker.demo.shop.Item;
import dev.thriftbreaker.demo.shop.Order;
import dev.thriftbreaker.demo.shop.OutOfStock;
import dev.thriftbreaker.demo.shop.Receipt;
import java.util.List;
import java.util.stream.Stream;
import org.apache.thrift.TException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class CheckoutServerTest {

  private static Downstreams downstreams;

  @BeforeAll
  static void startDownstreams() {
    downstreams = Downstreams.start(null);
  }

  static Stream<Arguments> everyCombination() {
    return Stream.of(ServerKind.values())
        .flatMap(
            kind ->
                Stream.of(Wire.Transport.values())
                    .filter(t -> kind == ServerKind.THREADPOOL || t == Wire.Transport.FRAMED)
                    .flatMap(
                        transport ->
                            Stream.of(Wire.Protocol.values())
                                .map(p -> Arguments.of(kind, new Wire(transport, p)))));
  }

  @ParameterizedTest
  @MethodSource("everyCombination")
  void everyMethodAnswersOnOneConnection(ServerKind kind, Wire wire) throws Exception {
    // given
    try (CheckoutServer server = CheckoutServer.bind(kind, wire, 0)) {
      server.start(null, "test", downstreams.ports());

      // when, then
      callEveryMethod(wire, server.port());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ServerKind.class,
      names = {"HSHA", "THREADEDSELECTOR"})
  void aNonblockingServerRefusesTheBufferedTransport(ServerKind kind) {
    Wire buffered = new Wire(Wire.Transport.BUFFERED, Wire.Protocol.BINARY);
    assertThatThrownBy(() -> CheckoutServer.bind(kind, buffered, 0))
        .isInstanceOf(BadFlag.class)
        .hasMessageContaining("--transport: buffered (expected: framed");
  }

  static void callEveryMethod(Wire wire, int port) throws TException {
    Checkout.Client client = wire.connect(port, 5000);
    try {
      List<Item> items = List.of(new Item("teapot", 2), new Item("whisk", 1));
      assertThat(client.ping()).isEqualTo("pong");
      long cents = client.quote(items);
      assertThat(cents).isPositive();
      Receipt receipt = client.placeOrder(new Order("o1", "ann", items));
      assertThat(receipt).isEqualTo(new Receipt("o1", cents, "pay-o1"));
      List<Item> unicorn = List.of(new Item("unicorn", 1));
      assertThatThrownBy(() -> client.placeOrder(new Order("o2", "ann", unicorn)))
          .isEqualTo(new OutOfStock("unicorn"));
      client.recordView("ann", "teapot");
      assertThat(client.recommend("ann")).contains("for-ann");
      assertThat(client.ping()).isEqualTo("pong");
    } finally {
      client.getOutputProtocol().getTransport().close();
    }
  }
}
