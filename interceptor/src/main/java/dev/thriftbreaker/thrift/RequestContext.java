package dev.thriftbreaker.thrift;

import java.util.Arrays;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TTupleProtocol;
import org.apache.thrift.transport.TTransportException;

/**
 * The request that a thread is serving. Each thread has one object for each depth of requests
 * served within requests, which its requests use in turn; no other thread ever sees it. Between
 * {@link #enter} and {@link #exit} the guards called on the thread find it; after that it holds
 * nothing of the request.
 */
final class RequestContext {

  /** The failures remembered; a request in which guards saw more knows the newest. */
  private static final int REMEMBERED = 8;

  /** Never null; the outermost one is no request. */
  private static final ThreadLocal<RequestContext> CURRENT =
      ThreadLocal.withInitial(() -> new RequestContext(null));

  final Header header = new Header();
  private final ReplyWatch reply = new ReplyWatch();
  private final RequestContext outer;
  private RequestContext inner;
  private final TTransportException[] guarded = new TTransportException[REMEMBERED];
  private int guardedCount;

  /** The request itself if it is asynchronous; it may outlive its time on this thread. */
  private AsyncRequest async;

  private RequestContext(RequestContext outer) {
    this.outer = outer;
  }

  /** The object for the thread's next request. */
  static RequestContext next() {
    RequestContext current = CURRENT.get();
    if (current.inner == null) {
      current.inner = new RequestContext(current);
    }
    return current.inner;
  }

  /** The asynchronous request that this thread acts for just now, or null. */
  static AsyncRequest currentAsync() {
    return CURRENT.get().async;
  }

  /**
   * Makes an asynchronous request the one that this thread acts for, until {@link #exit}: while its
   * processor runs, and while a callback of a call that was made for it runs.
   */
  static RequestContext enter(AsyncRequest request) {
    RequestContext context = next();
    context.async = request;
    CURRENT.set(context);
    return context;
  }

  /** Remembers that a guard on this thread saw a call fail so, if the thread serves a request. */
  static void noteGuarded(TTransportException failure) {
    RequestContext current = CURRENT.get();
    if (current.async != null) {
      current.async.noteGuarded();
    } else if (current.outer != null) {
      current.guarded[current.guardedCount++ % REMEMBERED] = failure;
    }
  }

  /** Makes this the thread's request; returns the protocol to write its reply to. */
  TProtocol enter(TProtocol out) {
    CURRENT.set(this);
    // generated code casts a protocol of the tuple scheme to its class, so that one stays bare
    return out.getClass() == TTupleProtocol.class ? out : reply.over(out);
  }

  /** Whether a reply was begun that is a TApplicationException. */
  boolean isAnsweredWithException() {
    return reply.isException();
  }

  /** Whether this very failure comes from a guarded call and no reply was begun. */
  boolean isContainable(TTransportException failure) {
    if (reply.isBegun()) {
      return false;
    }
    for (TTransportException one : guarded) {
      if (one == failure) {
        return true;
      }
    }
    return false;
  }

  void exit() {
    CURRENT.set(outer);
    async = null;
    header.clear();
    reply.clear();
    if (guardedCount > 0) {
      Arrays.fill(guarded, null);
      guardedCount = 0;
    }
  }
}
