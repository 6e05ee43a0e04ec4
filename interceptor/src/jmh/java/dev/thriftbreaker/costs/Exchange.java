package dev.thriftbreaker.costs;

import org.apache.thrift.TByteArrayOutputStream;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TIOStreamTransport;
import org.apache.thrift.transport.TMemoryInputTransport;

/** One request served again and again, in memory, on the transports of a nonblocking server. */
final class Exchange {

  private final byte[] request;
  private final TMemoryInputTransport incoming = new TMemoryInputTransport();
  private final TByteArrayOutputStream response = new TByteArrayOutputStream();
  private final TProtocol in;
  private final TProtocol out;
  private final TProcessor processor;

  /**
   * Sets up.
   *
   * @param language {@code binary} or {@code compact}
   */
  Exchange(String language, Message message, TProcessor processor) throws TException {
    TProtocolFactory factory =
        language.equals("binary") ? new TBinaryProtocol.Factory() : new TCompactProtocol.Factory();
    request = message.bytes(factory);
    in = factory.getProtocol(incoming);
    out = factory.getProtocol(new TIOStreamTransport(new TConfiguration(), response));
    this.processor = processor;
  }

  /** What a server does once it has read a frame; returns the length of the reply. */
  int once() throws TException {
    incoming.reset(request);
    response.reset();
    processor.process(in, out);
    return response.len();
  }
}
