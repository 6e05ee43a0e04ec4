package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Deadlines over TLS, with a certificate made here. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClientPoolTlsTest {

  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final Duration TIMEOUT = Duration.ofMillis(500);
  private static final Duration SOON = Duration.ofSeconds(5);

  private static SSLContext serverSide;
  private static SSLContext clientSide;

  private final ClientPools pools = new ClientPools("tls-test");
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final CircuitBreaker breaker =
      Breakers.closed("stock", BreakerConfig.builder().callTimeout(Duration.ofSeconds(20)).build());

  @BeforeAll
  static void makeCertificate(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("server.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "server",
                "-keyalg",
                "EC",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD),
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost")
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes());
    assertThat(keytool.waitFor(60, TimeUnit.SECONDS) && keytool.exitValue() == 0).as(said).isTrue();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, PASSWORD);
    }
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, PASSWORD);
    serverSide = SSLContext.getInstance("TLS");
    serverSide.init(own.getKeyManagers(), null, null);
    KeyStore known = KeyStore.getInstance("PKCS12");
    known.load(null, null);
    known.setCertificateEntry("server", keys.getCertificate("server"));
    TrustManagerFactory trusted =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trusted.init(known);
    clientSide = SSLContext.getInstance("TLS");
    clientSide.init(null, trusted.getTrustManagers(), null);
  }

  @AfterEach
  void close() throws Exception {
    pools.close();
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  private LoopbackServer server(int port, String protocol, LoopbackServer.Behaviour behaviour)
      throws Exception {
    ServerSocket listener =
        serverSide
            .getServerSocketFactory()
            .createServerSocket(port, 50, InetAddress.getByName("localhost"));
    ((SSLServerSocket) listener).setEnabledProtocols(new String[] {protocol});
    LoopbackServer server =
        new LoopbackServer(
            listener,
            socket -> {
              ((SSLSocket) socket).startHandshake();
              behaviour.serve(socket);
            });
    opened.add(server);
    return server;
  }

  private static LoopbackServer.Behaviour healthy() {
    return LoopbackServer.serving(
        new Stock.Processor<>(new LoopbackServer.Answering()), new TTransportFactory());
  }

  private Stock.Iface guarded(Callable<TTransport> transport) {
    return pools.guard(
        new Downstream(breaker),
        Stock.Iface.class,
        ClientPool.builder(Stock.Client::new, transport));
  }

  private static Callable<TTransport> tls(int port) {
    return () -> new TlsSocket("localhost", port, clientSide);
  }

  /** As TSSLTransportFactory makes them. */
  private static Callable<TTransport> connectedTls(int port) {
    return () -> new TSocket(clientSide.getSocketFactory().createSocket("localhost", port));
  }

  @ParameterizedTest
  @CsvSource({"TLSv1.2, false", "TLSv1.2, true", "TLSv1.3, false", "TLSv1.3, true"})
  void aHealthyServerIsCalledOverOneConnection(String protocol, boolean connected)
      throws Exception {
    LoopbackServer server = server(0, protocol, healthy());
    Stock.Iface stock = guarded(connected ? connectedTls(server.port()) : tls(server.port()));

    for (int i = 0; i < 50; i++) {
      assertThat(stock.ping(i)).isEqualTo(i);
    }
    await().pollDelay(Duration.ofMillis(1_100)).until(() -> stock.ping(7) == 7);

    assertThat(server.accepted()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"TLSv1.2, false", "TLSv1.2, true", "TLSv1.3, false", "TLSv1.3, true"})
  void aServerThatNeverAnswersHoldsACallNoLongerThanItsTimeout(String protocol, boolean connected)
      throws Exception {
    LoopbackServer server = server(0, protocol, LoopbackServer.HANG);
    Stock.Iface stock = guarded(connected ? connectedTls(server.port()) : tls(server.port()));

    assertTimesOut(() -> stock.ping(1));
    await().until(() -> server.connections() == 0);
  }

  @ParameterizedTest
  @CsvSource({"TLSv1.2, false", "TLSv1.2, true", "TLSv1.3, false", "TLSv1.3, true"})
  void aServerThatDoesNotReadHoldsACallNoLongerThanItsTimeout(String protocol, boolean connected)
      throws Exception {
    LoopbackServer server = server(0, protocol, LoopbackServer.DEAF);
    Stock.Iface stock = guarded(connected ? connectedTls(server.port()) : tls(server.port()));
    String large = "x".repeat(32_000_000);

    assertTimesOut(() -> stock.reserve(large, 1));
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void aServerThatDoesNotShakeHandsHoldsACallNoLongerThanItsTimeout(boolean connected)
      throws Exception {
    LoopbackServer server = new LoopbackServer(LoopbackServer.HANG);
    opened.add(server);
    Stock.Iface stock = guarded(connected ? connectedTls(server.port()) : tls(server.port()));

    assertTimesOut(() -> stock.ping(1));
    await().until(() -> server.connections() == 0);
  }

  private void assertTimesOut(Callable<?> call) {
    breaker.configure(breaker.config().toBuilder().callTimeout(TIMEOUT).build());
    long start = System.nanoTime();
    assertThat(catchThrowable(call::call))
        .isInstanceOf(TTransportException.class)
        .hasMessageEndingWith(": no answer within 500 ms (callTimeout)");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(TIMEOUT.plus(SOON));
    assertThat(pools.numbers("stock").active() + pools.numbers("stock").idle()).isZero();
  }

  @Test
  void aServerThatWasStartedAgainServesTheNextCallAfterAPause() throws Exception {
    LoopbackServer server = server(0, "TLSv1.3", healthy());
    Stock.Iface stock = guarded(tls(server.port()));
    assertThat(stock.ping(1)).isEqualTo(1);
    server.close();
    server(server.port(), "TLSv1.3", healthy());
    await().pollDelay(Duration.ofMillis(1_100)).until(() -> true);

    assertThat(stock.ping(2)).isEqualTo(2);
  }

  @Test
  void aCertificateOfAnotherHostIsRefused() throws Exception {
    LoopbackServer server = server(0, "TLSv1.3", healthy());
    Stock.Iface stock = guarded(() -> new TlsSocket("127.0.0.1", server.port(), clientSide));

    assertThatThrownBy(() -> stock.ping(1))
        .isInstanceOf(TTransportException.class)
        .hasCauseInstanceOf(SSLException.class);
  }
}
