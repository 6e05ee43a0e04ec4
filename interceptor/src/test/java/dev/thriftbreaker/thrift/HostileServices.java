package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.gen.Ledger;
import dev.thriftbreaker.thrift.gen.Order;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TMemoryBuffer;

/**
 * The services that hostile bytes are thrown at, three times over: bare, wrapped with a healthy
 * dependency, and wrapped with one whose breaker is open, which all methods require. The clock
 * stands still, so what a shed says is known to the byte.
 */
final class HostileServices {

  static final String SHED = "SHED dependency=stock state=OPEN retryAfterMs=60000";

  private static final LongSupplier STILL = () -> 0;

  final TProcessor bare;
  final TProcessor passing;
  final TProcessor shedding;

  /** What the methods are called on the wire, and which of them are oneway. */
  final Set<String> methods;

  final Set<String> oneway;

  private final boolean multiplexed;
  private final CircuitBreaker healthy = breaker();
  private final CircuitBreaker open = breaker();
  private final RequestPath passingPath =
      new RequestPath(Map.of("stock", healthy), Map.of(), STILL);
  private final RequestPath sheddingPath;
  private final List<WarehouseHandler> handlers = new ArrayList<>();

  HostileServices(boolean multiplexed) {
    this.multiplexed = multiplexed;
    bare = services(new ConformanceTest.RealStock());
    TProcessor toPass = services(guarded(healthy));
    passing = passingPath.wrap(toPass);
    TProcessor toShed = services(new ConformanceTest.RealStock());
    List<ServiceMethods.ServiceMethod> found = new ServiceMethods(toShed).found();
    sheddingPath =
        new RequestPath(
            Map.of("stock", open),
            found.stream().collect(Collectors.toMap(m -> m.canonicalName(), m -> List.of("stock"))),
            STILL);
    shedding = sheddingPath.wrap(toShed);
    methods = new TreeSet<>(found.stream().map(m -> m.wireName()).toList());
    oneway = new TreeSet<>(found.stream().filter(m -> m.oneway()).map(m -> m.wireName()).toList());
    Breakers.open(open);
  }

  private static CircuitBreaker breaker() {
    return new CircuitBreaker("stock", BreakerConfig.DEFAULTS, STILL, () -> 0.5, () -> {});
  }

  private static Stock.Iface guarded(CircuitBreaker breaker) {
    return Guard.of(breaker, Stock.Iface.class, new ConformanceTest.RealStock());
  }

  private TProcessor services(Stock.Iface stock) {
    WarehouseHandler handler = new WarehouseHandler(stock);
    handlers.add(handler);
    TProcessor warehouse = new Warehouse.Processor<>(handler);
    if (!multiplexed) {
      return warehouse;
    }
    TMultiplexedProcessor services = new TMultiplexedProcessor();
    services.registerProcessor("Warehouse", warehouse);
    services.registerProcessor(
        "Ledger", new Ledger.Processor<>(new ConformanceTest.LedgerHandler()));
    services.registerDefault(warehouse);
    return services;
  }

  /** One message of each method, and of one that is unknown, as a client of the time sends it. */
  List<byte[]> validMessages(Language language) {
    List<byte[]> messages = new ArrayList<>();
    for (String service : multiplexed ? List.of("Warehouse", "") : List.of("")) {
      messages.add(message(language, service, out -> warehouse(out).send_place(order())));
      messages.add(
          message(language, service, out -> warehouse(out).send_count(order().getItems())));
      messages.add(message(language, service, out -> warehouse(out).send_crash("now")));
      messages.add(message(language, service, out -> warehouse(out).send_reserve("apple", 7)));
      messages.add(message(language, service, out -> warehouse(out).send_touch("apple")));
      messages.add(message(language, service, out -> warehouse(out).send_note("hello")));
      messages.add(message(language, service, out -> warehouse(out).send_noteFailing("crash")));
      if (language != Language.TUPLE) { // no server can pass over arguments in tuples
        messages.add(message(language, service, out -> new Stock.Client(out).send_ping(1)));
      }
    }
    if (multiplexed) {
      messages.add(
          message(language, "Ledger", out -> new Ledger.Client(out).send_book("account", 5)));
    }
    return messages;
  }

  private static Order order() {
    return ConformanceTest.order(3);
  }

  private static Warehouse.Client warehouse(TProtocol out) {
    return new Warehouse.Client(out);
  }

  interface Writing {
    void to(TProtocol out) throws TException;
  }

  static byte[] message(Language language, String service, Writing writing) {
    try {
      TMemoryBuffer buffer = new TMemoryBuffer(256);
      TProtocol out = language.over(buffer);
      writing.to(service.isEmpty() ? out : new TMultiplexedProtocol(out, service));
      return Arrays.copyOf(buffer.getArray(), buffer.length());
    } catch (TException e) {
      throw new AssertionError(e);
    }
  }

  /** Nothing is under way, no permit is out, and nothing is known that was not known before. */
  void assertNothingIsLeft() {
    for (RequestPath path : List.of(passingPath, sheddingPath)) {
      assertThat(path.methods()).hasSize(multiplexed ? 18 : 8);
      for (MethodStats method : path.methods()) {
        assertThat(method.inFlight()).as("requests under way of %s", method.name()).isZero();
      }
    }
    assertThat(healthy.snapshot().inFlight()).isZero();
    assertThat(open.snapshot().inFlight()).isZero();
    assertThat(healthy.snapshot().failures()).isZero();
    handlers.forEach(handler -> handler.notes.clear());
  }

  /** How many requests were shed. */
  long sheds() {
    return sheddingPath.methods().stream().mapToLong(MethodStats::sheds).sum();
  }
}
