package dev.thriftbreaker.report;

import java.util.Locale;

/** An SVG picture on white ground, readable on pages of any colour. */
public final class Drawing {

  private final StringBuilder out = new StringBuilder();

  /**
   * Begins a picture.
   *
   * @param width in pixels
   * @param height in pixels
   */
  public Drawing(int width, int height) {
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
            + " font-family=\"sans-serif\" font-size=\"11\">",
        width, height, width, height);
    add("<rect width=\"%d\" height=\"%d\" fill=\"white\"/>", width, height);
  }

  /**
   * Draws a line.
   *
   * @param x1 where it begins
   * @param y1 where it begins
   * @param x2 where it ends
   * @param y2 where it ends
   * @param colour its colour
   */
  public void line(double x1, double y1, double x2, double y2, String colour) {
    add(
        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>",
        x1, y1, x2, y2, colour);
  }

  /**
   * Writes a text.
   *
   * @param x where it is anchored
   * @param y its base line
   * @param attributes of the SVG element; may be empty
   * @param text the text
   */
  public void text(double x, double y, String attributes, String text) {
    String escaped = text.replace("&", "&amp;").replace("<", "&lt;");
    add("<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>", x, y, attributes, escaped);
  }

  /**
   * Adds any element.
   *
   * @param format the element
   * @param values for the format
   */
  public void add(String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  /**
   * Ends the picture.
   *
   * @return the file's content
   */
  public String end() {
    return out + "</svg>\n";
  }
}
