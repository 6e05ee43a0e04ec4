package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.LongSupplier;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.AbstractNonblockingServer.AsyncFrameBuffer;
import org.apache.thrift.transport.TTransportException;

/**
 * One request to an asynchronous processor, in place of the connection's frame buffer: the
 * processor reads the message from it, writes the reply to it, and says when that is done.
 *
 * <p>A request that has a reply ends with the first {@link #responseReady} or {@link #close}; what
 * a handler answers after that is dropped, as it would go to the connection's next request. A
 * oneway request ends when the processor returns: generated code says that the response is ready
 * before the handler runs, and nothing afterwards.
 *
 * <p>The processor's thread makes it and hands it over; which thread answers, and when, is up to
 * the handler. It holds all it needs itself, since the frame buffer may be with the connection's
 * next request by then. What two threads may race for are the two bits of {@code past}.
 */
final class AsyncRequest extends AsyncFrameBuffer {

  private static final int ANSWERED = 1;
  private static final int ENDED = 2;

  private static final VarHandle PAST;

  static {
    try {
      PAST = MethodHandles.lookup().findVarHandle(AsyncRequest.class, "past", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final AsyncFrameBuffer frame;
  private final TProtocol message;
  private final String method;
  private final int seqid;
  private final boolean oneway;
  private final MethodStats stats;
  private final long startNanos;
  private final LongSupplier nanoClock;
  private final ReplyWatch reply = new ReplyWatch();

  /** The breaker of the request's own method, or null, and its permit. Set before it is shared. */
  private CircuitBreaker own;

  private long permit;

  /** What it was given at the door, or null. Set before it is shared. */
  private Place places;

  /** What its method learns from, or null. Set before it is shared. */
  private Trail trail;

  /** Whether a guard saw a dependency's transport fail in the course of this request. */
  private volatile boolean failedGuarded;

  /** Written through PAST. */
  @SuppressWarnings("unused")
  private volatile int past;

  /**
   * Takes over a request.
   *
   * @param frame the connection's
   * @param message what to read the message from
   * @param header the message's header, of which a copy is made
   */
  AsyncRequest(
      AsyncFrameBuffer frame,
      TProtocol message,
      Header header,
      long startNanos,
      LongSupplier nanoClock)
      throws TTransportException {
    Nowhere.SERVER.super(Nowhere.TRANSPORT, null, null);
    this.frame = frame;
    this.message = message;
    this.method = header.method();
    this.seqid = header.seqid();
    this.oneway = header.isOneway();
    this.stats = header.route().stats;
    this.startNanos = startNanos;
    this.nanoClock = nanoClock;
  }

  /** Takes over a permit of the breaker of the request's own method. */
  void holds(CircuitBreaker breaker, long acquired) {
    own = breaker;
    permit = acquired;
  }

  /** Takes over what the request was given at the door. */
  void holds(Place given) {
    places = given;
  }

  Place places() {
    return places;
  }

  /** Notes what guards do, unless nobody can tell how the request ends or there is no trail. */
  void leaves(Trail noted) {
    trail = oneway ? null : noted;
  }

  Trail trail() {
    return trail;
  }

  @Override
  public TProtocol getInputProtocol() {
    return message;
  }

  @Override
  public TProtocol getOutputProtocol() {
    if (isPast(ANSWERED)) {
      return new TBinaryProtocol(Nowhere.TRANSPORT);
    }
    return reply.over(frame.getOutputProtocol(), own != null);
  }

  @Override
  public void responseReady() {
    if (isFirst(ANSWERED)) {
      if (!oneway) {
        end(!reply.isException());
      }
      frame.responseReady();
    }
  }

  /**
   * Closes the connection, as generated code does with a TTransportException that a handler gives
   * it. If a guard saw one in this request, and no reply was begun, it is taken for the
   * dependency's and the connection lives on.
   */
  @Override
  public void close() {
    boolean contained = failedGuarded && !reply.isBegun();
    if (oneway) {
      endFailed(contained);
      if (!contained) {
        frame.close();
      } else if (isFirst(ANSWERED)) {
        frame.responseReady();
      }
    } else if (isFirst(ANSWERED)) {
      endFailed(contained);
      if (contained) {
        answerContained();
      } else {
        frame.close();
      }
    }
  }

  private void answerContained() {
    try {
      ErrorReply.writeInternalError(frame.getOutputProtocol(), method, seqid);
    } catch (TException e) {
      frame.close();
      return;
    }
    frame.responseReady();
  }

  @Override
  public boolean isFrameFullyRead() {
    return frame.isFrameFullyRead();
  }

  // what else a frame buffer can do is for the server's selector, which has the connection's own

  /** Remembers that a guard saw a dependency's transport fail. Any thread. */
  void noteGuarded() {
    failedGuarded = true;
  }

  /** The processor returned, or threw, upon which the server closes the connection. */
  void leave(boolean returned) {
    if (!returned) {
      isFirst(ANSWERED);
      endFailed(false);
    } else if (oneway) {
      end(true);
    }
  }

  private void endFailed(boolean contained) {
    if (isFirst(ENDED)) {
      if (contained) {
        stats.countContained();
      }
      ended(false, frame.isFrameFullyRead() ? Outcome.FAILURE : Outcome.IGNORED);
    }
  }

  private void end(boolean succeeded) {
    if (isFirst(ENDED)) {
      ended(succeeded, reply.judge());
    }
  }

  private void ended(boolean succeeded, Outcome outcome) {
    if (own != null) {
      own.complete(permit, outcome, startNanos, null);
    }
    Place.giveBack(places);
    if (trail != null) {
      trail.end(succeeded && reply.isBegun());
    }
    stats.countEnded(succeeded, startNanos, nanoClock.getAsLong());
  }

  private boolean isPast(int bit) {
    return (past & bit) != 0;
  }

  private boolean isFirst(int bit) {
    return ((int) PAST.getAndBitwiseOr(this, bit) & bit) == 0;
  }
}
