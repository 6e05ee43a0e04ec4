package dev.thriftbreaker.thrift;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TJSONProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.protocol.TTupleProtocol;
import org.apache.thrift.server.THsHaServer;
import org.apache.thrift.server.TNonblockingServer;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TServer.AbstractServerArgs;
import org.apache.thrift.server.TSimpleServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.server.TThreadedSelectorServer;
import org.apache.thrift.transport.TNonblockingServerSocket;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;
import org.apache.thrift.transport.layered.TFastFramedTransport;
import org.apache.thrift.transport.layered.TFramedTransport;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.provider.Arguments;

/** A real server of libthrift's on a port of its own, and connections to it. */
final class TestServer implements AutoCloseable {

  enum Kind {
    SIMPLE,
    THREAD_POOL,
    NONBLOCKING,
    HSHA,
    THREADED_SELECTOR;

    boolean isNonblocking() {
      return this != SIMPLE && this != THREAD_POOL;
    }
  }

  enum Wire {
    PLAIN(new TTransportFactory()),
    FRAMED(new TFramedTransport.Factory()),
    FAST_FRAMED(new TFastFramedTransport.Factory());

    private final TTransportFactory factory;

    Wire(TTransportFactory factory) {
      this.factory = factory;
    }

    TTransport over(TTransport transport) throws TTransportException {
      return factory.getTransport(transport);
    }
  }

  enum Language {
    BINARY(new TBinaryProtocol.Factory()),
    OLD_BINARY(new TBinaryProtocol.Factory(false, false)),
    COMPACT(new TCompactProtocol.Factory()),
    JSON(new TJSONProtocol.Factory()),
    TUPLE(new TTupleProtocol.Factory());

    final TProtocolFactory factory;

    Language(TProtocolFactory factory) {
      this.factory = factory;
    }

    TProtocol over(TTransport transport) {
      return factory.getProtocol(transport);
    }
  }

  /** Every kind of server with the transports and protocols that it supports. */
  static Stream<Arguments> everywhere() {
    List<Arguments> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (Wire wire : Wire.values()) {
        for (Language language : Language.values()) {
          boolean possible =
              wire != Wire.PLAIN || !kind.isNonblocking() && language != Language.TUPLE;
          if (possible) {
            all.add(arguments(kind, wire, language));
          }
        }
      }
    }
    return all.stream();
  }

  /** Some with which clients of several services can talk. */
  static Stream<Arguments> multiplexed() {
    return Stream.of(
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY),
        arguments(Kind.THREAD_POOL, Wire.PLAIN, Language.JSON),
        arguments(Kind.THREAD_POOL, Wire.FAST_FRAMED, Language.COMPACT),
        arguments(Kind.HSHA, Wire.FRAMED, Language.BINARY),
        arguments(Kind.HSHA, Wire.FRAMED, Language.COMPACT),
        arguments(Kind.HSHA, Wire.FRAMED, Language.JSON));
  }

  private static final int TIMEOUT_MILLIS = 10_000;

  private final Wire wire;
  private final Language language;
  private final TServer server;
  private final Thread thread;
  private final int port;

  TestServer(Kind kind, Wire wire, Language language, TProcessor processor) throws Exception {
    this(kind, wire, language, new TProcessorFactory(processor));
  }

  TestServer(Kind kind, Wire wire, Language language, TProcessorFactory processors)
      throws Exception {
    this.wire = wire;
    this.language = language;
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    if (kind.isNonblocking()) {
      TNonblockingServerSocket socket = new TNonblockingServerSocket(anyPort, TIMEOUT_MILLIS);
      port = socket.getPort();
      server =
          switch (kind) {
            case NONBLOCKING -> {
              TNonblockingServer.Args args =
                  set(new TNonblockingServer.Args(socket), wire, language, processors);
              yield new TNonblockingServer(args);
            }
            case HSHA ->
                new THsHaServer(set(new THsHaServer.Args(socket), wire, language, processors));
            default ->
                new TThreadedSelectorServer(
                    set(new TThreadedSelectorServer.Args(socket), wire, language, processors));
          };
    } else {
      TServerSocket socket = new TServerSocket(anyPort);
      port = socket.getServerSocket().getLocalPort();
      server =
          kind == Kind.SIMPLE
              ? new TSimpleServer(set(new TServer.Args(socket), wire, language, processors))
              : new TThreadPoolServer(
                  set(new TThreadPoolServer.Args(socket), wire, language, processors));
    }
    thread = new Thread(server::serve, "server-" + port);
    thread.setDaemon(true);
    thread.start();
    until(server::isServing);
  }

  private static <T extends AbstractServerArgs<T>> T set(
      T args, Wire wire, Language language, TProcessorFactory processors) {
    return args.processorFactory(processors)
        .protocolFactory(language.factory)
        .transportFactory(wire.factory);
  }

  int port() {
    return port;
  }

  /** A connection whose incoming bytes are recorded. */
  Connection connect() throws TTransportException {
    return new Connection(port, wire, language);
  }

  @Override
  public void close() {
    server.stop();
    until(() -> !thread.isAlive());
  }

  private static void until(Callable<Boolean> condition) {
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(2))
        .atMost(Duration.ofMillis(TIMEOUT_MILLIS))
        .until(condition);
  }

  static final class Connection implements AutoCloseable {
    final Tap tap;
    final TProtocol protocol;

    private Connection(int port, Wire wire, Language language) throws TTransportException {
      tap = new Tap(new TSocket("127.0.0.1", port, TIMEOUT_MILLIS));
      tap.open();
      protocol = language.over(wire.over(tap));
    }

    @Override
    public void close() {
      tap.close();
    }
  }
}
