package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.breaker.Workers;
import java.util.function.LongSupplier;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TBaseAsyncProcessor;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.AbstractNonblockingServer.AsyncFrameBuffer;

/**
 * An asynchronous processor with the request path around it. As thread-safe as the processor
 * within.
 */
final class InterceptedAsyncProcessor extends InterceptedProcessor implements TAsyncProcessor {

  private final TAsyncProcessor async;

  /**
   * Wraps a processor of both kinds.
   *
   * @param delegate a TAsyncProcessor; servers know processors as TProcessors
   */
  InterceptedAsyncProcessor(
      TProcessor delegate, RouteTable routes, Workers workers, LongSupplier nanoClock) {
    super(delegate, routes, workers, nanoClock);
    async = (TAsyncProcessor) delegate;
  }

  @Override
  public void process(AsyncFrameBuffer frame) throws TException {
    TProtocol in = frame.getInputProtocol();
    RequestContext context = nextRequest();
    TProtocol message = context.header.read(in, routes);
    if (message == null) {
      async.process(frame);
      return;
    }
    Refusal refusal = admit(context);
    if (refusal != null) {
      shed(context, refusal, in, message, frame.getOutputProtocol());
      frame.responseReady();
    } else {
      AsyncRequest request =
          new AsyncRequest(frame, message, context.header, context.startNanos, nanoClock);
      context.handOver(request);
      pass(request);
    }
  }

  private void pass(AsyncRequest request) throws TException {
    RequestContext context = RequestContext.enter(request);
    boolean returned = false;
    try {
      async.process(request);
      returned = true;
    } finally {
      context.exit();
      request.leave(returned);
    }
  }

  /** What a server does that takes this for a synchronous processor. */
  @Override
  public void process(TProtocol in, TProtocol out) throws TException {
    if (async instanceof TBaseAsyncProcessor) {
      // does nothing there: the caller would wait for ever, and the server call in a tight loop
      throw new TException(
          "processor: "
              + async.getClass().getName()
              + ", which is asynchronous (expected: a synchronous one, or a TNonblockingServer,"
              + " THsHaServer or TThreadedSelectorServer to serve it)");
    }
    super.process(in, out);
  }
}
