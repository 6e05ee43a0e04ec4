package dev.thriftbreaker.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The dependency fails until the breaker is open, then takes calls that it never answers, so that
 * the probes hang, and heals; what hung goes on hanging.
 */
record HungProbeScenario(String name, String title, Rig.Setup setup, List<Variant> variants)
    implements Scenario {

  private static final int LIMIT_MILLIS = 12_000;

  /** After a breaker opened: when its calls hang from then on, and when it has sent its probes. */
  private static final int SILENT_MILLIS = 2000;

  private static final int PROBED_MILLIS = 6500;

  private static final int TIMES = 3;
  private static final int AT_ONCE = 2;

  @Override
  public List<Result> run(List<Variant> chosen, Options options) throws Exception {
    Random random = new Random(11);
    ExecutorService executor = Executors.newCachedThreadPool();
    List<List<Result>> runs = new ArrayList<>();
    chosen.forEach(variant -> runs.add(new ArrayList<>()));
    for (int i = 0; i < (options.quick() ? 1 : TIMES); i++) {
      int phaseMillis = random.nextInt(2000);
      for (int first = 0; first < chosen.size(); first += AT_ONCE) {
        List<Variant> some = chosen.subList(first, Math.min(first + AT_ONCE, chosen.size()));
        try (Rigs rigs = new Rigs(some, setup.times(some.size()), options.logs(this))) {
          TimeUnit.MILLISECONDS.sleep(FaultScenario.WARM_UP_MILLIS);
          List<Callable<Result>> scripts = new ArrayList<>();
          rigs.forEach(rig -> scripts.add(() -> run(rig, phaseMillis)));
          int index = first;
          for (Future<Result> result : executor.invokeAll(scripts)) {
            runs.get(index++).add(result.get());
          }
        }
      }
    }
    executor.shutdown();
    return runs.stream().map(Result::median).toList();
  }

  private static Result run(Rig rig, int phaseMillis) throws Exception {
    int failed = rig.recorder.now();
    rig.fail(Downstream.Fault.ALL_ERRORS);
    rig.awaitTrip(failed);
    TimeUnit.MILLISECONDS.sleep(SILENT_MILLIS);
    rig.fail(Downstream.Fault.SILENT);
    TimeUnit.MILLISECONDS.sleep(PROBED_MILLIS - SILENT_MILLIS + phaseMillis);
    int healed = rig.recorder.now();
    rig.heal();
    TimeUnit.MILLISECONDS.sleep(LIMIT_MILLIS);
    int end = rig.recorder.now() - Load.DEADLINE_MILLIS;
    double seconds = Result.seconds(healed, rig.recorder.recovered(0.95, healed, end));
    return new Result(rig.variant, Map.of(Measure.RECOVERED_95, seconds), null);
  }
}
