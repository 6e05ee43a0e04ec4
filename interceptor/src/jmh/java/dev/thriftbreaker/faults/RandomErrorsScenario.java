package dev.thriftbreaker.faults;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Three healthy dependencies of which one loses 1 %, one 5 % and one 20 % of its calls. */
record RandomErrorsScenario(String name, String title, Rig.Setup setup, List<Variant> variants)
    implements Scenario {

  private static final double[] RATES = {0.01, 0.05, 0.20};
  private static final Measure[] TRIPS = {Measure.TRIPS_1, Measure.TRIPS_5, Measure.TRIPS_20};

  @Override
  public List<Result> run(List<Variant> chosen, Options options) throws Exception {
    List<Result> results = new ArrayList<>();
    try (Rigs rigs = new Rigs(chosen, setup, options.logs(this))) {
      TimeUnit.MILLISECONDS.sleep(2 * FaultScenario.WARM_UP_MILLIS);
      List<Integer> starts = new ArrayList<>();
      for (Rig rig : rigs) {
        for (int i = 0; i < RATES.length; i++) {
          rig.dependencies.get(i).errorRate(RATES[i]);
        }
        starts.add(rig.recorder.now());
      }
      TimeUnit.SECONDS.sleep(options.quick() ? 15 : 60);
      for (Rig rig : rigs) {
        results.add(result(rig, starts.get(results.size())));
      }
    }
    return results;
  }

  private static Result result(Rig rig, int start) throws IOException {
    Map<Measure, Double> measures = new EnumMap<>(Measure.class);
    List<ServerProcess.Trip> trips = rig.server.counts().trips();
    for (int i = 0; i < TRIPS.length; i++) {
      String dependency = ServerUnderTest.dependencyName(i);
      long count =
          trips.stream()
              .filter(trip -> trip.dependency().equals(dependency))
              .filter(trip -> rig.recorder.position(trip.nanos()) >= start)
              .count();
      measures.put(TRIPS[i], (double) count);
    }
    int end = rig.recorder.now() - Load.DEADLINE_MILLIS;
    measures.put(Measure.SHED_HEALTHY, rig.recorder.shedShare(start, end));
    measures.put(Measure.CALLS, (double) rig.recorder.calls(start, end));
    return new Result(rig.variant, measures, null);
  }
}
