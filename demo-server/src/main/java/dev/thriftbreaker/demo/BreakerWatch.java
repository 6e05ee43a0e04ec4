package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.control.BreakerView;
import dev.thriftbreaker.demo.control.Control;
import dev.thriftbreaker.demo.process.Ports;
import java.util.List;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.layered.TFramedTransport;

/** Reads the breakers of a running shop over its control port. Not thread-safe. */
final class BreakerWatch {

  private static final int TIMEOUT_MILLIS = 1000;

  private final int controlPort;
  private TFramedTransport transport;

  BreakerWatch(int controlPort) {
    this.controlPort = controlPort;
  }

  /** The breakers now; empty if the shop does not answer. */
  List<BreakerView> read() {
    try {
      if (transport == null) {
        transport =
            new TFramedTransport(
                new TSocket(
                    Ports.loopback(controlPort).getAddress().getHostAddress(),
                    controlPort,
                    TIMEOUT_MILLIS));
        transport.open();
      }
      return new Control.Client(new TBinaryProtocol(transport)).breakers();
    } catch (TException e) {
      transport.close();
      transport = null;
      return List.of();
    }
  }
}
