package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.function.LongSupplier;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TTupleProtocol;
import org.apache.thrift.transport.TTransportException;

/** A processor with the request path around it. As thread-safe as the processor within. */
final class InterceptedProcessor implements TProcessor {

  private final TProcessor delegate;
  private final RouteTable routes;
  private final LongSupplier nanoClock;

  InterceptedProcessor(TProcessor delegate, RouteTable routes, LongSupplier nanoClock) {
    this.delegate = delegate;
    this.routes = routes;
    this.nanoClock = nanoClock;
  }

  @Override
  public void process(TProtocol in, TProtocol out) throws TException {
    RequestContext request = RequestContext.next();
    if (request.header.peek(in, routes)) {
      process(request, in, in, out);
    } else if (in instanceof TTupleProtocol) {
      // must reach generated code undecorated, so a header once read could not be given back
      delegate.process(in, out);
    } else {
      TMessage header = in.readMessageBegin();
      request.header.take(header, routes);
      process(request, in, new HeaderReplay(in, header), out);
    }
  }

  private void process(RequestContext request, TProtocol in, TProtocol message, TProtocol out)
      throws TException {
    long startNanos = nanoClock.getAsLong();
    Header header = request.header;
    Route route = header.route();
    route.stats.countBegun();
    CircuitBreaker refusing = header.isRequest() ? route.refusing(startNanos) : null;
    if (refusing == null) {
      pass(request, message, out, startNanos);
    } else {
      route.stats.countShed();
      refusing.countRefusal(startNanos);
      shed(header, in, out, BreakerOpenException.message(refusing.refusal(startNanos)));
    }
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
      answerContained(request.header, out);
    } finally {
      request.exit();
      stats.countEnded(succeeded, startNanos, nanoClock.getAsLong());
    }
  }

  /** Whether the message was read to its end, so that the connection can go on to the next. */
  private static boolean isRead(TProtocol in) {
    return in instanceof HeaderReplay replay
        ? replay.isRead()
        : Frame.remaining(in.getTransport()) == 0;
  }

  private static void answerContained(Header header, TProtocol out) throws TException {
    if (!header.isOneway()) {
      ErrorReply.write(
          out,
          header.method(),
          header.seqid(),
          TApplicationException.INTERNAL_ERROR,
          "Internal error processing " + header.method());
    }
  }
}
