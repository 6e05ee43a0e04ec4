package dev.thriftbreaker.thrift;

import dev.thriftbreaker.thrift.TestServer.Language;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.sasl.AuthorizeCallback;
import javax.security.sasl.RealmCallback;
import javax.security.sasl.Sasl;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.server.THsHaServer;
import org.apache.thrift.server.TNonblockingServer;
import org.apache.thrift.server.TSaslNonblockingServer;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TServlet;
import org.apache.thrift.server.TSimpleServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.server.TThreadedSelectorServer;
import org.apache.thrift.transport.THttpClient;
import org.apache.thrift.transport.TNonblockingServerSocket;
import org.apache.thrift.transport.TSSLTransportFactory;
import org.apache.thrift.transport.TSSLTransportFactory.TSSLTransportParameters;
import org.apache.thrift.transport.TSaslClientTransport;
import org.apache.thrift.transport.TSaslServerTransport;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;
import org.apache.thrift.transport.TZlibTransport;
import org.apache.thrift.transport.layered.TFastFramedTransport;
import org.apache.thrift.transport.layered.TFramedTransport;
import org.awaitility.Awaitility;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A real server of any kind that libthrift has, on a port of its own, over any of the transports
 * that it supports.
 */
final class MatrixServer implements AutoCloseable {

  enum Kind {
    SIMPLE,
    THREAD_POOL,
    NONBLOCKING,
    HSHA,
    THREADED_SELECTOR,
    SASL_NONBLOCKING,
    SERVLET;

    /** What the bare server supports. */
    Set<Wire> wires() {
      return switch (this) {
        case SIMPLE, THREAD_POOL -> EnumSet.complementOf(EnumSet.of(Wire.HTTP));
        case NONBLOCKING, HSHA, THREADED_SELECTOR ->
            EnumSet.of(Wire.FRAMED, Wire.FAST_FRAMED, Wire.ZLIB_OVER_FRAMED);
        case SASL_NONBLOCKING -> EnumSet.of(Wire.SASL, Wire.SASL_SIGNED);
        case SERVLET -> EnumSet.of(Wire.HTTP);
      };
    }

    /** Whether the bare server serves asynchronous processors. */
    boolean isAsync() {
      return this == NONBLOCKING || this == HSHA || this == THREADED_SELECTOR;
    }
  }

  /** What a client talks to the server over, from the socket up to the protocol. */
  enum Wire {
    PLAIN(Link.SOCKET, false),
    FRAMED(Link.SOCKET, true, new TFramedTransport.Factory()),
    FAST_FRAMED(Link.SOCKET, true, new TFastFramedTransport.Factory()),
    ZLIB(Link.SOCKET, false, new TZlibTransport.Factory()),
    FRAMED_OVER_ZLIB(
        Link.SOCKET, true, new TZlibTransport.Factory(), new TFramedTransport.Factory()),
    ZLIB_OVER_FRAMED(
        Link.SOCKET, false, new TFramedTransport.Factory(), new TZlibTransport.Factory()),
    TLS(Link.TLS, false),
    TLS_FRAMED(Link.TLS, true, new TFramedTransport.Factory()),
    SASL(Link.SASL, true),
    SASL_SIGNED(Link.SASL_SIGNED, true),
    SASL_FRAMED(Link.SASL, true, new TFramedTransport.Factory()),
    HTTP(Link.HTTP, false);

    private final Link link;
    private final TTransportFactory[] layers;

    /** Whether the server's transport holds a whole message in memory. */
    final boolean holdsMessages;

    Wire(Link link, boolean holdsMessages, TTransportFactory... layers) {
      this.link = link;
      this.holdsMessages = holdsMessages;
      this.layers = layers;
    }

    private TTransport over(TTransport transport) throws TTransportException {
      TTransport over = transport;
      for (TTransportFactory layer : layers) {
        over = layer.getTransport(over);
      }
      return over;
    }

    private TTransportFactory serverFactory(int maxFrame) {
      TTransportFactory sasl = link.isSasl() ? link.saslFactory() : new TTransportFactory();
      return new TTransportFactory() {
        @Override
        public TTransport getTransport(TTransport base) throws TTransportException {
          base.getConfiguration().setMaxFrameSize(maxFrame); // those around it ask it
          return over(sasl.getTransport(base));
        }
      };
    }
  }

  private enum Link {
    SOCKET(""),
    TLS(""),
    SASL("CRAM-MD5"),
    SASL_SIGNED("DIGEST-MD5"),
    HTTP("");

    private final String mechanism;

    Link(String mechanism) {
      this.mechanism = mechanism;
    }

    boolean isSasl() {
      return !mechanism.isEmpty();
    }

    private Map<String, String> properties() {
      return this == SASL_SIGNED
          ? Map.of(Sasl.QOP, "auth-int", "com.sun.security.sasl.digest.realm", "realm")
          : Map.of();
    }

    private TTransportFactory saslFactory() {
      return new TSaslServerTransport.Factory(
          mechanism, "echo", "localhost", properties(), MatrixServer::answer);
    }
  }

  private static final int TIMEOUT_MILLIS = 60_000;

  /** Of a frame where nobody says otherwise; a message may be six times as long. */
  static final int USUAL_MAX_FRAME = TConfiguration.DEFAULT_MAX_FRAME_SIZE;

  private final Kind kind;
  private final Wire wire;
  private final Language language;
  private final int maxFrame;
  private final int port;
  private final Callable<?> stop;
  private final Set<TProtocol> protocols =
      Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

  /** Serves with the processors of a factory, which is asked once if the server knows no such. */
  MatrixServer(Kind kind, Wire wire, Language language, TProcessorFactory processors)
      throws Exception {
    this(kind, wire, language, processors, USUAL_MAX_FRAME);
  }

  /** The same where servers and clients take frames up to a size. */
  MatrixServer(Kind kind, Wire wire, Language language, TProcessorFactory processors, int maxFrame)
      throws Exception {
    this.kind = kind;
    this.wire = wire;
    this.language = language;
    this.maxFrame = maxFrame;
    if (kind == Kind.SERVLET) {
      Server jetty = jetty(processors.getProcessor(null));
      port = ((ServerConnector) jetty.getConnectors()[0]).getLocalPort();
      stop =
          () -> {
            jetty.stop();
            return null;
          };
      return;
    }
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    TServer server;
    switch (kind) {
      case SIMPLE, THREAD_POOL -> {
        TServerSocket socket =
            wire.link == Link.TLS
                ? TSSLTransportFactory.getServerSocket(0, 0, anyPort.getAddress(), Keys.server())
                : new TServerSocket(anyPort);
        port = socket.getServerSocket().getLocalPort();
        server =
            kind == Kind.SIMPLE
                ? new TSimpleServer(set(new TSimpleServer.Args(socket), processors))
                : new TThreadPoolServer(
                    set(new TThreadPoolServer.Args(socket), processors)
                        .stopTimeoutVal(1)
                        .stopTimeoutUnit(TimeUnit.SECONDS));
      }
      case SASL_NONBLOCKING -> {
        TNonblockingServerSocket socket = new TNonblockingServerSocket(anyPort, 0, maxFrame);
        port = socket.getPort();
        TSaslNonblockingServer sasl =
            new TSaslNonblockingServer(
                new TSaslNonblockingServer.Args(socket)
                    .saslProcessorFactory(handler -> processors.getProcessor(null))
                    .protocolFactory(this::protocol)
                    .addSaslMechanism(
                        wire.link.mechanism,
                        "echo",
                        "localhost",
                        wire.link.properties(),
                        MatrixServer::answer));
        sasl.serve();
        stop =
            () -> {
              sasl.stop(); // shutdown() may wait for ever for a request that is under way
              return null;
            };
        return;
      }
      default -> {
        TNonblockingServerSocket socket = new TNonblockingServerSocket(anyPort, 0, maxFrame);
        port = socket.getPort();
        server = nonblocking(kind, socket, processors);
      }
    }
    Thread thread = new Thread(server::serve, "server-" + port);
    thread.setDaemon(true);
    thread.start();
    until(server::isServing);
    stop =
        () -> {
          server.stop();
          until(() -> !thread.isAlive());
          return null;
        };
  }

  private TServer nonblocking(
      Kind kind, TNonblockingServerSocket socket, TProcessorFactory processors) {
    return switch (kind) {
      case NONBLOCKING -> {
        TNonblockingServer.Args args = set(new TNonblockingServer.Args(socket), processors);
        yield new TNonblockingServer(args);
      }
      case HSHA ->
          new THsHaServer(
              set(
                  new THsHaServer.Args(socket).minWorkerThreads(2).maxWorkerThreads(2),
                  processors));
      default ->
          new TThreadedSelectorServer(
              set(new TThreadedSelectorServer.Args(socket).selectorThreads(1), processors));
    };
  }

  private <T extends TServer.AbstractServerArgs<T>> T set(T args, TProcessorFactory processors) {
    return args.processorFactory(processors)
        .protocolFactory(this::protocol)
        .transportFactory(wire.serverFactory(maxFrame));
  }

  private TProtocol protocol(TTransport transport) {
    TProtocol protocol = language.over(transport);
    protocols.add(protocol);
    return protocol;
  }

  private Server jetty(TProcessor processor) throws Exception {
    QueuedThreadPool threads = new QueuedThreadPool(8, 2);
    threads.setDaemon(true);
    Server jetty = new Server(threads);
    ServerConnector connector = new ServerConnector(jetty, 1, 1);
    connector.setHost("127.0.0.1");
    jetty.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler("/");
    TProtocolFactory factory = this::protocol;
    context.addServlet(new ServletHolder(new TServlet(processor, factory)), "/echo");
    jetty.setHandler(context);
    jetty.start();
    return jetty;
  }

  /** Whether this is an object that the server itself made to read or write with. */
  boolean made(TProtocol protocol) {
    return protocols.contains(protocol);
  }

  Connection connect() throws Exception {
    return new Connection();
  }

  @Override
  public void close() {
    try {
      stop.call();
    } catch (Exception e) {
      throw new IllegalStateException(this + " does not stop", e);
    }
  }

  @Override
  public String toString() {
    return kind + " " + wire + " " + language;
  }

  private static void until(Callable<Boolean> condition) {
    Awaitility.await()
        .dontCatchUncaughtExceptions() // a handler's Error ends a worker thread
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(2))
        .atMost(Duration.ofMillis(TIMEOUT_MILLIS))
        .until(condition);
  }

  private static void answer(Callback[] callbacks) {
    for (Callback callback : callbacks) {
      if (callback instanceof NameCallback name) {
        name.setName("user");
      } else if (callback instanceof PasswordCallback password) {
        password.setPassword("password".toCharArray());
      } else if (callback instanceof AuthorizeCallback authorize) {
        authorize.setAuthorized(true);
      } else if (callback instanceof RealmCallback realm) {
        realm.setText("realm");
      }
    }
  }

  /** A connection whose incoming bytes are recorded, decrypted and inflated. */
  final class Connection implements AutoCloseable {
    final Tap tap;
    final TProtocol protocol;

    private Connection() throws Exception {
      TTransport link =
          switch (wire.link) {
            case SOCKET -> new TSocket("127.0.0.1", port, TIMEOUT_MILLIS);
            case TLS ->
                TSSLTransportFactory.getClientSocket(
                    "localhost", port, TIMEOUT_MILLIS, Keys.client());
            case SASL, SASL_SIGNED ->
                new TSaslClientTransport(
                    wire.link.mechanism,
                    "user",
                    "echo",
                    "localhost",
                    wire.link.properties(),
                    (CallbackHandler) MatrixServer::answer,
                    new TSocket("127.0.0.1", port, TIMEOUT_MILLIS));
            case HTTP -> http();
          };
      link.getConfiguration().setMaxFrameSize(maxFrame);
      if (!link.isOpen()) {
        link.open();
      }
      // compressed bytes depend on all that went before, a shed reply too
      boolean compressed = wire.name().startsWith("ZLIB");
      if (compressed) {
        tap = new Tap(wire.over(link));
        protocol = language.over(tap);
      } else if (wire == Wire.FRAMED_OVER_ZLIB) {
        tap = new Tap(new TZlibTransport(link));
        protocol = language.over(new TFramedTransport(tap));
      } else {
        tap = new Tap(link);
        protocol = language.over(wire.over(tap));
      }
    }

    @SuppressWarnings("deprecation") // without HttpClient 5 there is no other way
    private THttpClient http() throws TTransportException {
      THttpClient http = new THttpClient("http://127.0.0.1:" + port + "/echo");
      http.setConnectTimeout(TIMEOUT_MILLIS);
      http.setReadTimeout(TIMEOUT_MILLIS);
      return http;
    }

    @Override
    public void close() {
      tap.close();
    }
  }

  /** A key pair made for the run. */
  private static final class Keys {
    private static final String PASSWORD = "password";
    private static final Path STORE = make();

    static TSSLTransportParameters server() {
      TSSLTransportParameters parameters = new TSSLTransportParameters();
      parameters.setKeyStore(STORE.toString(), PASSWORD);
      return parameters;
    }

    static TSSLTransportParameters client() {
      TSSLTransportParameters parameters = new TSSLTransportParameters();
      parameters.setTrustStore(STORE.toString(), PASSWORD);
      return parameters;
    }

    private static Path make() {
      try {
        Path directory = Files.createTempDirectory("keys");
        directory.toFile().deleteOnExit();
        Path store = directory.resolve("store");
        store.toFile().deleteOnExit();
        Process keytool =
            new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                    "-genkeypair",
                    "-keyalg",
                    "EC",
                    "-alias",
                    "server",
                    "-dname",
                    "CN=localhost",
                    "-ext",
                    "san=dns:localhost,ip:127.0.0.1",
                    "-storepass",
                    PASSWORD,
                    "-storetype",
                    "PKCS12",
                    "-keystore",
                    store.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        directory.resolve("log").toFile().deleteOnExit();
        if (!keytool.waitFor(30, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
          throw new IllegalStateException(Files.readString(directory.resolve("log")));
        }
        return store;
      } catch (IOException e) {
        throw new IllegalStateException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
  }
}
