package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.process.Child;
import java.io.File;
import java.util.Arrays;
import java.util.List;

/** The commands of {@code run.sh}. Exit status: 0 done, 1 could not or went wrong, 2 bad usage. */
public final class Demo {

  /** The shop's port unless told otherwise. */
  static final int PORT = 9090;

  /** For output that nobody wants. */
  static final File NO_LOG = new File("/dev/null");

  private Demo() {}

  /** Runs one command. */
  public static void main(String[] arguments) {
    if (Boolean.getBoolean("demo.dieWithParent")) {
      Child.dieWithParent();
    }
    int status;
    try {
      status = run(Arrays.asList(arguments));
    } catch (BadFlag e) {
      System.err.println("run.sh: " + e.getMessage());
      System.err.println("run.sh --help tells more");
      status = 2;
    } catch (CannotRun e) {
      System.err.println("run.sh: " + e.getMessage());
      status = 1;
    } catch (Exception e) {
      System.err.println("run.sh: " + e);
      status = 1;
    }
    if (status >= 0) {
      System.exit(status);
    }
  }

  /** Answers with the exit status, or -1 for a command that goes on in threads of its own. */
  private static int run(List<String> arguments) throws Exception {
    String command =
        arguments.isEmpty() || arguments.get(0).startsWith("--") ? "story" : arguments.get(0);
    List<String> rest =
        arguments.isEmpty() || command.equals("story") && !arguments.get(0).equals("story")
            ? arguments
            : arguments.subList(1, arguments.size());
    switch (command) {
      case "story" -> {
        return Story.run(rest) ? 0 : 1;
      }
      case "serve" -> {
        Serve.run(rest);
        return -1;
      }
      case "load" -> Load.run(rest);
      case "fault" -> Fault.run(rest);
      default ->
          throw new BadFlag(
              command + ": unknown (expected: serve, load, fault, or nothing for the story)");
    }
    return 0;
  }
}
