package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import org.apache.thrift.TBase;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;

/**
 * What the requests of one method come to that are shed: a fallback processor serves them, or they
 * are discarded and answered with an own reply of the service, or with a TApplicationException.
 * Thread-safe; what does not change is immutable, and the latest body is an immutable object that
 * any thread replaces and uses only for the very refusal that it tells.
 */
final class ShedReply {

  static final ShedReply DEFAULT = new ShedReply(BreakerOpenException.SHED, null, null);

  private final int type;
  private final ResultMaker result;
  private final TProcessor fallback;
  private ShedBody body;

  /**
   * @param type of the TApplicationException where nothing else answers
   * @param result makes the reply, or null
   * @param fallback serves the request, or null
   */
  ShedReply(int type, ResultMaker result, TProcessor fallback) {
    this.type = type;
    this.result = result;
    this.fallback = fallback;
  }

  /** What serves the request, which must not be discarded then; null if it is to be discarded. */
  TProcessor fallback() {
    return fallback;
  }

  /** Writes the reply to a request that was discarded. Not for a oneway one. */
  void write(TProtocol out, Header header, Refusal refusal, ShedBytes bytes) throws TException {
    TBase<?, ?> own = result == null ? null : result.make(refusal);
    if (own == null) {
      writeDefault(out, header, refusal, bytes);
      return;
    }
    out.writeMessageBegin(new TMessage(header.method(), TMessageType.REPLY, header.seqid()));
    own.write(out);
    out.writeMessageEnd();
    out.getTransport().flush();
  }

  private void writeDefault(TProtocol out, Header header, Refusal refusal, ShedBytes bytes)
      throws TException {
    byte[] name = header.route().methodBytes;
    if (name == null || !bytes.write(out, name, header.seqid(), body(refusal))) {
      String message = BreakerOpenException.message(refusal);
      ErrorReply.write(out, header.method(), header.seqid(), type, message);
    }
  }

  private ShedBody body(Refusal refusal) {
    ShedBody last = body;
    if (last == null || last.refusal != refusal) {
      last = new ShedBody(type, refusal);
      body = last;
    }
    return last;
  }
}
