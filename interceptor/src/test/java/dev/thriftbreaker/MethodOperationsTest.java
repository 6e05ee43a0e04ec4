package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.management.MethodMXBean;
import dev.thriftbreaker.management.RequirementView;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import javax.management.JMX;
import javax.management.MBeanFeatureInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TMemoryBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator sees of a method's requirements over JMX, and how he corrects them. */
class MethodOperationsTest {

  private static final MBeanServer MBEANS = ManagementFactory.getPlatformMBeanServer();

  @TempDir Path folder;

  /** A server whose methods all need the stock. */
  private static final class Server implements AutoCloseable {
    final ThriftInterceptor interceptor;
    private final TProcessor processor;

    Server(ThriftInterceptor.Builder builder) {
      interceptor = builder.build();
      Stock.Iface guarded = interceptor.guard("stock", Stock.Iface.class, new Real());
      processor = interceptor.wrap(new Stock.Processor<>(guarded));
    }

    void open() {
      long until = interceptor.breaker("stock").now() + Duration.ofMinutes(5).toNanos();
      interceptor
          .breaker("stock")
          .override(new ModeOverride(Mode.FORCED_OPEN, until, "test", "test", false));
    }

    /** Returns how many were shed at the door. */
    long touch(int requests) throws TException {
      long before = method("touch").getShedCount();
      for (int i = 0; i < requests; i++) {
        TMemoryBuffer request = new TMemoryBuffer(64);
        new Stock.Client(new TBinaryProtocol(request)).send_touch();
        processor.process(new TBinaryProtocol(request), new TBinaryProtocol(new TMemoryBuffer(64)));
      }
      return method("touch").getShedCount() - before;
    }

    static ObjectName name(String method) {
      try {
        return new ObjectName("dev.thriftbreaker:type=Method,server=corrected,name=" + method);
      } catch (MalformedObjectNameException e) {
        throw new AssertionError(e);
      }
    }

    MethodMXBean method(String name) {
      return JMX.newMXBeanProxy(MBEANS, name(name), MethodMXBean.class);
    }

    @Override
    public void close() {
      interceptor.close();
    }
  }

  private static final class Real implements Stock.Iface {
    @Override
    public int reserve(String sku, int quantity) {
      return quantity;
    }

    @Override
    public long ping(long number) {
      return number;
    }

    @Override
    public void touch() {}
  }

  private static ThriftInterceptor.Builder builder() {
    return ThriftInterceptor.builder("corrected").dependency("stock").dependency("mail");
  }

  @Test
  void aLearnedNeedIsShownWithItsEvidenceApartFromADeclaredOne() throws Exception {
    try (Server server = new Server(builder().requires("reserve", "mail"))) {
      server.touch(20);
      server.open();

      assertThat(server.touch(100)).isBetween(80L, 90L);

      MethodMXBean touch = server.method("touch");
      assertThat(touch.getRequires()).containsExactly("stock");
      assertThat(touch.getLearnedRequires()).containsExactly("stock");
      assertThat(touch.getRequirements())
          .extracting(
              RequirementView::getDependency, RequirementView::isNeeded, RequirementView::getSource)
          .containsExactly(tuple("stock", true, "LEARNED"));
      RequirementView evidence = touch.getRequirements()[0];
      assertThat(evidence.getUses()).isEqualTo(evidence.getRequests()).isGreaterThanOrEqualTo(20);
      assertThat(evidence.getFailures()).isEqualTo(evidence.getRefusals()).isBetween(10, 20);
      MethodMXBean reserve = server.method("reserve");
      assertThat(reserve.getRequires()).containsExactly("mail");
      assertThat(reserve.getLearnedRequires()).isEmpty();
      assertThat(reserve.getRequirements())
          .extracting(RequirementView::getSource)
          .containsExactly("DECLARED");
      Object[] open = (Object[]) MBEANS.getAttribute(Server.name("touch"), "Requirements");
      assertThat(((CompositeData) open[0]).getCompositeType().keySet())
          .containsExactlyInAnyOrder(
              "dependency", "needed", "source", "requests", "uses", "refusals", "failures");
    }
  }

  @Test
  void anOperatorsWordChangesWhatIsShedAtOnceAndCanBeTakenBack() throws Exception {
    try (Server server = new Server(builder())) {
      MethodMXBean touch = server.method("touch");
      server.open();

      assertThat(touch.declareNeeded(" stock ", "it hangs without"))
          .isEqualTo("stock: not needed (learned) -> needed (operator)");
      assertThat(server.touch(20)).isEqualTo(20);
      assertThat(touch.declareNotNeeded("stock", "it copes"))
          .isEqualTo("stock: needed (operator) -> not needed (operator)");
      assertThat(server.touch(20)).isZero();
      assertThat(touch.getRequirements()[0].getSource()).isEqualTo("OPERATOR");
      assertThat(touch.learn("stock", "let us see"))
          .isEqualTo("stock: not needed (operator) -> not needed (learned)");
      assertThat(server.touch(100)).isBetween(80L, 90L);
      assertThat(touch.learn("stock", "deployed anew"))
          .isEqualTo("stock: needed (learned) -> not needed (learned)");
      assertThat(touch.getRequires()).isEmpty();
    }
  }

  @Test
  void aDeclaredRequirementComesBackWhenTheOperatorsWordIsTakenBack() throws Exception {
    try (Server server = new Server(builder().requires("touch", "stock"))) {
      MethodMXBean touch = server.method("touch");
      server.open();

      assertThat(touch.declareNotNeeded("stock", "wrongly declared"))
          .isEqualTo("stock: needed (declared) -> not needed (operator)");
      assertThat(server.touch(20)).isZero();
      assertThat(touch.learn("stock", "no, rightly"))
          .isEqualTo("stock: not needed (operator) -> needed (declared)");
      assertThat(server.touch(20)).isEqualTo(20);
    }
  }

  @Test
  void whatChangesNothingIsRefused() throws Exception {
    try (Server server = new Server(builder().requires("touch", "stock"))) {
      MethodMXBean touch = server.method("touch");

      assertThatThrownBy(() -> touch.learn("stock", "why"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("nothing to change: of touch, stock is needed (declared) already");
      touch.declareNeeded("stock", "for good");
      assertThatThrownBy(() -> touch.declareNeeded("stock", "again"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("nothing to change: of touch, stock is needed (operator) already");
      assertThatThrownBy(() -> server.method("unknown").declareNeeded("stock", "why"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("nothing to choose from: unknown has no dependencies");
    }
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "  ", "String", "tab\tin it"})
  void aReasonThatNobodyWroteIsRefusedAndChangesNothing(String reason) throws Exception {
    try (Server server = new Server(builder())) {
      MethodMXBean touch = server.method("touch");

      assertThatThrownBy(() -> touch.declareNeeded("stock", reason))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("reason: ")
          .hasMessageContaining("(expected: why you do this");
      assertThat(touch.getRequires()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"stok, '\"stok\"'", "String, '\"String\"'", ", null"})
  void aDependencyThatThereIsNotIsRefused(String dependency, String shown) throws Exception {
    try (Server server = new Server(builder())) {
      assertThatThrownBy(() -> server.method("touch").declareNeeded(dependency, "why"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("dependency: " + shown + " (expected: one of [mail, stock])");
    }
  }

  @Test
  void everyAttributeOperationAndParameterIsDescribed() throws Exception {
    try (Server server = new Server(builder())) {
      MBeanInfo info = MBEANS.getMBeanInfo(Server.name("touch"));

      assertThat(info.getAttributes()).allSatisfy(MethodOperationsTest::isDescribed);
      assertThat(info.getOperations())
          .extracting(MBeanFeatureInfo::getName)
          .containsExactlyInAnyOrder("declareNeeded", "declareNotNeeded", "learn");
      for (MBeanOperationInfo operation : info.getOperations()) {
        isDescribed(operation);
        assertThat(operation.getImpact()).isEqualTo(MBeanOperationInfo.ACTION);
        assertThat(operation.getSignature()).allSatisfy(MethodOperationsTest::isDescribed);
        assertThat(Arrays.stream(operation.getSignature()).map(MBeanFeatureInfo::getName))
            .containsExactly("dependency", "reason");
      }
      assertThat(server.interceptor.breakers()).hasSize(2);
    }
  }

  private static void isDescribed(MBeanFeatureInfo feature) {
    assertThat(feature.getDescription())
        .as(feature.getName())
        .contains(" ")
        .isNotEqualTo(feature.getName())
        .doesNotContain("Operation exposed")
        .doesNotContain("Attribute exposed");
  }

  // ---- what is set up

  @Test
  void learningCanBeTurnedOffAndAMethodCanBeSaidToNeedNothing() throws Exception {
    for (ThriftInterceptor.Builder builder :
        new ThriftInterceptor.Builder[] {
          builder().learnRequirements(false),
          builder().requiresNothing("touch"),
          file("learnRequirements = false"),
          file("requires.touch =")
        }) {
      try (Server server = new Server(builder)) {
        server.open();

        assertThat(server.touch(100)).isZero();
        assertThat(server.method("touch").getRequirements()).isEmpty();
      }
    }
  }

  private ThriftInterceptor.Builder file(String line) throws IOException {
    return ThriftInterceptor.builder(
        Files.writeString(
            folder.resolve("breakers.properties"),
            "server = corrected\ndependencies = stock, mail\n" + line + "\n"));
  }
}
