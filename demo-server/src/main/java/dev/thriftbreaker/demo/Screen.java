package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.control.BreakerView;
import dev.thriftbreaker.demo.load.Tally;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** The table of the demo, a line a second. Colours only where a terminal shows them. */
final class Screen {

  private static final String RED = "31";
  private static final String GREEN = "32";
  private static final String YELLOW = "33";
  private static final String BOLD = "1";
  private static final String DIM = "2";

  private static final String ROW = "%4s  %-7s %5s %8s%7s%7s%7s";

  private final PrintStream out = System.out;
  private final boolean colours = Boolean.getBoolean("demo.terminal");
  private final long startNanos = System.nanoTime();

  void line(String text) {
    out.println(text);
    if (out.checkError()) {
      throw new CannotRun("nobody reads the output any more");
    }
  }

  void title(String text) {
    line("");
    line(paint(BOLD, text));
  }

  void remark(String text) {
    line(paint(DIM, text));
  }

  /** What a breaker did, between two lines of the table. */
  void event(BreakerView breaker, String what) {
    line(
        "        " + paint(colourOf(breaker), clock(true) + "  " + breaker.getName() + " " + what));
  }

  void head() {
    line(
        paint(
            DIM,
            String.format(
                ROW + "  %s",
                "time",
                "now",
                "ok/s",
                "failed/s",
                "shed/s",
                "p50 ms",
                "p99 ms",
                "inventory  payments   recommendations orders-db")));
  }

  /**
   * A line of the table.
   *
   * @param now what goes on
   * @param tally what happened since the last line
   * @param seconds how long ago that was
   */
  void row(String now, Tally tally, double seconds, List<BreakerView> breakers) {
    long failed = perSecond(tally.failed(), seconds);
    long shed = perSecond(tally.shed(), seconds);
    StringBuilder line =
        new StringBuilder(
            String.format("%4s  %-7s %5d ", clock(false), now, perSecond(tally.ok(), seconds)));
    line.append(paint(failed > 0 ? RED : "", String.format("%8d", failed)));
    line.append(paint(shed > 0 ? YELLOW : "", String.format("%7d", shed)));
    line.append(String.format(Locale.ROOT, "%7.1f%7.1f ", tally.millis(50), tally.millis(99)));
    for (BreakerView breaker : breakers) {
      int width = Math.max(10, breaker.getName().length());
      line.append(' ')
          .append(paint(colourOf(breaker), String.format("%-" + width + "s", shown(breaker))));
    }
    if (breakers.isEmpty()) {
      line.append(paint(DIM, " (nobody to ask)"));
    }
    line(line.toString().stripTrailing());
  }

  /** Rounded up, so that what happened shows. */
  private static long perSecond(long count, double seconds) {
    return (long) Math.ceil(count / Math.max(1, seconds));
  }

  String good(String text) {
    return paint(GREEN, text);
  }

  String bad(String text) {
    return paint(RED, text);
  }

  String clock(boolean tenths) {
    long millis = (System.nanoTime() - startNanos) / 1_000_000;
    String clock = String.format("%d:%02d", millis / 60_000, millis / 1000 % 60);
    return tenths ? clock + "." + millis / 100 % 10 : clock;
  }

  private static String shown(BreakerView breaker) {
    if (!breaker.getMode().equals("AUTO")) {
      return breaker.getMode().toLowerCase(Locale.ROOT).replace('_', '-');
    }
    return switch (breaker.getState()) {
      case "OPEN" ->
          String.format(Locale.ROOT, "OPEN %.1fs", breaker.getRemainingMillis() / 1000.0);
      case "HALF_OPEN" -> "half-open";
      default -> breaker.getState().toLowerCase(Locale.ROOT);
    };
  }

  private static String colourOf(BreakerView breaker) {
    return switch (breaker.getState()) {
      case "OPEN" -> RED;
      case "CLOSED" -> GREEN;
      default -> YELLOW;
    };
  }

  private String paint(String colour, String text) {
    return colours && !colour.isEmpty() ? "\033[" + colour + "m" + text + "\033[0m" : text;
  }
}
