package dev.thriftbreaker.thrift;

import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.transport.TTransport;

/**
 * Writes what a TBinaryProtocol that writes strictly on the same transport would, and tells a watch
 * of the messages that are begun. Can be put onto another transport, so a thread needs one and not
 * one for each request. For writing only; used by one thread.
 */
final class WatchedBinary extends TBinaryProtocol {

  private final ReplyWatch watch;

  WatchedBinary(ReplyWatch watch) {
    super(null, false, true);
    this.watch = watch;
  }

  WatchedBinary onto(TTransport transport) {
    trans_ = transport;
    return this;
  }

  void clear() {
    trans_ = null;
  }

  @Override
  public void writeMessageBegin(TMessage message) throws TException {
    watch.begin(message.type);
    super.writeMessageBegin(message);
  }
}
