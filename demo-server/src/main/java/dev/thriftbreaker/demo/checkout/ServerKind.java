package dev.thriftbreaker.demo.checkout;

import dev.thriftbreaker.demo.BadFlag;
import dev.thriftbreaker.demo.CannotRun;
import dev.thriftbreaker.demo.Wire;
import dev.thriftbreaker.demo.process.Ports;
import java.net.BindException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.server.THsHaServer;
import org.apache.thrift.server.TServer;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.server.TThreadedSelectorServer;
import org.apache.thrift.transport.TNonblockingServerSocket;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TServerTransport;
import org.apache.thrift.transport.TTransportException;

/** Which of libthrift's servers serves the shop. */
public enum ServerKind {
  THREADPOOL,
  HSHA,
  THREADEDSELECTOR;

  /** How many requests are worked on at once; for THREADPOOL also how many connections. */
  public static final int WORKERS = 32;

  void check(Wire wire) {
    if (this != THREADPOOL && wire.transport() != Wire.Transport.FRAMED) {
      throw new BadFlag(
          "--transport: buffered (expected: framed, the only transport of a nonblocking server;"
              + " --server threadpool takes both)");
    }
  }

  /** Binds the port, so that a port that is taken is known before anything else is started. */
  TServerTransport bind(int port) {
    try {
      return this == THREADPOOL
          ? new TServerSocket(Ports.loopback(port))
          : new TNonblockingServerSocket(Ports.loopback(port));
    } catch (TTransportException e) {
      throw new CannotRun(
          "--port: "
              + port
              + (e.getCause() instanceof BindException
                  ? " is taken (expected: a free port on 127.0.0.1, or 0 for any)"
                  : " cannot be bound: " + e.getCause()));
    }
  }

  static int port(TServerTransport bound) {
    return bound instanceof TServerSocket blocking
        ? blocking.getServerSocket().getLocalPort()
        : ((TNonblockingServerSocket) bound).getPort();
  }

  TServer serve(TServerTransport bound, TProcessor processor, Wire wire) {
    return switch (this) {
      case THREADPOOL ->
          new TThreadPoolServer(
              new TThreadPoolServer.Args(bound)
                  .processor(processor)
                  .transportFactory(wire.transportFactory())
                  .protocolFactory(wire.protocolFactory())
                  .minWorkerThreads(WORKERS)
                  .maxWorkerThreads(WORKERS));
      case HSHA ->
          new THsHaServer(
              new THsHaServer.Args((TNonblockingServerSocket) bound)
                  .processor(processor)
                  .transportFactory(wire.transportFactory())
                  .protocolFactory(wire.protocolFactory())
                  .minWorkerThreads(WORKERS)
                  .maxWorkerThreads(WORKERS));
      case THREADEDSELECTOR ->
          new TThreadedSelectorServer(
              new TThreadedSelectorServer.Args((TNonblockingServerSocket) bound)
                  .processor(processor)
                  .transportFactory(wire.transportFactory())
                  .protocolFactory(wire.protocolFactory())
                  .selectorThreads(2)
                  .workerThreads(WORKERS));
    };
  }
}
