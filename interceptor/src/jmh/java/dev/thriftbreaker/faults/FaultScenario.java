package dev.thriftbreaker.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

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
      resize(rig);
    }
    int start = recorder.now();
    Duration cpu = rig.cpuTime();
    TimeUnit.MILLISECONDS.sleep(BEFORE_MILLIS);
    cpu = rig.cpuTime().minus(cpu);

    recorder.nextLatencies();
    ServerProcess.Counts atFault = rig.server.counts();
    int failed = recorder.now();
    rig.fail(fault);
    TimeUnit.MILLISECONDS.sleep(faultMillis);
    Histogram latencies = recorder.nextLatencies();
    ServerProcess.Counts atHeal = rig.server.counts();
    int healed = recorder.now();
    rig.heal();
    TimeUnit.MILLISECONDS.sleep(1000);
    ServerProcess.Counts secondAfter = rig.server.counts();
    awaitRecovery(recorder, healed, 0.99 * recorder.goodput(Recorder.Kind.USE, start, failed));
    int end = recorder.now() - Load.DEADLINE_MILLIS;
    ServerProcess.Counts atEnd = rig.server.counts();

    Map<Measure, Double> measures = new EnumMap<>(Measure.class);
    measureGoodput(measures, recorder, start, failed, healed, end);
    measureTrips(measures, rig.tripsFrom(failed), failed, healed);
    measures.put(Measure.OTHERS_P99, latencies.getValueAtPercentile(99) / 1000.0);
    measures.put(Measure.STUCK, (atEnd.stuckNanos() - atFault.stuckNanos()) / 1e9);
    measures.put(Measure.STUCK_MOST, (double) atEnd.stuckMost());
    measures.put(Measure.CALLS_DOWN, (double) atHeal.calls() - atFault.calls());
    measures.put(Measure.CALLS_BACK, (double) secondAfter.calls() - atHeal.calls());
    int processors = Runtime.getRuntime().availableProcessors();
    measures.put(Measure.CPU, (double) cpu.toMillis() / BEFORE_MILLIS / processors);
    return new Result(
        rig.variant,
        measures,
        Result.Series.of(recorder, failed - BEFORE_MILLIS, failed, healed, end));
  }

  /** A TThreadPoolServer's callers get along with fewer connections, as each takes a worker. */
  private void resize(Rig rig) throws Exception {
    if (setup.kind() == ServerUnderTest.Kind.THREAD_POOL) {
      rig.load.connections(resizedTo);
    }
    rig.server.workers(resizedTo);
    TimeUnit.MILLISECONDS.sleep(BEFORE_MILLIS);
  }

  private static void measureGoodput(
      Map<Measure, Double> measures,
      Recorder recorder,
      int start,
      int failed,
      int healed,
      int end) {
    double firstShed = Result.millis(failed, recorder.firstShed(failed, healed));
    double mostlyShed = Result.millis(failed, recorder.mostlyShed(0.99, failed, healed));
    measures.put(Measure.FIRST_SHED, firstShed);
    // by schedule; the replies to those that were queued come later
    measures.put(Measure.MOSTLY_SHED, Math.max(firstShed, mostlyShed));
    int lastFailed = healed - Load.DEADLINE_MILLIS; // later ones may be answered after the heal
    ToDoubleFunction<Recorder.Kind> shareOfBefore =
        kind -> recorder.goodput(kind, failed, lastFailed) / recorder.goodput(kind, start, failed);
    measures.put(Measure.USERS, shareOfBefore.applyAsDouble(Recorder.Kind.USE));
    measures.put(Measure.OTHERS, shareOfBefore.applyAsDouble(Recorder.Kind.OTHER));
    measures.put(Measure.COPE, shareOfBefore.applyAsDouble(Recorder.Kind.COPE));
    double before = recorder.goodput(Recorder.Kind.USE, start, failed);
    measures.put(
        Measure.RECOVERED_95,
        Result.seconds(healed, recorder.recovered(0.95 * before, healed, end)));
    measures.put(
        Measure.RECOVERED_99,
        Result.seconds(healed, recorder.recovered(0.99 * before, healed, end)));
    measures.put(Measure.PEAK, recorder.peak(healed, end));
    measures.put(Measure.SHED_HEALTHY, recorder.shedShare(start, failed));
  }

  private static void measureTrips(
      Map<Measure, Double> measures, List<Integer> trips, int failed, int healed) {
    boolean inTime = !trips.isEmpty() && trips.get(0) < healed;
    measures.put(Measure.FIRST_TRIP, inTime ? trips.get(0) - failed : Result.NEVER);
    measures.put(Measure.TRIPS, (double) trips.size());
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
