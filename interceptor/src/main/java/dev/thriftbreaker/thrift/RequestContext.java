package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.OutcomeRules;
import dev.thriftbreaker.breaker.Workers;
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

  /** The outermost one, which is no request; a thread that never served any has none. */
  private static final ThreadLocal<RequestContext> OUTERMOST = new ThreadLocal<>();

  final Header header = new Header();
  final Uses uses;
  final ShedBytes shedBytes = new ShedBytes();
  private Workers servedWith;
  private final ReplyWatch reply = new ReplyWatch();
  private final ReplyWatch message = new ReplyWatch();
  private final RequestContext outer;
  private final RequestContext outermost;
  private RequestContext inner;

  /** Of the outermost one only: the request that the thread is serving now, else itself. */
  private RequestContext current;

  private final TTransportException[] guarded = new TTransportException[REMEMBERED];
  private int guardedCount;

  /** When the request began, unless it was refused before the clock was read. */
  long startNanos;

  private boolean isOutcomeKnown;

  /** The breaker of the request's own method while its permit is held here, or null. */
  private CircuitBreaker own;

  private long permit;

  /** The request itself if it is asynchronous; it may outlive its time on this thread. */
  private AsyncRequest async;

  private RequestContext(RequestContext outer) {
    this.outer = outer;
    outermost = outer == null ? this : outer.outermost;
    uses = new Uses(outer == null || outer.outer == null ? null : outer.uses);
    current = this;
  }

  /** The request that the thread is serving, or the outermost; null if it never served any. */
  private static RequestContext current() {
    RequestContext outermost = OUTERMOST.get();
    return outermost == null ? null : outermost.current;
  }

  /** The object for the thread's next request. */
  static RequestContext next() {
    RequestContext current = current();
    if (current == null) {
      current = new RequestContext(null);
      OUTERMOST.set(current);
    }
    if (current.inner == null) {
      current.inner = new RequestContext(current);
    }
    return current.inner;
  }

  /** Makes the thread known to the server whose request it is about to serve. */
  void serveWith(Workers workers) {
    if (servedWith != workers) {
      servedWith = workers;
      workers.seen(!ServerThreads.isOfAFixedPool());
    }
  }

  /** The asynchronous request that this thread acts for just now, or null. */
  static AsyncRequest currentAsync() {
    RequestContext current = current();
    return current == null ? null : current.async;
  }

  /**
   * Makes an asynchronous request the one that this thread acts for, until {@link #exit}: while its
   * processor runs, and while a callback of a call that was made for it runs.
   */
  static RequestContext enter(AsyncRequest request) {
    RequestContext context = next();
    context.async = request;
    context.isOutcomeKnown = false;
    context.uses.follow(request.trail(), request.places());
    context.outermost.current = context;
    return context;
  }

  /** Remembers that a guard on this thread saw a call fail so, if the thread serves a request. */
  static void noteGuarded(TTransportException failure) {
    RequestContext current = current();
    if (current == null) {
      return;
    }
    if (current.async != null) {
      current.async.noteGuarded();
    } else if (current.outer != null) {
      current.guarded[current.guardedCount++ % REMEMBERED] = failure;
    }
  }

  /** Tells the thread's request that a guard was asked for a call, on the way to its outcome. */
  static void noteUse(CircuitBreaker breaker) {
    RequestContext current = current();
    if (current != null) {
      current.uses.use(breaker);
    }
  }

  /**
   * Tells the thread's request the same of a call that is about to begin, and takes the place that
   * the request may have for it.
   */
  static long usePlace(CircuitBreaker breaker) {
    RequestContext current = current();
    if (current == null) {
      return CircuitBreaker.NO_PLACE_NEEDED;
    }
    current.uses.use(breaker);
    return current.uses.takePlace(breaker);
  }

  /** Tells the thread's request that a guard refused a call. */
  static void noteRefusal(CircuitBreaker breaker) {
    RequestContext current = current();
    if (current != null) {
      current.uses.refuse(breaker);
    }
  }

  /** Tells the thread's request that a guard saw a call fail. */
  static void noteFailure(CircuitBreaker breaker) {
    RequestContext current = current();
    if (current != null) {
      current.uses.fail(breaker);
    }
  }

  /** Makes this the thread's request; returns the protocol to write its reply to. */
  TProtocol enter(TProtocol out) {
    outermost.current = this;
    isOutcomeKnown = !header.isOneway();
    return reply.over(out, own != null);
  }

  /**
   * The protocol to read the message from so that {@link #isRead} can tell to the byte, where the
   * method itself is judged by it: there the fields of the arguments pay a hop.
   */
  TProtocol watchIfJudged(TProtocol in) {
    boolean bare =
        own == null || in instanceof HeaderReplay || in.getClass() == TTupleProtocol.class;
    return bare ? in : message.over(in);
  }

  /** Whether the message was read to its end, so that the connection can go on to the next. */
  static boolean isRead(TProtocol in) {
    if (in instanceof HeaderReplay replay) {
      return replay.isRead();
    }
    return in instanceof WatchedProtocol watched
        ? watched.isRead()
        : Frame.remaining(in.getTransport()) == 0;
  }

  /** Takes over a permit of the breaker of the request's own method. */
  void holds(CircuitBreaker breaker, long acquired) {
    own = breaker;
    permit = acquired;
  }

  /** Hands on the permit, if one is held, the places, and what is to be learned from. */
  void handOver(AsyncRequest request) {
    request.holds(uses.handOverPlaces());
    request.leaves(uses.handOver());
    if (own != null) {
      request.holds(own, permit);
      own = null;
    }
  }

  /**
   * Gives the permit back, if one is held, with how the request ended.
   *
   * @param in where the message was read from
   * @param escaped what left the processor, or null
   */
  void settle(TProtocol in, Throwable escaped, long startNanos) {
    if (own != null) {
      CircuitBreaker breaker = own;
      own = null;
      Outcome outcome = outcome(in, escaped, breaker.config().outcomes());
      breaker.complete(permit, outcome, startNanos, escaped);
    }
  }

  /** What is the caller's doing says nothing of the method, nor does that somebody else shed. */
  private Outcome outcome(TProtocol in, Throwable escaped, OutcomeRules rules) {
    if (escaped == null) {
      return reply.judge();
    }
    boolean callerIsGone = reply.isBegun() && escaped instanceof TTransportException;
    if (callerIsGone || !isRead(in)) {
      return Outcome.IGNORED;
    }
    return rules.judgeError(
        escaped,
        thrown -> thrown instanceof BreakerOpenException ? Outcome.IGNORED : Outcome.FAILURE);
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
    outermost.current = outer;
    async = null;
    if (isOutcomeKnown) {
      // a reply that the caller did not wait for is one nevertheless
      uses.end(reply.isBegun() && !reply.isException());
    } else {
      uses.abandon();
    }
    header.clear();
    reply.clear();
    message.clear();
    if (guardedCount > 0) {
      Arrays.fill(guarded, null);
      guardedCount = 0;
    }
  }
}
