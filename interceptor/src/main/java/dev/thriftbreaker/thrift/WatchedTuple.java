package dev.thriftbreaker.thrift;

import java.io.ByteArrayOutputStream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TTupleProtocol;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;

/**
 * A TTupleProtocol that writes to another one's transport, and what there is to be seen of a reply
 * on the way: generated code casts a protocol of the tuple scheme to that class, which is final. A
 * message's second byte holds its type, and a TApplicationException is read again when it is
 * flushed. Can be put onto another transport, so a thread needs one and not one for each request.
 * For writing only; used by one thread.
 */
final class WatchedTuple extends TTransport {

  private static final int PROTOCOL_ID = 0x82;
  private static final int TYPE_SHIFT = 5;
  private static final int TYPE_MASK = 7;

  private final ReplyWatch watch;
  private final TTupleProtocol protocol = new TTupleProtocol(this);
  private TTransport transport;
  private int written;

  /** The reply so far if it is a TApplicationException, or null. */
  private ByteArrayOutputStream exception;

  WatchedTuple(ReplyWatch watch) {
    this.watch = watch;
  }

  TTupleProtocol onto(TTransport target) {
    transport = target;
    return protocol;
  }

  void clear() {
    transport = null;
    written = 0;
    exception = null;
    protocol.reset(); // of a reply that was not written to its end
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws TTransportException {
    int from = offset;
    for (; from < offset + length && written < 2; from++) {
      if (++written == 2) {
        begin(bytes[from]);
      }
    }
    if (exception != null) {
      exception.write(bytes, from, offset + length - from);
    }
    transport.write(bytes, offset, length);
  }

  private void begin(byte versionAndType) {
    byte type = (byte) (versionAndType >> TYPE_SHIFT & TYPE_MASK);
    watch.begin(type);
    if (type == TMessageType.EXCEPTION) {
      exception = new ByteArrayOutputStream();
      exception.write(PROTOCOL_ID);
      exception.write(versionAndType);
    }
  }

  @Override
  public void flush() throws TTransportException {
    if (exception != null) {
      tell(exception.toByteArray());
      exception = null;
    }
    transport.flush();
  }

  private void tell(byte[] bytes) {
    try {
      TCompactProtocol reader = new TCompactProtocol(new TMemoryInputTransport(bytes));
      reader.readMessageBegin();
      TApplicationException said = TApplicationException.readFrom(reader);
      watch.string(said.getMessage());
      watch.number(said.getType());
    } catch (TException e) {
      // another's own kind of exception: one that says nothing
    }
  }

  // what else a transport does

  @Override
  public boolean isOpen() {
    return transport.isOpen();
  }

  @Override
  public void open() throws TTransportException {
    transport.open();
  }

  @Override
  public void close() {
    transport.close();
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws TTransportException {
    return transport.read(bytes, offset, length);
  }

  @Override
  public TConfiguration getConfiguration() {
    return transport.getConfiguration();
  }

  @Override
  public void updateKnownMessageSize(long size) throws TTransportException {
    transport.updateKnownMessageSize(size);
  }

  @Override
  public void checkReadBytesAvailable(long bytes) throws TTransportException {
    transport.checkReadBytesAvailable(bytes);
  }

  @Override
  public void resetMessageSizeAndConsumedBytes(long size) throws TTransportException {
    transport.resetMessageSizeAndConsumedBytes(size);
  }
}
