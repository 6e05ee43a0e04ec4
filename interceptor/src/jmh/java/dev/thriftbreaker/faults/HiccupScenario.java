package dev.thriftbreaker.faults;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Something short that a breaker should sit out, many times, one variant after the other. */
record HiccupScenario(
    String name, String title, Rig.Setup setup, Hiccup hiccup, List<Variant> variants)
    implements Scenario {

  /** What happens. */
  enum Hiccup {
    /** The dependency answers nothing for 150 ms, then all that waits. */
    STALL(150),
    /** The server's own JVM does not run for 300 ms. */
    PAUSE(300);

    private final int millis;

    Hiccup(int millis) {
      this.millis = millis;
    }
  }

  private static final int TIMES = 5;
  private static final int QUIET_MILLIS = 1200;

  @Override
  public List<Result> run(List<Variant> chosen, Options options) throws Exception {
    List<Result> results = new ArrayList<>();
    for (Variant variant : chosen) {
      try (Rig rig = new Rig(variant, setup, options.logs(this))) {
        TimeUnit.MILLISECONDS.sleep(FaultScenario.WARM_UP_MILLIS);
        results.add(run(rig, options.quick() ? 4 : TIMES));
      }
    }
    return results;
  }

  private Result run(Rig rig, int times) throws Exception {
    Recorder recorder = rig.recorder;
    List<Integer> starts = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      starts.add(recorder.now());
      if (hiccup == Hiccup.STALL) {
        rig.fail(Downstream.Fault.STALL);
        TimeUnit.MILLISECONDS.sleep(hiccup.millis);
        rig.heal();
      } else {
        rig.server.pause();
        TimeUnit.MILLISECONDS.sleep(hiccup.millis);
        rig.server.resume();
      }
      ends.add(recorder.now());
      TimeUnit.MILLISECONDS.sleep(QUIET_MILLIS);
    }
    TimeUnit.MILLISECONDS.sleep(Load.DEADLINE_MILLIS);
    List<Double> lost = new ArrayList<>();
    List<Double> over = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      int to = ends.get(i) + QUIET_MILLIS;
      lost.add((double) recorder.lost(Recorder.Kind.USE, starts.get(i), to));
      int last = recorder.lastLost(Recorder.Kind.USE, starts.get(i), to);
      over.add((double) Math.max(0, last - ends.get(i)));
    }
    Map<Measure, Double> measures = new EnumMap<>(Measure.class);
    measures.put(Measure.LOST, Result.median(lost.stream().mapToDouble(d -> d)));
    measures.put(Measure.OVER, Result.median(over.stream().mapToDouble(d -> d)));
    measures.put(
        Measure.OTHERS, recorder.goodput(Recorder.Kind.OTHER, starts.get(0), ends.get(times - 1)));
    List<Integer> trips = rig.tripsFrom(starts.get(0));
    measures.put(Measure.TRIPS, (double) trips.size());
    return new Result(rig.variant, measures, null);
  }
}
