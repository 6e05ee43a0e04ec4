package dev.thriftbreaker.demo.downstream;

import dev.thriftbreaker.demo.control.FaultKind;
import dev.thriftbreaker.demo.control.Faults;
import dev.thriftbreaker.demo.process.Child;
import java.io.IOException;
import org.apache.thrift.TApplicationException;

/**
 * The main class of a downstream service's process: one argument, its name. Says {@code ready PORT
 * FAULTS_PORT}.
 */
public final class DownstreamProcess {

  private DownstreamProcess() {}

  public static void main(String[] arguments) throws Exception {
    Child.dieWithParent();
    String name = arguments[0];
    FaultSwitch faults = new FaultSwitch();
    Door service = new Door(name, Services.named(name, faults));
    service.open();
    Faults.Iface inject =
        (kind, amount) -> {
          try {
            faults.set(kind, amount);
            if (kind == FaultKind.DOWN) {
              service.shut();
            } else {
              service.open();
            }
          } catch (IOException | InterruptedException e) {
            throw new TApplicationException(TApplicationException.INTERNAL_ERROR, e.toString());
          }
        };
    Door control = new Door(name + " faults", new Faults.Processor<>(inject));
    control.open();
    System.out.println("ready " + service.port() + " " + control.port());
  }
}
