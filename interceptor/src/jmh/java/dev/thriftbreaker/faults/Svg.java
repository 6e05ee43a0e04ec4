package dev.thriftbreaker.faults;

import dev.thriftbreaker.report.Drawing;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Draws the goodput of each variant over time, one small chart beside the other. */
final class Svg {

  private static final int COLUMNS = 2;
  private static final int WIDTH = 470;
  private static final int HEIGHT = 150;
  private static final int LEFT = 50;
  private static final int TOP = 80;
  private static final int PLOT_WIDTH = 400;
  private static final int PLOT_HEIGHT = 90;

  private static final Map<Recorder.Kind, String> COLOURS =
      new EnumMap<>(
          Map.of(
              Recorder.Kind.USE, "#d55e00",
              Recorder.Kind.COPE, "#009e73",
              Recorder.Kind.OTHER, "#0072b2"));

  private static final Map<Recorder.Kind, String> NAMES =
      new EnumMap<>(
          Map.of(
              Recorder.Kind.USE, "needs the dependency",
              Recorder.Kind.COPE, "copes without it",
              Recorder.Kind.OTHER, "does not use it"));

  private final Drawing drawing;

  private Svg(int width, int height) {
    drawing = new Drawing(width, height);
  }

  static String of(Scenario scenario, List<Result> results) {
    int rows = (results.size() + COLUMNS - 1) / COLUMNS;
    int width = COLUMNS * WIDTH;
    int height = TOP + rows * HEIGHT + 10;
    Svg svg = new Svg(width, height);
    svg.drawing.text(10, 18, "font-size=\"13\" font-weight=\"bold\"", scenario.title());
    svg.legend();
    double seconds = results.stream().mapToDouble(r -> endSeconds(r.series())).max().orElse(1);
    for (int i = 0; i < results.size(); i++) {
      int x = i % COLUMNS * WIDTH + LEFT;
      int y = i / COLUMNS * HEIGHT + TOP;
      svg.chart(x, y, results.get(i), seconds);
    }
    return svg.drawing.end();
  }

  private static double endSeconds(Result.Series series) {
    int points = series.goodput().get(Recorder.Kind.USE).length;
    return (series.fromMillis() + points * series.stepMillis()) / 1000.0;
  }

  private void legend() {
    int x = 10;
    drawing.text(x, 38, "", "Requests answered well, of those that came. Method that");
    x += 340;
    for (Recorder.Kind kind : Recorder.Kind.values()) {
      drawing.add(
          "<line x1=\"%d\" y1=\"34\" x2=\"%d\" y2=\"34\" stroke=\"%s\" stroke-width=\"3\"/>",
          x, x + 20, COLOURS.get(kind));
      drawing.text(x + 26, 38, "", NAMES.get(kind));
      x += 170;
    }
  }

  private void chart(int x, int y, Result result, double endSeconds) {
    Result.Series series = result.series();
    double fromSeconds = series.fromMillis() / 1000.0;
    double scale = PLOT_WIDTH / (endSeconds - fromSeconds);
    double fault = x - fromSeconds * scale;
    double heal = fault + series.healMillis() / 1000.0 * scale;
    int bottom = y + PLOT_HEIGHT;
    drawing.add(
        "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#f4e3e0\"/>",
        fault, y, heal - fault, PLOT_HEIGHT);
    for (int percent = 0; percent <= 100; percent += 50) {
      double at = bottom - percent / 100.0 * PLOT_HEIGHT;
      drawing.line(x, at, x + PLOT_WIDTH, at, "#dddddd");
      drawing.text(x - 6, at + 4, "text-anchor=\"end\" fill=\"#444444\"", percent + " %");
    }
    for (int second = 0; second <= endSeconds; second += 2) {
      double at = fault + second * scale;
      drawing.line(at, bottom, at, bottom + 4, "#888888");
      drawing.text(at, bottom + 16, "text-anchor=\"middle\" fill=\"#444444\"", second + " s");
    }
    drawing.line(fault, y, fault, bottom, "#aa3322");
    drawing.line(heal, y, heal, bottom, "#338833");
    drawing.text(fault + 3, y - 3, "fill=\"#aa3322\" font-size=\"10\"", "fault");
    drawing.text(heal + 3, y - 3, "fill=\"#338833\" font-size=\"10\"", "heal");
    drawing.text(x - 36, y - 12, "font-weight=\"bold\"", result.variant().title);
    for (Recorder.Kind kind : Recorder.Kind.values()) {
      curve(x, bottom, series.stepMillis() / 1000.0 * scale, series.goodput().get(kind), kind);
    }
  }

  private void curve(double x, double bottom, double step, double[] values, Recorder.Kind kind) {
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < values.length; i++) {
      points.append(
          String.format(
              Locale.ROOT, "%.1f,%.1f ", x + (i + 0.5) * step, bottom - values[i] * PLOT_HEIGHT));
    }
    drawing.add(
        "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.4\" points=\"%s\"/>",
        COLOURS.get(kind), points.toString().trim());
  }
}
