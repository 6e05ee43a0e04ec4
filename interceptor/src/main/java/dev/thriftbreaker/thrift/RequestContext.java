package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
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

  /** The outermost one is no request; a thread that never served any has none. */
  private static final ThreadLocal<RequestContext> CURRENT = new ThreadLocal<>();

  final Header header = new Header();
  final Uses uses = new Uses();
  private final ReplyWatch reply = new ReplyWatch();
  private final RequestContext outer;
  private RequestContext inner;
  private final TTransportException[] guarded = new TTransportException[REMEMBERED];
  private int guardedCount;
  private boolean isOutcomeKnown;

  private RequestContext(RequestContext outer) {
    this.outer = outer;
  }

  /** The object for the thread's next request. */
  static RequestContext next() {
    RequestContext current = CURRENT.get();
    if (current == null) {
      current = new RequestContext(null);
      CURRENT.set(current);
    }
    if (current.inner == null) {
      current.inner = new RequestContext(current);
    }
    return current.inner;
  }

  /** Remembers that a guard on this thread saw a call fail so, if the thread serves a request. */
  static void noteGuarded(TTransportException failure) {
    RequestContext current = CURRENT.get();
    if (current != null && current.outer != null) {
      current.guarded[current.guardedCount++ % REMEMBERED] = failure;
    }
  }

  /** Tells the thread's request that a guard was asked for a call, on the way to its outcome. */
  static void noteUse(CircuitBreaker breaker) {
    RequestContext current = CURRENT.get();
    if (current != null) {
      current.uses.use(breaker);
    }
  }

  /** Tells the thread's request that a guard refused a call. */
  static void noteRefusal(CircuitBreaker breaker) {
    RequestContext current = CURRENT.get();
    if (current != null) {
      current.uses.refuse(breaker);
    }
  }

  /** Tells the thread's request that a guard saw a call fail. */
  static void noteFailure(CircuitBreaker breaker) {
    RequestContext current = CURRENT.get();
    if (current != null) {
      current.uses.fail(breaker);
    }
  }

  /** Makes this the thread's request; returns the protocol to write its reply to. */
  TProtocol enter(TProtocol out) {
    CURRENT.set(this);
    // generated code casts a protocol of the tuple scheme to its class, so that one stays bare
    boolean isBare = out.getClass() == TTupleProtocol.class;
    isOutcomeKnown = !isBare && !header.isOneway();
    return isBare ? out : reply.over(out);
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
    if (isOutcomeKnown) {
      // a reply that the caller did not wait for is one nevertheless
      uses.end(reply.isBegun() && !reply.isException());
    } else {
      uses.abandon();
    }
    header.clear();
    reply.clear();
    if (guardedCount > 0) {
      Arrays.fill(guarded, null);
      guardedCount = 0;
    }
  }
}
