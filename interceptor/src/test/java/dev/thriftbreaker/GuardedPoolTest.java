package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.thrift.BreakerOpenException;
import dev.thriftbreaker.thrift.ClientPool;
import dev.thriftbreaker.thrift.NoConnectionException;
import dev.thriftbreaker.thrift.gen.Stock;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.management.ObjectName;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuardedPoolTest {

  @Test
  void aDependencyThatHangsOpensItsBreakerAndIsSeenOverJmx(@TempDir Path folder) throws Exception {
    // given a listener that nobody accepts from: the kernel connects, and nothing ever answers
    Path file = folder.resolve("settings");
    Files.writeString(
        file, "server = hung\ndependencies = stock\ndependency.stock.callTimeout = 50ms\n");
    ThriftInterceptor interceptor = ThriftInterceptor.fromProperties(file);
    try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      ClientPool.Builder<Stock.Client> pool =
          ClientPool.builder(
              Stock.Client::new, () -> new TSocket("127.0.0.1", listener.getLocalPort()));
      Stock.Iface stock = interceptor.guard("stock", Stock.Iface.class, pool);
      Stock.Iface other = interceptor.guard("stock", Stock.Iface.class, pool);

      // when
      for (int i = 0; i < 5; i++) {
        int call = i;
        assertThatThrownBy(() -> (call % 2 == 0 ? stock : other).ping(1))
            .isInstanceOf(TTransportException.class)
            .hasMessage("stock.ping: no answer within 50 ms (callTimeout)");
      }

      // then
      assertThat(interceptor.breaker("stock").snapshot().state()).isEqualTo(BreakerState.OPEN);
      assertThatThrownBy(() -> stock.ping(1)).isInstanceOf(BreakerOpenException.class);
      assertThat(metric("timeouts", "Count")).isEqualTo(5L);
      assertThat(metric("opened", "Count")).isEqualTo(5L);
      assertThat(metric("active", "Value")).isEqualTo(0L);

      // when
      interceptor.close();

      // then
      assertThatThrownBy(() -> other.ping(1))
          .isInstanceOfAny(BreakerOpenException.class, NoConnectionException.class);
      assertThatIllegalStateException()
          .isThrownBy(() -> interceptor.guard("stock", Stock.Iface.class, pool));
      await().until(() -> threads("hung") == 0);
    } finally {
      interceptor.close();
    }
  }

  private static Object metric(String name, String attribute) throws Exception {
    return ManagementFactory.getPlatformMBeanServer()
        .getAttribute(
            new ObjectName("dev.thriftbreaker:type=Metric,server=hung,pool=stock,name=" + name),
            attribute);
  }

  private static long threads(String server) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().endsWith("-" + server))
        .count();
  }
}
