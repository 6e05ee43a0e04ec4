package dev.thriftbreaker.report;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** What a benchmark ran on, as far as it is anybody's business. */
public final class Machine {

  private Machine() {}

  /**
   * Describes processors, operating system, Java and the time.
   *
   * @return in one line
   */
  public static String describe() {
    return Runtime.getRuntime().availableProcessors()
        + " processors, "
        + System.getProperty("os.name")
        + " "
        + System.getProperty("os.arch")
        + ", Java "
        + Runtime.version()
        + ", "
        + Instant.now().truncatedTo(ChronoUnit.MINUTES);
  }
}
