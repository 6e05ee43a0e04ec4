package dev.thriftbreaker.thrift;

import org.apache.thrift.TException;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolDecorator;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.scheme.IScheme;

/** A protocol whose next message's header was read already and is handed out again. */
final class HeaderReplay extends TProtocolDecorator {

  private final TProtocol protocol;
  private final TMessage header;
  private boolean read;

  HeaderReplay(TProtocol protocol, TMessage header) {
    super(protocol);
    this.protocol = protocol;
    this.header = header;
  }

  @Override
  public TMessage readMessageBegin() {
    return header;
  }

  @Override
  public void readMessageEnd() throws TException {
    super.readMessageEnd();
    read = true;
  }

  /** Whether the message was read to its end. */
  boolean isRead() {
    return read;
  }

  // what TProtocolDecorator does not pass on

  @Override
  @SuppressWarnings("rawtypes") // as inherited
  public Class<? extends IScheme> getScheme() {
    return protocol.getScheme();
  }

  @Override
  public void incrementRecursionDepth() throws TProtocolException {
    protocol.incrementRecursionDepth();
  }

  @Override
  public void decrementRecursionDepth() {
    protocol.decrementRecursionDepth();
  }

  @Override
  public void skip(byte type) throws TException {
    protocol.skip(type);
  }

  @Override
  public void skip(byte type, int maxDepth) throws TException {
    protocol.skip(type, maxDepth);
  }
}
