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
 * Thread-safe; immutable but for the latest message, which any thread replaces, and which is
 * written only where it tells the very refusal that is to be told.
 */
final class ShedReply {

  static final ShedReply DEFAULT = new ShedReply(BreakerOpenException.SHED, null, null);

  private final int type;
  private final ResultMaker result;
  private final TProcessor fallback;
  private ShedMessage latest;

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
    if (name == null || !bytes.write(out, header.seqid(), message(name, refusal))) {
      String message = BreakerOpenException.message(refusal);
      ErrorReply.write(out, header.method(), header.seqid(), type, message);
    }
  }

  private ShedMessage message(byte[] name, Refusal refusal) {
    ShedMessage message = latest;
    if (message == null || !message.tells(refusal, name)) {
      message = new ShedMessage(name, type, refusal);
      latest = message;
    }
    return message;
  }
}
