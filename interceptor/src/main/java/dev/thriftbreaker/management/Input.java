package dev.thriftbreaker.management;

/** Checks of what an operator types. Messages repeat the value, shortened and made printable. */
final class Input {

  private static final int LONGEST_TEXT = 200;
  private static final int LONGEST_ECHO = 60;
  private static final long LONGEST_SECONDS = 86_400;

  /** What JConsole writes into the field of a String parameter. */
  private static final String PREFILLED = "String";

  private Input() {}

  static long seconds(long seconds) {
    if (seconds < 1 || seconds > LONGEST_SECONDS) {
      throw bad("seconds", Long.toString(seconds), "1 to " + LONGEST_SECONDS);
    }
    return seconds;
  }

  static String reason(String reason) {
    return text("reason", reason, "why you do this");
  }

  /** Text that somebody has really written: not blank, not JConsole's own, short, printable. */
  static String text(String name, String value, String expected) {
    String stripped = value == null ? "" : value.strip();
    if (stripped.isEmpty()
        || stripped.equals(PREFILLED)
        || stripped.length() > LONGEST_TEXT
        || stripped.chars().anyMatch(Character::isISOControl)) {
      throw bad(
          name,
          quoted(value),
          expected + ", at most " + LONGEST_TEXT + " characters, no control characters");
    }
    return stripped;
  }

  static IllegalArgumentException bad(String name, String value, String expected) {
    return new IllegalArgumentException(name + ": " + value + " (expected: " + expected + ")");
  }

  /** A value as a message shows it. */
  static String quoted(String value) {
    if (value == null) {
      return "null";
    }
    String shown = printable(value);
    return shown.length() > LONGEST_ECHO
        ? '"' + shown.substring(0, LONGEST_ECHO) + "\"... of " + value.length() + " characters"
        : '"' + shown + '"';
  }

  static String printable(String value) {
    StringBuilder shown = new StringBuilder(value.length());
    value.chars().forEach(c -> shown.append(Character.isISOControl(c) ? '?' : (char) c));
    return shown.toString();
  }
}
