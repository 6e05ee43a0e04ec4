package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.breaker.Workers;
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
  private final Workers workers;
  private final LongSupplier nanoClock;

  InterceptedProcessor(
      TProcessor delegate, RouteTable routes, Workers workers, LongSupplier nanoClock) {
    this.delegate = delegate;
    this.routes = routes;
    this.workers = workers;
    this.nanoClock = nanoClock;
  }

  @Override
  public void process(TProtocol in, TProtocol out) throws TException {
    RequestContext request = RequestContext.next();
    request.serveWith(workers);
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
    if (refusing != null) {
      Refusal refusal = refusing.refusal(startNanos);
      refusing.countRefusal(refusal);
      shed(request, refusal, in, message, out, startNanos);
    } else if (route.own == null || !header.isRequest()) {
      pass(request, delegate, message, out, startNanos);
    } else {
      long permit = route.own.tryAcquire(startNanos);
      if (permit < 0) {
        Refusal refusal = route.own.refusal(permit, startNanos);
        shed(request, refusal, in, message, out, startNanos);
      } else {
        request.holds(route.own, permit);
        pass(request, delegate, request.watch(message), out, startNanos);
      }
    }
  }

  private void shed(
      RequestContext request,
      Refusal refusal,
      TProtocol in,
      TProtocol message,
      TProtocol out,
      long startNanos)
      throws TException {
    Header header = request.header;
    Route route = header.route();
    ShedReply reply = route.shedReply;
    if (reply.fallback() != null) {
      route.stats.countFallback();
      pass(request, reply.fallback(), message, out, startNanos);
      return;
    }
    route.stats.countShed();
    Frame.discardMessage(in);
    if (!header.isOneway()) {
      reply.write(out, header.method(), header.seqid(), refusal);
    }
  }

  private void pass(
      RequestContext request, TProcessor processor, TProtocol in, TProtocol out, long startNanos)
      throws TException {
    MethodStats stats = request.header.route().stats;
    boolean succeeded = false;
    Throwable escaped = null;
    try {
      processor.process(in, request.enter(out));
      succeeded = !request.isAnsweredWithException();
    } catch (TTransportException failure) {
      escaped = failure;
      if (!RequestContext.isRead(in) || !request.isContainable(failure)) {
        throw failure;
      }
      stats.countContained();
      answerContained(request.header, out);
    } catch (Throwable thrown) {
      escaped = thrown;
      throw thrown;
    } finally {
      long endNanos = nanoClock.getAsLong();
      request.settle(in, escaped, startNanos);
      request.exit();
      stats.countEnded(succeeded, startNanos, endNanos);
    }
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
