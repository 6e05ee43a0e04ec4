package dev.thriftbreaker.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * The dependency fails until each breaker is open, then takes calls that it never answers, so that
 * the probes hang, and heals; what hung goes on hanging.
 */
record HungProbeScenario(String name, String title, Rig.Setup setup, List<Variant> variants)
    implements Scenario {

  private static final int LIMIT_MILLIS = 15_000;

  /** Not before all breakers have sent their probes, which they do about 5 s after the errors. */
  private static final int PROBED_MILLIS = 6500;

  private static final int TIMES = 3;

  @Override
  public List<Result> run(List<Variant> chosen, Options options) throws Exception {
    Random random = new Random(11);
    List<List<Result>> runs = new ArrayList<>();
    chosen.forEach(variant -> runs.add(new ArrayList<>()));
    for (int i = 0; i < (options.quick() ? 1 : TIMES); i++) {
      try (Rigs rigs = new Rigs(chosen, setup, options.logs(this))) {
        TimeUnit.MILLISECONDS.sleep(2 * FaultScenario.WARM_UP_MILLIS);
        rigs.fail(Downstream.Fault.ALL_ERRORS);
        TimeUnit.MILLISECONDS.sleep(2500);
        rigs.fail(Downstream.Fault.SILENT);
        TimeUnit.MILLISECONDS.sleep(PROBED_MILLIS - 2500 + random.nextInt(2000));
        rigs.heal();
        TimeUnit.MILLISECONDS.sleep(LIMIT_MILLIS);
        int index = 0;
        for (Rig rig : rigs) {
          runs.get(index++).add(result(rig));
        }
      }
    }
    return runs.stream().map(Result::median).toList();
  }

  private static Result result(Rig rig) {
    int end = rig.recorder.now() - Load.DEADLINE_MILLIS;
    int healed = rig.recorder.now() - LIMIT_MILLIS;
    double seconds = Result.seconds(healed, rig.recorder.recovered(0.95, healed, end));
    return new Result(rig.variant, Map.of(Measure.RECOVERED_95, seconds), null);
  }
}
