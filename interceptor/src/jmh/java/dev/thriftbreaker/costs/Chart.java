package dev.thriftbreaker.costs;

import dev.thriftbreaker.report.Drawing;
import java.util.List;
import java.util.OptionalDouble;

/** Draws a group as horizontal bars, a bundle a contender, on a scale of powers of ten. */
final class Chart {

  private static final List<String> COLOURS =
      List.of("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9");

  private static final int LEFT = 260;
  private static final int TOP = 58;
  private static final int PLOT_WIDTH = 440;
  private static final int RIGHT = 80;
  private static final int BAR = 11;
  private static final int GAP = 9;
  private static final int BOTTOM = 30;

  private final Scores scores;
  private final String group;
  private final String unit;
  private final List<Integer> threads;
  private final List<String> contenders;
  private final int lowest;
  private final int highest;
  private final Drawing drawing;

  private Chart(String group, Scores scores) {
    this.scores = scores;
    this.group = group;
    List<Figure> all = Report.figures(group, scores);
    unit =
        all.stream()
            .map(Figure::unit)
            .filter(candidate -> !candidate.equals(Figure.BYTES))
            .findFirst()
            .orElse(Figure.BYTES);
    List<Figure> figures = all.stream().filter(figure -> figure.unit().equals(unit)).toList();
    threads = figures.stream().map(Figure::threads).distinct().sorted().toList();
    contenders = Report.contenders(figures);
    double[] values =
        figures.stream().mapToDouble(figure -> scores.median(figure).orElse(0)).sorted().toArray();
    lowest = (int) Math.floor(Math.log10(Math.max(values[0], 0.1)));
    highest =
        (int) Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(values[values.length - 1], 0.1))));
    int height = TOP + contenders.size() * bundle() + BOTTOM;
    drawing = new Drawing(LEFT + PLOT_WIDTH + RIGHT, height);
  }

  static String of(String group, Scores scores) {
    return new Chart(group, scores).draw();
  }

  private int bundle() {
    return threads.size() * BAR + GAP;
  }

  private String draw() {
    drawing.text(10, 18, "font-size=\"13\" font-weight=\"bold\"", Groups.title(group));
    legend();
    axis();
    int y = TOP;
    for (String contender : contenders) {
      bars(contender, y + GAP / 2);
      y += bundle();
    }
    return drawing.end();
  }

  private void legend() {
    drawing.text(10, 38, "", unit + ", by");
    int x = 80;
    for (int i = 0; i < threads.size(); i++) {
      drawing.add("<rect x=\"%d\" y=\"29\" width=\"12\" height=\"10\" fill=\"%s\"/>", x, colour(i));
      int count = threads.get(i);
      drawing.text(x + 17, 38, "", count + (count == 1 ? " thread" : " threads"));
      x += 90;
    }
  }

  private void axis() {
    int bottom = TOP + contenders.size() * bundle();
    for (int power = lowest; power <= highest; power++) {
      double x = x(Math.pow(10, power));
      drawing.line(x, TOP, x, bottom, "#dddddd");
      drawing.text(
          x, bottom + 16, "text-anchor=\"middle\" fill=\"#444444\"", power(power) + " " + unit);
    }
  }

  private static String power(int power) {
    return power >= 0 ? String.format("%,d", (long) Math.pow(10, power)) : "" + Math.pow(10, power);
  }

  private void bars(String contender, int top) {
    boolean ours = Names.isOurs(contender);
    double middle = top + threads.size() * BAR / 2.0;
    drawing.text(
        LEFT - 8,
        middle + 4,
        "text-anchor=\"end\"" + (ours ? " font-weight=\"bold\"" : ""),
        Names.label(contender));
    for (int i = 0; i < threads.size(); i++) {
      OptionalDouble median =
          scores.median(new Figure(group + "." + contender, threads.get(i), unit));
      if (median.isPresent()) {
        bar(top + i * BAR, median.getAsDouble(), colour(i));
      }
    }
  }

  private void bar(int y, double value, String colour) {
    double end = Math.max(LEFT + 1, x(value));
    drawing.add(
        "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>",
        LEFT, y, end - LEFT, BAR - 1, colour);
    drawing.text(end + 4, y + BAR - 2, "font-size=\"10\" fill=\"#222222\"", Numbers.show(value));
  }

  private double x(double value) {
    double from = Math.log10(Math.max(value, 1e-9)) - lowest;
    return LEFT + Math.max(0, from / (highest - lowest)) * PLOT_WIDTH;
  }

  private static String colour(int i) {
    return COLOURS.get(i % COLOURS.size());
  }
}
