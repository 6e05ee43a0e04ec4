package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Stock;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.transport.TTransport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProcessorFactoryTest {

  private final CircuitBreaker stock = Breakers.closed("stock");
  private final RequestPath path =
      new RequestPath(
          Map.of("stock", stock), Map.of("reserve", List.of("stock")), System::nanoTime);
  private final AtomicInteger grown = new AtomicInteger();

  static Stream<Arguments> servers() {
    Supplier<TProcessor> fresh = () -> sync();
    TProcessor one = sync();
    Supplier<TProcessor> freshAsync = () -> async();
    TProcessor oneAsync = async();
    return Stream.of(
        Arguments.of(Kind.SIMPLE, false, fresh),
        Arguments.of(Kind.THREAD_POOL, false, fresh),
        Arguments.of(Kind.HSHA, false, fresh),
        Arguments.of(Kind.THREADED_SELECTOR, false, (Supplier<TProcessor>) () -> one),
        Arguments.of(Kind.NONBLOCKING, true, freshAsync),
        Arguments.of(Kind.HSHA, true, (Supplier<TProcessor>) () -> oneAsync),
        Arguments.of(Kind.THREADED_SELECTOR, true, freshAsync));
  }

  @ParameterizedTest
  @MethodSource("servers")
  void wrapsWhatTheFactoryOfAServerGives(Kind kind, boolean async, Supplier<TProcessor> processors)
      throws Exception {
    TProcessorFactory factory = path.wrap(new Factory(async, processors), grown::incrementAndGet);
    try (TestServer server = new TestServer(kind, Wire.FRAMED, Language.BINARY, factory)) {
      for (int i = 0; i < 3; i++) {
        try (Connection connection = server.connect()) {
          Warehouse.Client client = new Warehouse.Client(connection.protocol);
          assertThat(client.reserve("apple", 2)).isEqualTo(2);
          assertThat(client.count(List.of())).isZero();
        }
      }
      Breakers.open(stock);
      try (Connection connection = server.connect()) {
        Warehouse.Client client = new Warehouse.Client(connection.protocol);
        assertThatThrownBy(() -> client.reserve("apple", 2)).hasMessageStartingWith("SHED");
      }
    }
    assertThat(stats("reserve").requests()).isEqualTo(4);
    assertThat(stats("reserve").sheds()).isEqualTo(1);
    assertThat(stats("count").successes()).isEqualTo(3);
    assertThat(grown).hasValue(1);
  }

  @Test
  void wrapsEachProcessorOnceWhileItIsInUse() {
    TProcessor one = sync();
    TProcessorFactory factory = path.wrap(new Factory(false, () -> one), () -> {});

    TProcessor wrapped = factory.getProcessor(null);

    assertThat(factory.getProcessor(null)).isSameAs(wrapped).isNotSameAs(one);
  }

  @Test
  void keepsNoMoreThanTheMethodsOfManyProcessors() {
    TProcessorFactory factory =
        path.wrap(new Factory(true, () -> async()), () -> grown.addAndGet(1));
    Set<RouteTable> tables = new HashSet<>();

    for (int i = 0; i < 1_000; i++) {
      tables.add(((InterceptedProcessor) factory.getProcessor(null)).routes);
    }

    assertThat(tables).hasSize(1);
    assertThat(grown).hasValue(1);
  }

  @Test
  void refusesAtOnceWhatAPlainFactoryHolds() {
    RequestPath strict =
        new RequestPath(
            Map.of("stock", stock), Map.of("other", List.of("stock")), System::nanoTime);
    TProcessorFactory plain = path.wrap(new TProcessorFactory(async()), () -> {});

    assertThat(plain.isAsyncProcessor()).isTrue();
    assertThat(plain.getProcessor(null)).isInstanceOf(TAsyncProcessor.class);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> strict.wrap(new TProcessorFactory(sync()), () -> {}))
        .withMessageStartingWith("requires: other (expected: a method of these:");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path.wrap(plain, () -> {}))
        .withMessageContaining("wrapped already");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> path.wrap(path.wrap(new Factory(false, () -> sync()), () -> {}), () -> {}))
        .withMessageStartingWith("factory: wrapped already");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> path.wrap(null, () -> {}))
        .withMessageStartingWith("factory: null");
  }

  @Test
  void throwsNothingForAProcessorThatItCannotWrap() {
    TMultiplexedProcessor aroundAsync = new TMultiplexedProcessor();
    aroundAsync.registerProcessor("Warehouse", async());
    TProcessor wrapped = path.wrap(sync());

    for (TProcessor odd : new TProcessor[] {aroundAsync, wrapped, null}) {
      assertThat(path.wrap(new Factory(false, () -> odd), () -> {}).getProcessor(null))
          .isSameAs(odd);
    }
  }

  @Test
  void letsAProcessorBeWithoutAMethodThatAnotherOneHas() throws Exception {
    TProcessor stockOnly = new Stock.Processor<>(new ConformanceTest.RealStock());
    TProcessorFactory factory =
        new RequestPath(Map.of("stock", stock), Map.of("count", List.of("stock")), System::nanoTime)
            .wrap(new Factory(false, () -> stockOnly), () -> {});
    Breakers.open(stock);
    try (TestServer server =
            new TestServer(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY, factory);
        Connection connection = server.connect()) {
      assertThat(new Stock.Client(connection.protocol).ping(4)).isEqualTo(4);
    }
  }

  private MethodStats stats(String name) {
    return path.methods().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
  }

  private static TProcessor sync() {
    return new Warehouse.Processor<>(new WarehouseHandler(new ConformanceTest.RealStock()));
  }

  private static TProcessor async() {
    return new Warehouse.AsyncProcessor<>(
        new AsyncWarehouse(new WarehouseHandler(new ConformanceTest.RealStock()), Runnable::run));
  }

  private static final class Factory extends TProcessorFactory {
    private final boolean async;
    private final Supplier<TProcessor> processors;

    Factory(boolean async, Supplier<TProcessor> processors) {
      super(null);
      this.async = async;
      this.processors = processors;
    }

    @Override
    public TProcessor getProcessor(TTransport transport) {
      return processors.get();
    }

    @Override
    public boolean isAsyncProcessor() {
      return async;
    }
  }
}
