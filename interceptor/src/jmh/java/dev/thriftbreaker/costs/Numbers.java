package dev.thriftbreaker.costs;

import java.util.Locale;

/** Figures as people read them. */
final class Numbers {

  private Numbers() {}

  /** About three digits. */
  static String show(double value) {
    double size = Math.abs(value);
    if (size < 0.005) {
      return "0";
    }
    String format = size < 10 ? "%.2f" : size < 100 ? "%.1f" : "%.0f";
    String text = String.format(Locale.ROOT, format, value);
    return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
  }
}
