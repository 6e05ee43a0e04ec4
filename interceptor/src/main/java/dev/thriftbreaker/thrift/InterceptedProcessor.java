package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.function.LongSupplier;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TTransportException;

/** A processor with the request path around it. As thread-safe as the processor within. */
class InterceptedProcessor implements TProcessor {

  final TProcessor delegate;
  final RouteTable routes;
  final LongSupplier nanoClock;

  InterceptedProcessor(TProcessor delegate, RouteTable routes, LongSupplier nanoClock) {
    this.delegate = delegate;
    this.routes = routes;
    this.nanoClock = nanoClock;
  }

  @Override
  public void process(TProtocol in, TProtocol out) throws TException {
    RequestContext request = RequestContext.next();
    TProtocol message = request.header.read(in, routes);
    if (message == null) {
      delegate.process(in, out);
      return;
    }
    long startNanos = nanoClock.getAsLong();
    if (!isShed(request.header, in, out, startNanos)) {
      pass(request, message, out, startNanos);
    }
  }

  /** Counts a request, and sheds it if a dependency that it cannot do without refuses. */
  static boolean isShed(Header header, TProtocol in, TProtocol out, long startNanos)
      throws TException {
    Route route = header.route();
    route.stats.countBegun();
    CircuitBreaker refusing = header.isRequest() ? route.refusing(startNanos) : null;
    if (refusing == null) {
      return false;
    }
    route.stats.countShed();
    refusing.countRefusal(startNanos);
    shed(header, in, out, BreakerOpenException.message(refusing.refusal(startNanos)));
    return true;
  }

  private static void shed(Header header, TProtocol in, TProtocol out, String why)
      throws TException {
    Frame.discardMessage(in);
    if (!header.isOneway()) {
      ErrorReply.write(out, header.method(), header.seqid(), BreakerOpenException.SHED, why);
    }
  }

  private void pass(RequestContext request, TProtocol in, TProtocol out, long startNanos)
      throws TException {
    MethodStats stats = request.header.route().stats;
    boolean succeeded = false;
    try {
      delegate.process(in, request.enter(out));
      succeeded = !request.isAnsweredWithException();
    } catch (TTransportException failure) {
      if (!isRead(in) || !request.isContainable(failure)) {
        throw failure;
      }
      stats.countContained();
      if (!request.header.isOneway()) {
        ErrorReply.writeInternalError(out, request.header.method(), request.header.seqid());
      }
    } finally {
      request.exit();
      stats.countEnded(succeeded, startNanos, nanoClock.getAsLong());
    }
  }

  /** Whether the message was read to its end, so that the connection can go on to the next. */
  private static boolean isRead(TProtocol in) {
    return in instanceof HeaderReplay replay
        ? replay.isRead()
        : in.getTransport().getBytesRemainingInBuffer() == 0;
  }
}
