package dev.thriftbreaker.thrift;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.server.AbstractNonblockingServer;
import org.apache.thrift.transport.TNonblockingTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;

/**
 * A server that serves nobody and a transport that leads nowhere. libthrift lets a frame buffer be
 * made only for a server and a transport, even one that passes everything on to another. Stateless.
 */
final class Nowhere {

  static final AbstractNonblockingServer SERVER = new Server();
  static final TNonblockingTransport TRANSPORT;

  static {
    try {
      TRANSPORT = new Transport();
    } catch (TTransportException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private Nowhere() {}

  private static final class Settings
      extends AbstractNonblockingServer.AbstractNonblockingServerArgs<Settings> {
    Settings() {
      super(null);
      transportFactory(new TTransportFactory());
      protocolFactory(transport -> null);
    }
  }

  private static final class Server extends AbstractNonblockingServer {
    Server() {
      super(new Settings());
    }

    @Override
    protected boolean startThreads() {
      return false;
    }

    @Override
    protected void waitForShutdown() {}

    @Override
    protected boolean requestInvoke(FrameBuffer frameBuffer) {
      return false;
    }
  }

  /** Takes whatever is written, and has nothing to read. */
  private static final class Transport extends TNonblockingTransport {
    Transport() throws TTransportException {
      super(new TConfiguration());
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void open() {}

    @Override
    public void close() {}

    @Override
    public int read(byte[] buffer, int offset, int length) throws TTransportException {
      throw new TTransportException(TTransportException.END_OF_FILE);
    }

    @Override
    public void write(byte[] buffer, int offset, int length) {}

    @Override
    public boolean startConnect() {
      return true;
    }

    @Override
    public boolean finishConnect() {
      return true;
    }

    @Override
    public SelectionKey registerSelector(Selector selector, int interests) throws IOException {
      throw new IOException("nothing to select");
    }
  }
}
