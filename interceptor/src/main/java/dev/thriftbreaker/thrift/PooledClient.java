package dev.thriftbreaker.thrift;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.Socket;
import java.util.concurrent.Callable;
import java.util.function.Function;
import javax.net.ssl.SSLSocket;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;
import org.apache.thrift.transport.layered.TLayeredTransport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A generated client, its connection, and the deadline of the call that uses it.
 *
 * <p>Belongs to the thread that borrowed it. Only {@link #abort()} is called by another, the
 * keeper's, at most once and only if the deadline passed; after that the connection is never used
 * again.
 */
final class PooledClient extends Deadline {

  private static final Logger log = LoggerFactory.getLogger(PooledClient.class);

  /** How to make what a connection is made of. */
  record Parts(
      Callable<? extends TTransport> transports,
      TTransportFactory layer,
      TProtocolFactory protocols,
      Function<? super TProtocol, ?> clients) {}

  private final Parts parts;
  private final DeadlineKeeper keeper;
  private final byte[] oneByte = new byte[1];
  private volatile TTransport bottom;
  private volatile Socket socket;
  private TTransport top;
  private Object client;
  private long usedNanos;
  private boolean maybeUnanswered;

  PooledClient(Parts parts, DeadlineKeeper keeper) {
    this.parts = parts;
    this.keeper = keeper;
  }

  Object client() {
    return client;
  }

  boolean isOpen() {
    return client != null;
  }

  /** Notes a call that begins. */
  void began(long now, Method method) {
    usedNanos = now;
    maybeUnanswered = method.getReturnType() == void.class;
  }

  /** When the last call began, on the keeper's clock. */
  long usedNanos() {
    return usedNanos;
  }

  /** Whether the last call may have been a oneway one: any other has read its answer. */
  boolean maybeUnanswered() {
    return maybeUnanswered;
  }

  /**
   * Connects.
   *
   * @throws TException if it does not succeed, also because the deadline passed meanwhile
   */
  void open() throws TException {
    TTransport made = make();
    bottom = innermost(made);
    socket = bottom instanceof TSocket ? ((TSocket) bottom).getSocket() : null;
    // the keeper reads what was just written, or this thread reads that the deadline passed
    if (isPassed()) {
      throw new TTransportException(TTransportException.TIMED_OUT);
    }
    top = parts.layer.getTransport(made);
    if (!top.isOpen()) {
      top.open();
    }
    client = parts.clients.apply(parts.protocols.getProtocol(top));
  }

  private TTransport make() throws TException {
    try {
      return parts.transports.call();
    } catch (TException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new TTransportException(TTransportException.NOT_OPEN, e);
    }
  }

  private static TTransport innermost(TTransport transport) {
    TTransport inner = transport;
    while (inner instanceof TLayeredTransport layered) {
      inner = layered.getInnerTransport();
    }
    return inner;
  }

  /**
   * Whether bytes have come that nobody asked for, such as an answer to a oneway call, which
   * libthrift's servers send if they do not know the method. Costs one call of the kernel's.
   */
  boolean hasUnexpectedBytes() {
    try {
      return socket != null && socket.getInputStream().available() > 0;
    } catch (IOException e) {
      return true;
    }
  }

  /**
   * Whether the peer has closed the connection, found out by waiting a millisecond for a byte:
   * there is no other way to ask a socket. Transports that are no sockets are taken for sound.
   */
  boolean isStale() {
    if (socket == null) {
      return false;
    }
    try {
      int timeoutMillis = socket.getSoTimeout();
      socket.setSoTimeout(1);
      try {
        bottom.read(oneByte, 0, 1);
        return true; // a byte that nobody asked for
      } catch (TTransportException e) {
        return e.getType() != TTransportException.TIMED_OUT;
      } finally {
        socket.setSoTimeout(timeoutMillis);
      }
    } catch (IOException e) {
      return true;
    }
  }

  /** Says goodbye to the peer, as TLS does. */
  void close() {
    if (top != null) {
      close(top);
    } else if (bottom != null) {
      close(bottom);
    }
    forget();
  }

  /** Closes at once, without a goodbye that a peer which does not read could hold up. */
  void discard() {
    if (socket != null) {
      reset(socket);
    }
    close();
  }

  private void forget() {
    client = null;
    top = null;
    bottom = null;
    socket = null;
  }

  /** Frees the thread that is in a call, from another one. */
  @Override
  void abort() {
    Socket raw = socket;
    TTransport transport = bottom;
    if (raw != null && !(raw instanceof SSLSocket)) {
      reset(raw);
    } else if (raw != null) {
      keeper.closeElsewhere(() -> reset(raw));
    } else if (transport != null) {
      keeper.closeElsewhere(() -> close(transport));
    }
  }

  /**
   * Closes a socket with a reset. With a linger time of 0 a TLS socket does not wait for a thread
   * that writes before it closes.
   */
  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException closedAlready) {
      log.trace("No linger time set", closedAlready);
    }
    try {
      socket.close();
    } catch (IOException e) {
      log.debug("A connection did not close cleanly", e);
    }
  }

  private static void close(TTransport transport) {
    try {
      transport.close();
    } catch (RuntimeException e) {
      log.debug("A connection did not close cleanly", e);
    }
  }
}
