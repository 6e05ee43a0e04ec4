package dev.thriftbreaker.report;

import java.util.Locale;

/** Values as JSON writes them. */
public final class Json {

  private Json() {}

  /**
   * A number with four decimals. JSON knows no infinity: what never came is null.
   *
   * @param value the number
   * @return its text
   */
  public static String number(double value) {
    if (Double.isInfinite(value) || Double.isNaN(value)) {
      return "null";
    }
    return value == Math.rint(value)
        ? String.valueOf((long) value)
        : String.format(Locale.ROOT, "%.4f", value);
  }

  /**
   * A string.
   *
   * @param text the text, without control characters
   * @return the text in quotes
   */
  public static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
