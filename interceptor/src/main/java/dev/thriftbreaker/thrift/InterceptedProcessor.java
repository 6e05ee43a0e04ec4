package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.breaker.Workers;
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
  private final Workers workers;

  InterceptedProcessor(
      TProcessor delegate, RouteTable routes, Workers workers, LongSupplier nanoClock) {
    this.delegate = delegate;
    this.routes = routes;
    this.workers = workers;
    this.nanoClock = nanoClock;
  }

  @Override
  public void process(TProtocol in, TProtocol out) throws TException {
    RequestContext request = nextRequest();
    TProtocol message = request.header.read(in, routes);
    if (message == null) {
      delegate.process(in, out);
      return;
    }
    Refusal refusal = admit(request);
    if (refusal == null) {
      pass(request, delegate, request.watchIfJudged(message), out);
    } else {
      shed(request, refusal, in, message, out);
    }
  }

  final RequestContext nextRequest() {
    RequestContext request = RequestContext.next();
    request.serveWith(workers);
    return request;
  }

  /**
   * Lets a request in and counts it, unless a dependency that it cannot do without refuses, or its
   * method itself. The places that it takes are given back at its end.
   *
   * @return why it is to be shed, or null if it may pass
   */
  final Refusal admit(RequestContext request) {
    Route route = request.header.route();
    boolean asks = request.header.isRequest();
    if (asks && route.shedReply.fallback() == null) {
      Refusal again = route.requirements.refuseAgain();
      if (again != null) {
        return again;
      }
    }
    request.startNanos = nanoClock.getAsLong();
    Refusal refusal = asks ? ask(request, route, request.startNanos) : null;
    if (refusal == null) {
      route.stats.countBegun();
    }
    return refusal;
  }

  private static Refusal ask(RequestContext request, Route route, long startNanos) {
    Need refusing = request.uses.begin(route.requirements, startNanos);
    if (refusing != null) {
      return refusing.dependency.refuseRequest(startNanos);
    }
    if (route.own == null) {
      return null;
    }
    long permit = route.own.tryAcquire(startNanos);
    if (permit < 0) {
      request.uses.abandon();
      return route.own.refusal(permit, startNanos);
    }
    request.holds(route.own, permit);
    return null;
  }

  /** Answers a request that is shed: with the reply that is set for it, or by its fallback. */
  final void shed(
      RequestContext request, Refusal refusal, TProtocol in, TProtocol message, TProtocol out)
      throws TException {
    Header header = request.header;
    Route route = header.route();
    ShedReply reply = route.shedReply;
    if (reply.fallback() != null) {
      route.stats.countBegun();
      route.stats.countFallback();
      pass(request, reply.fallback(), message, out);
      return;
    }
    route.stats.countShed();
    Frame.discardMessage(in);
    if (!header.isOneway()) {
      reply.write(out, header, refusal, request.shedBytes);
    }
  }

  private void pass(RequestContext request, TProcessor processor, TProtocol in, TProtocol out)
      throws TException {
    long startNanos = request.startNanos;
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
      if (!request.header.isOneway()) {
        ErrorReply.writeInternalError(out, request.header.method(), request.header.seqid());
      }
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
}
