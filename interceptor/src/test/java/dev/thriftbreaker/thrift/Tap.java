package dev.thriftbreaker.thrift;

import java.io.ByteArrayOutputStream;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TLayeredTransport;

/** Records what is read through it, unless paused. */
final class Tap extends TLayeredTransport {

  private final ByteArrayOutputStream seen = new ByteArrayOutputStream();
  private boolean paused;

  Tap(TTransport inner) {
    super(inner);
  }

  byte[] seen() {
    return seen.toByteArray();
  }

  /** What was seen since the last time. */
  byte[] take() {
    byte[] taken = seen.toByteArray();
    seen.reset();
    return taken;
  }

  void pause(boolean pause) {
    paused = pause;
  }

  @Override
  public boolean isOpen() {
    return getInnerTransport().isOpen();
  }

  @Override
  public void open() throws TTransportException {
    getInnerTransport().open();
  }

  @Override
  public void close() {
    getInnerTransport().close();
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws TTransportException {
    int got = getInnerTransport().read(buffer, offset, length);
    if (got > 0 && !paused) {
      seen.write(buffer, offset, got);
    }
    return got;
  }

  @Override
  public void write(byte[] buffer, int offset, int length) throws TTransportException {
    getInnerTransport().write(buffer, offset, length);
  }

  @Override
  public void flush() throws TTransportException {
    getInnerTransport().flush();
  }
}
