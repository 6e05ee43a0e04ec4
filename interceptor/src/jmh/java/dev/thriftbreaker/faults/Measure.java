package dev.thriftbreaker.faults;

import java.util.Locale;

/** What is reported of a run; infinite where it never came to that. */
enum Measure {
  FIRST_SHED("first shed, ms", "%.0f"),
  MOSTLY_SHED("99 % shed, ms", "%.0f"),
  FIRST_TRIP("breaker open, ms", "%.0f"),
  USERS("goodput of those that need it", "%.1f %%", 100),
  OTHERS("unrelated goodput", "%.1f %%", 100),
  OTHERS_P99("unrelated p99, ms", "%.1f"),
  COPE("coping goodput", "%.1f %%", 100),
  STUCK("stuck thread-s", "%.1f"),
  STUCK_MOST("stuck at once", "%.0f"),
  CALLS_DOWN("calls while down", "%.0f"),
  CALLS_BACK("calls in 1st s after", "%.0f"),
  RECOVERED_95("heal to 95 %, s", "%.2f"),
  RECOVERED_99("heal to 99 %, s", "%.2f"),
  RECOVERED_WORST("slowest heal to 99 %, s", "%.2f"),
  PEAK("peak after heal / demand", "%.2f"),
  LOST("requests lost, median", "%.1f"),
  OVER("last loss after its end, ms", "%.0f"),
  TRIPS("trips", "%.0f"),
  TRIPS_1("trips at 1 % errors", "%.0f"),
  TRIPS_5("trips at 5 % errors", "%.0f"),
  TRIPS_20("trips at 20 % errors", "%.0f"),
  SHED_HEALTHY("shed while healthy", "%.2f %%", 100),
  CALLS("calls", "%.0f"),
  CPU("CPU before", "%.0f %%", 100);

  final String title;
  private final String format;
  private final double factor;

  Measure(String title, String format) {
    this(title, format, 1);
  }

  Measure(String title, String format, double factor) {
    this.title = title;
    this.format = format;
    this.factor = factor;
  }

  String show(Double value) {
    if (value == null) {
      return "";
    }
    return Double.isInfinite(value) ? "never" : String.format(Locale.ROOT, format, value * factor);
  }
}
