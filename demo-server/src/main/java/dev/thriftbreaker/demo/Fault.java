package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.control.FaultKind;
import dev.thriftbreaker.demo.downstream.Downstreams;
import java.util.List;
import org.apache.thrift.TException;

/** {@code fault}: breaks a downstream service of a running demo, or heals it. */
final class Fault {

  private static final String EXPECTED =
      " (expected: errors SHARE, slow MILLISECONDS, hang, down or heal)";

  private Fault() {}

  static void run(List<String> arguments) {
    if (arguments.size() < 2) {
      throw new BadFlag(
          "fault: too little (expected: fault SERVICE errors 0.7|slow 800|hang|down|heal)");
    }
    String service = arguments.get(0);
    if (!Downstreams.NAMES.contains(service)) {
      throw new BadFlag(
          service + ": unknown (expected: one of " + String.join(", ", Downstreams.NAMES) + ")");
    }
    String word = arguments.get(1);
    boolean takesAmount = word.equals("errors") || word.equals("slow");
    FaultKind kind =
        switch (word) {
          case "errors" -> FaultKind.ERRORS;
          case "slow" -> FaultKind.SLOW;
          case "hang" -> FaultKind.HANG;
          case "down" -> FaultKind.DOWN;
          case "heal" -> FaultKind.NONE;
          default -> throw new BadFlag(word + ": unknown" + EXPECTED);
        };
    double amount = takesAmount ? amount(kind, word, arguments) : 0;
    Flags flags = new Flags(arguments.subList(takesAmount ? 3 : 2, arguments.size()), "--port");
    int port = flags.number("--port", Demo.PORT, 1, 65535);

    RunningDemo running = RunningDemo.find(port);
    if (running == null) {
      throw new CannotRun(
          "no demo is running on port "
              + port
              + " (expected: run.sh serve in another terminal, or --port of the one that runs)");
    }
    try {
      Downstreams.inject(running.faultPorts().get(service), kind, amount);
    } catch (TException e) {
      throw new CannotRun(
          service + " of the demo on port " + port + " does not answer: " + e.getMessage());
    }
    System.out.println(
        service + ": " + (kind == FaultKind.NONE ? "well again" : describe(kind, amount)));
  }

  private static double amount(FaultKind kind, String word, List<String> arguments) {
    String text = arguments.size() < 3 ? "nothing" : arguments.get(2);
    double most = kind == FaultKind.ERRORS ? 1 : 600_000;
    try {
      double amount = Double.parseDouble(text);
      if (amount > 0 && amount <= most) {
        return amount;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new BadFlag(
        word
            + ": "
            + text
            + (kind == FaultKind.ERRORS
                ? " (expected: a share, > 0 and <= 1)"
                : " (expected: milliseconds, > 0 and <= 600000)"));
  }

  static String describe(FaultKind kind, double amount) {
    return switch (kind) {
      case ERRORS -> Math.round(amount * 100) + " % of its calls fail";
      case SLOW -> "each call takes " + Math.round(amount) + " ms longer";
      case HANG -> "reads calls and never answers";
      case DOWN -> "refuses connections";
      case NONE -> "well";
    };
  }
}
