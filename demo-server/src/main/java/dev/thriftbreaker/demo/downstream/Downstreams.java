package dev.thriftbreaker.demo.downstream;

import dev.thriftbreaker.demo.control.FaultKind;
import dev.thriftbreaker.demo.control.Faults;
import dev.thriftbreaker.demo.process.Child;
import dev.thriftbreaker.demo.process.Ports;
import java.io.File;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.layered.TFramedTransport;

/** The three downstream services, each in a process of its own. */
public final class Downstreams {

  public static final List<String> NAMES = List.of("inventory", "payments", "recommendations");

  private static final int FAULT_TIMEOUT_MILLIS = 5000;

  private final Map<String, Integer> ports = new LinkedHashMap<>();
  private final Map<String, Integer> faultPorts = new LinkedHashMap<>();
  private final Map<String, Long> pids = new LinkedHashMap<>();

  private Downstreams() {}

  /** Starts them side by side and waits until all serve. */
  public static Downstreams start(File log) {
    Map<String, Child> children = new LinkedHashMap<>();
    NAMES.forEach(
        name -> children.put(name, Child.jvm(name, log, DownstreamProcess.class, List.of(name))));
    Downstreams downstreams = new Downstreams();
    children.forEach(
        (name, child) -> {
          String[] said = child.awaitReady(60).split(" ");
          downstreams.ports.put(name, Integer.valueOf(said[0]));
          downstreams.faultPorts.put(name, Integer.valueOf(said[1]));
          downstreams.pids.put(name, child.pid());
        });
    return downstreams;
  }

  public Map<String, Integer> ports() {
    return ports;
  }

  public Map<String, Integer> faultPorts() {
    return faultPorts;
  }

  public long pid(String name) {
    return pids.get(name);
  }

  public void inject(String name, FaultKind kind, double amount) throws TException {
    inject(faultPorts.get(name), kind, amount);
  }

  /** Tells the service behind a port for faults to fail, or to be well again. */
  public static void inject(int faultPort, FaultKind kind, double amount) throws TException {
    try (TFramedTransport transport =
        new TFramedTransport(
            new TSocket(
                Ports.loopback(faultPort).getAddress().getHostAddress(),
                faultPort,
                FAULT_TIMEOUT_MILLIS))) {
      transport.open();
      new Faults.Client(new TBinaryProtocol(transport)).inject(kind, amount);
    }
  }
}
