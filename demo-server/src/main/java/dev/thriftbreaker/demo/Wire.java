package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.process.Ports;
import dev.thriftbreaker.demo.shop.Checkout;
import java.util.Locale;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TJSONProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.TTransportFactory;
import org.apache.thrift.transport.layered.TFramedTransport;

/** How the shop's server and its clients talk. */
public record Wire(Transport transport, Protocol protocol) {

  public enum Transport {
    FRAMED,
    /** Bare: TSocket buffers by itself. */
    BUFFERED
  }

  public enum Protocol {
    BINARY,
    COMPACT,
    JSON
  }

  public static Wire of(Flags flags) {
    return new Wire(
        flags.choice("--transport", Transport.class, Transport.FRAMED),
        flags.choice("--protocol", Protocol.class, Protocol.BINARY));
  }

  public TTransportFactory transportFactory() {
    return transport == Transport.FRAMED ? new TFramedTransport.Factory() : new TTransportFactory();
  }

  public TProtocolFactory protocolFactory() {
    return switch (protocol) {
      case BINARY -> new TBinaryProtocol.Factory();
      case COMPACT -> new TCompactProtocol.Factory();
      case JSON -> new TJSONProtocol.Factory();
    };
  }

  /** Connects a client to a shop on this machine. */
  public Checkout.Client connect(int port, int timeoutMillis) throws TTransportException {
    TSocket socket =
        new TSocket(Ports.loopback(port).getAddress().getHostAddress(), port, timeoutMillis);
    TTransport layered = transportFactory().getTransport(socket);
    layered.open();
    return new Checkout.Client(protocolFactory().getProtocol(layered));
  }

  @Override
  public String toString() {
    return (transport + ", " + protocol).toLowerCase(Locale.ROOT);
  }
}
