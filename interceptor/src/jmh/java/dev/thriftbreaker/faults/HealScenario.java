package dev.thriftbreaker.faults;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Loses all calls and heals, many times, each outage of another length, all variants at the same
 * moments: when all breakers have opened, and a random part of the open time has passed. The calls
 * fail at once, as in a hang some breakers would not open at all.
 */
record HealScenario(String name, String title, Rig.Setup setup, List<Variant> variants)
    implements Scenario {

  private static final int HEALS = 20;
  private static final int LIMIT_MILLIS = 15_000;

  @Override
  public boolean quick() {
    return true;
  }

  @Override
  public List<Result> run(List<Variant> chosen, Options options) throws Exception {
    Random random = new Random(7);
    List<List<Heal>> heals = new ArrayList<>();
    chosen.forEach(variant -> heals.add(new ArrayList<>()));
    try (Rigs rigs = new Rigs(chosen, setup, options.logs(this))) {
      TimeUnit.MILLISECONDS.sleep(FaultScenario.WARM_UP_MILLIS);
      for (int i = 0; i < (options.quick() ? 2 : HEALS); i++) {
        List<Integer> failed = new ArrayList<>();
        for (Rig rig : rigs) {
          failed.add(rig.recorder.now());
          rig.fail(Downstream.Fault.ALL_ERRORS);
        }
        int failedIndex = 0;
        for (Rig rig : rigs) {
          rig.awaitTrip(failed.get(failedIndex++));
        }
        TimeUnit.MILLISECONDS.sleep(random.nextLong(Variant.OPEN.toMillis()));
        List<Integer> healed = new ArrayList<>();
        for (Rig rig : rigs) {
          healed.add(rig.recorder.now());
          rig.heal();
        }
        awaitAll(rigs, healed);
        int index = 0;
        for (Rig rig : rigs) {
          heals.get(index).add(Heal.of(rig.recorder, healed.get(index)));
          index++;
        }
      }
    }
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < chosen.size(); i++) {
      results.add(new Result(chosen.get(i), measures(heals.get(i)), null));
    }
    return results;
  }

  private static void awaitAll(Rigs rigs, List<Integer> healed) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MILLIS);
    boolean back = false;
    while (!back && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(100);
      back = true;
      int index = 0;
      for (Rig rig : rigs) {
        int known = rig.recorder.now() - Load.DEADLINE_MILLIS;
        back &= rig.recorder.recovered(0.99, healed.get(index++), known) >= 0;
      }
    }
  }

  private static Map<Measure, Double> measures(List<Heal> heals) {
    Map<Measure, Double> measures = new EnumMap<>(Measure.class);
    measures.put(Measure.RECOVERED_95, Result.median(heals.stream().mapToDouble(Heal::seconds95)));
    measures.put(Measure.RECOVERED_99, Result.median(heals.stream().mapToDouble(Heal::seconds99)));
    measures.put(
        Measure.RECOVERED_WORST,
        heals.stream().mapToDouble(Heal::seconds99).max().orElse(Result.NEVER));
    measures.put(Measure.PEAK, Result.median(heals.stream().mapToDouble(Heal::peak)));
    return measures;
  }

  private record Heal(double seconds95, double seconds99, double peak) {

    static Heal of(Recorder recorder, int healed) {
      int end = recorder.now() - Load.DEADLINE_MILLIS;
      return new Heal(
          Result.seconds(healed, recorder.recovered(0.95, healed, end)),
          Result.seconds(healed, recorder.recovered(0.99, healed, end)),
          recorder.peak(healed, end));
    }
  }
}
