package dev.thriftbreaker.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * All dependencies get a fault and heal again, one variant after the other.
 *
 * @param name as on the command line
 * @param title for the reader
 * @param setup of the server and its load
 * @param fault which
 * @param faultMillis how long
 * @param resizedTo the number of workers from shortly before the fault on; 0 leaves it
 * @param quick whether a quick run has it
 * @param variants which
 */
record FaultScenario(
    String name,
    String title,
    Rig.Setup setup,
    Downstream.Fault fault,
    int faultMillis,
    int resizedTo,
    boolean quick,
    List<Variant> variants)
    implements Scenario {

  static final int WARM_UP_MILLIS = 3500;
  private static final int BEFORE_MILLIS = 1500;

  /** How long to wait for a variant to come back. */
  private static final int TAIL_MILLIS = 12_000;

  @Override
  public List<Result> run(List<Variant> chosen, Options options) throws Exception {
    List<Result> results = new ArrayList<>();
    for (Variant variant : chosen) {
      try (Rig rig = new Rig(variant, setup, options.logs(this))) {
        results.add(run(rig, options.quick() ? faultMillis * 3 / 4 : faultMillis));
      }
    }
    return results;
  }

  private Result run(Rig rig, int faultMillis) throws Exception {
    Recorder recorder = rig.recorder;
    TimeUnit.MILLISECONDS.sleep(WARM_UP_MILLIS);
    if (resizedTo > 0) {
      if (setup.kind() == ServerUnderTest.Kind.THREAD_POOL) {
        rig.load.connections(resizedTo);
      }
      rig.server.workers(resizedTo);
      TimeUnit.MILLISECONDS.sleep(WARM_UP_MILLIS / 2);
    }
    int start = recorder.now();
    recorder.nextLatencies();
    Duration cpu = rig.cpuTime();
    TimeUnit.MILLISECONDS.sleep(BEFORE_MILLIS);
    cpu = rig.cpuTime().minus(cpu);
    recorder.nextLatencies();

    ServerProcess.Counts atFault = rig.server.counts();
    int fault = recorder.now();
    rig.fail(this.fault);
    TimeUnit.MILLISECONDS.sleep(faultMillis);
    ServerProcess.Counts atHeal = rig.server.counts();
    double p99Micros = recorder.nextLatencies().getValueAtPercentile(99);
    int heal = recorder.now();
    rig.heal();
    TimeUnit.MILLISECONDS.sleep(1000);
    ServerProcess.Counts secondAfter = rig.server.counts();
    double before = recorder.goodput(Recorder.Kind.USE, start, fault);
    awaitRecovery(recorder, heal, 0.99 * before);
    int end = recorder.now() - Load.DEADLINE_MILLIS;
    ServerProcess.Counts atEnd = rig.server.counts();

    int lastFailed = heal - Load.DEADLINE_MILLIS; // later ones may be answered after the heal
    ToDoubleFunction<Recorder.Kind> shareOfBefore =
        kind -> recorder.goodput(kind, fault, lastFailed) / recorder.goodput(kind, start, fault);
    List<Integer> trips = rig.tripsFrom(fault);
    Map<Measure, Double> measures = new EnumMap<>(Measure.class);
    double firstShed = Result.millis(fault, recorder.firstShed(fault, heal));
    double mostlyShed = Result.millis(fault, recorder.mostlyShed(0.99, fault, heal));
    measures.put(Measure.FIRST_SHED, firstShed);
    // by schedule; the replies to those that were queued come later
    measures.put(Measure.MOSTLY_SHED, Math.max(firstShed, mostlyShed));
    measures.put(
        Measure.FIRST_TRIP,
        trips.isEmpty() || trips.get(0) > heal ? Result.NEVER : trips.get(0) - fault);
    measures.put(Measure.OTHERS, shareOfBefore.applyAsDouble(Recorder.Kind.OTHER));
    measures.put(Measure.OTHERS_P99, p99Micros / 1000);
    measures.put(Measure.COPE, shareOfBefore.applyAsDouble(Recorder.Kind.COPE));
    measures.put(Measure.STUCK, (atEnd.stuckNanos() - atFault.stuckNanos()) / 1e9);
    measures.put(Measure.STUCK_MOST, (double) atEnd.stuckMost());
    measures.put(Measure.CALLS_DOWN, (double) atHeal.calls() - atFault.calls());
    measures.put(Measure.CALLS_BACK, (double) secondAfter.calls() - atHeal.calls());
    for (double share : new double[] {0.95, 0.99}) {
      measures.put(
          share == 0.95 ? Measure.RECOVERED_95 : Measure.RECOVERED_99,
          Result.seconds(heal, recorder.recovered(share * before, heal, end)));
    }
    measures.put(Measure.PEAK, recorder.peak(heal, Math.min(end, heal + TAIL_MILLIS)));
    measures.put(Measure.TRIPS, (double) trips.size());
    measures.put(Measure.SHED_HEALTHY, recorder.shedShare(start, fault));
    measures.put(
        Measure.CPU,
        cpu.toNanos() / 1e6 / BEFORE_MILLIS / Runtime.getRuntime().availableProcessors());
    Result.Series series = Result.Series.of(recorder, fault - BEFORE_MILLIS, fault, heal, end);
    return new Result(rig.variant, measures, series);
  }

  private static void awaitRecovery(Recorder recorder, int heal, double share)
      throws InterruptedException {
    int end = heal + TAIL_MILLIS + Load.DEADLINE_MILLIS;
    boolean back = false;
    while (!back && recorder.now() < end) {
      TimeUnit.MILLISECONDS.sleep(100);
      int known = recorder.now() - Load.DEADLINE_MILLIS;
      back = recorder.recovered(share, heal, known) >= 0;
    }
  }
}
