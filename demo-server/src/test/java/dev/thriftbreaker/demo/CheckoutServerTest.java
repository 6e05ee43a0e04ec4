package dev.thriftbreaker.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.demo.checkout.CheckoutServer;
import dev.thriftbreaker.demo.checkout.ServerKind;
import dev.thriftbreaker.demo.control.BreakerView;
import dev.thriftbreaker.demo.control.FaultKind;
import dev.thriftbreaker.demo.downstream.Downstreams;
import dev.thriftbreaker.demo.shop.Checkout;
import dev.thriftbreaker.demo.shop.Item;
import dev.thriftbreaker.demo.shop.Order;
import dev.thriftbreaker.demo.shop.OutOfStock;
import dev.thriftbreaker.demo.shop.Receipt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
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

  @Test
  void aHungDependencyIsCutOffFullFirstThenOpenAndRampsUpOnceItIsBack() throws Exception {
    Wire wire = new Wire(Wire.Transport.FRAMED, Wire.Protocol.BINARY);
    Set<String> refusals = ConcurrentHashMap.newKeySet();
    AtomicBoolean closing = new AtomicBoolean();
    List<Thread> customers = new ArrayList<>();
    try (CheckoutServer server = CheckoutServer.bind(ServerKind.THREADPOOL, wire, 0)) {
      server.start(null, "test", downstreams.ports());
      BreakerWatch watch = new BreakerWatch(server.controlPort());

      // when inventory hangs under the calls of many customers
      downstreams.inject("inventory", FaultKind.HANG, 0);
      for (int i = 0; i < 24; i++) {
        Thread customer = new Thread(() -> quoteUntil(closing, wire, server.port(), refusals));
        customer.start();
        customers.add(customer);
      }

      // then
      awaitInventory(watch, "OPEN");
      assertThat(refusals).anyMatch(refusal -> refusal.contains("inventory state=FULL"));
      await().until(() -> refusals.stream().anyMatch(r -> r.contains("inventory state=OPEN")));

      // when it is well again
      downstreams.inject("inventory", FaultKind.NONE, 0);

      // then
      assertThat(awaitInventory(watch, "RAMPING").getReason()).endsWith("probes succeeded");
      await().until(() -> refusals.stream().anyMatch(r -> r.contains("inventory state=RAMPING")));
      assertThat(awaitInventory(watch, "CLOSED").getReason()).isEqualTo("the ramp is over");
    } finally {
      closing.set(true);
      downstreams.inject("inventory", FaultKind.NONE, 0);
      for (Thread customer : customers) {
        customer.join();
      }
    }
  }

  private static BreakerView awaitInventory(BreakerWatch watch, String state) {
    return await(state)
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(20))
        .until(
            () ->
                watch.read().stream()
                    .filter(b -> b.getName().equals("inventory") && b.getState().equals(state))
                    .findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }

  /** A customer; remembers what the refusals say before the time to wait. */
  private static void quoteUntil(AtomicBoolean end, Wire wire, int port, Set<String> refusals) {
    while (!end.get()) {
      try {
        Checkout.Client client = wire.connect(port, 5000);
        try {
          while (!end.get()) {
            try {
              client.quote(List.of(new Item("teapot", 1)));
            } catch (TApplicationException e) {
              refusals.add(String.valueOf(e.getMessage()).replaceFirst(" retryAfterMs=.*", ""));
            }
          }
        } finally {
          client.getOutputProtocol().getTransport().close();
        }
      } catch (TException e) {
        // once more
      }
    }
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
