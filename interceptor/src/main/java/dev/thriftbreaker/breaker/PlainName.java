package dev.thriftbreaker.breaker;

/**
 * What names are made of: letters and digits of ASCII and a few marks, so that JMX, metrics and
 * Redis take them as they are. Not a regular expression, as these take milliseconds to load when a
 * server starts.
 */
public final class PlainName {

  private PlainName() {}

  /**
   * Whether a text can be a name.
   *
   * @param text the text, or null
   * @param marks the characters that may be in it beside {@code A-Z a-z 0-9}
   * @param longest how many characters it may have; it must have one
   * @return false for null too
   */
  public static boolean is(String text, String marks, int longest) {
    if (text == null || text.isEmpty() || text.length() > longest) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean plain = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9';
      if (!plain && marks.indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }
}
