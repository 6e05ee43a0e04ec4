package dev.thriftbreaker.thrift;

import org.apache.thrift.TException;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.transport.TTransport;

/**
 * Writes what a TCompactProtocol on the same transport would, and tells a watch of the messages
 * that are begun. Can be put onto another transport, so a thread needs one and not one for each
 * request. For writing only; used by one thread.
 */
final class WatchedCompact extends TCompactProtocol {

  private final ReplyWatch watch;

  WatchedCompact(ReplyWatch watch) {
    super(null);
    this.watch = watch;
  }

  WatchedCompact onto(TTransport transport) {
    trans_ = transport;
    return this;
  }

  void clear() {
    trans_ = null;
    reset(); // if a reply was not written to its end
  }

  @Override
  public void writeMessageBegin(TMessage message) throws TException {
    watch.begin(message.type);
    super.writeMessageBegin(message);
  }
}
