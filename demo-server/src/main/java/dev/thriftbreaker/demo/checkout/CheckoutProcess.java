package dev.thriftbreaker.demo.checkout;

import dev.thriftbreaker.demo.Flags;
import dev.thriftbreaker.demo.Wire;
import dev.thriftbreaker.demo.process.Child;
import java.util.List;
import java.util.Map;

/**
 * The main class of a shop in a process of its own, which the story can kill and start again. Says
 * {@code ready CONTROL_PORT}.
 */
public final class CheckoutProcess {

  private CheckoutProcess() {}

  public static void main(String[] arguments) throws Exception {
    Child.dieWithParent();
    Flags flags =
        new Flags(
            List.of(arguments),
            "--port",
            "--redis",
            "--namespace",
            "--inventory",
            "--payments",
            "--recommendations");
    CheckoutServer server =
        CheckoutServer.bind(
            ServerKind.THREADPOOL, Wire.of(flags), flags.number("--port", 0, 0, 65535));
    server.start(
        flags.redis("--redis"),
        flags.text("--namespace"),
        Map.of(
            "inventory", flags.number("--inventory", 0, 1, 65535),
            "payments", flags.number("--payments", 0, 1, 65535),
            "recommendations", flags.number("--recommendations", 0, 1, 65535)));
    System.out.println("ready " + server.controlPort());
  }
}
