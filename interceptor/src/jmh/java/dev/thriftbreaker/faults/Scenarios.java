package dev.thriftbreaker.faults;

import java.util.List;

/** What is run, in the order of the report. */
final class Scenarios {

  /** The variants of a quick run. */
  static final List<Variant> QUICK =
      List.of(Variant.NONE, Variant.R4J, Variant.R4J_FITTED, Variant.OURS);

  private static final List<Variant> ALL_BUT_HYSTRIX =
      List.of(
          Variant.NONE,
          Variant.BULKHEAD,
          Variant.R4J,
          Variant.R4J_TUNED,
          Variant.R4J_FITTED,
          Variant.R4J_LIMITER,
          Variant.FAILSAFE,
          Variant.FAILSAFE_FITTED,
          Variant.SENTINEL,
          Variant.SENTINEL_FITTED,
          Variant.OURS,
          Variant.OURS_40,
          Variant.OURS_DEADLINE);

  private static final List<Variant> NO_TIMEOUT =
      List.of(
          Variant.NONE,
          Variant.R4J,
          Variant.R4J_FITTED,
          Variant.R4J_LIMITER,
          Variant.FAILSAFE_FITTED,
          Variant.SENTINEL_FITTED,
          Variant.OURS,
          Variant.OURS_40,
          Variant.OURS_DEADLINE);

  /** One of each family, and with a fitted bulkhead the strongest of the peers. */
  private static final List<Variant> SOME =
      List.of(
          Variant.NONE,
          Variant.R4J,
          Variant.R4J_FITTED,
          Variant.FAILSAFE_FITTED,
          Variant.SENTINEL_FITTED,
          Variant.OURS);

  private static final List<Variant> WITH_CAPS =
      List.of(
          Variant.NONE,
          Variant.R4J_16,
          Variant.R4J_FITTED,
          Variant.FAILSAFE_FITTED,
          Variant.SENTINEL_FITTED,
          Variant.OURS);

  private static final List<Variant> FITTED =
      List.of(
          Variant.NONE,
          Variant.R4J_FITTED,
          Variant.FAILSAFE_FITTED,
          Variant.SENTINEL_FITTED,
          Variant.OURS);

  private static final List<Variant> FITTED_AND_DEADLINE =
      List.of(
          Variant.NONE,
          Variant.R4J_FITTED,
          Variant.FAILSAFE_FITTED,
          Variant.SENTINEL_FITTED,
          Variant.OURS,
          Variant.OURS_DEADLINE);

  private static final Rig.Setup POOL_32 = Rig.Setup.POOL_32;

  private static final Rig.Setup HSHA_5 =
      new Rig.Setup(ServerUnderTest.Kind.HSHA, 5, 1, 2000, Load.Rates.FULL.times(0.4));

  private static final Rig.Setup HSHA_32 =
      new Rig.Setup(ServerUnderTest.Kind.HSHA, 32, 1, 2000, Load.Rates.FULL);

  private Scenarios() {}

  static List<Scenario> all() {
    return List.of(
        new FaultScenario(
            "hang",
            "The dependency hangs for 8 s; its clients have a socket timeout of 2 s."
                + " TThreadPoolServer, 32 workers.",
            POOL_32,
            Downstream.Fault.HANG,
            8000,
            0,
            true,
            ALL_BUT_HYSTRIX),
        new FaultScenario(
            "hang-no-timeout",
            "The dependency hangs for 8 s; its clients have no timeout."
                + " TThreadPoolServer, 32 workers.",
            POOL_32.timeoutMillis(0),
            Downstream.Fault.HANG,
            8000,
            0,
            false,
            NO_TIMEOUT),
        new FaultScenario(
            "hang-3",
            "Three of three dependencies hang for 6 s. TThreadPoolServer, 32 workers.",
            POOL_32.dependencies(3),
            Downstream.Fault.HANG,
            6000,
            0,
            false,
            WITH_CAPS),
        new FaultScenario(
            "hang-5-workers",
            "The dependency hangs for 6 s. THsHaServer, 5 workers, 0.4 of the load.",
            HSHA_5,
            Downstream.Fault.HANG,
            6000,
            0,
            true,
            WITH_CAPS),
        new FaultScenario(
            "hang-3-5-workers",
            "Three of three dependencies hang for 6 s. THsHaServer, 5 workers, 0.4 of the load.",
            HSHA_5.dependencies(3),
            Downstream.Fault.HANG,
            6000,
            0,
            false,
            FITTED_AND_DEADLINE),
        new FaultScenario(
            "hang-resized",
            "The pool shrinks from 32 to 12 workers, and then the dependency hangs for 6 s."
                + " THsHaServer.",
            HSHA_32,
            Downstream.Fault.HANG,
            6000,
            12,
            false,
            List.of(Variant.NONE, Variant.R4J_FITTED, Variant.OURS)),
        new FaultScenario(
            "hang-resized-pool",
            "The pool shrinks from 32 to 12 workers, and then the dependency hangs for 6 s."
                + " TThreadPoolServer and 12 connections.",
            POOL_32,
            Downstream.Fault.HANG,
            6000,
            12,
            false,
            List.of(Variant.NONE, Variant.R4J_FITTED, Variant.OURS)),
        new FaultScenario(
            "slow",
            "The dependency is 20 times as slow for 6 s. TThreadPoolServer, 32 workers.",
            POOL_32,
            Downstream.Fault.SLOW,
            6000,
            0,
            false,
            SOME),
        new FaultScenario(
            "errors",
            "70 % of the calls fail for 9 s. TThreadPoolServer, 32 workers.",
            POOL_32,
            Downstream.Fault.ERRORS,
            9000,
            0,
            false,
            SOME),
        new FaultScenario(
            "refused",
            "Connections are refused for 8 s. TThreadPoolServer, 32 workers.",
            POOL_32,
            Downstream.Fault.REFUSE,
            8000,
            0,
            false,
            SOME),
        new FaultScenario(
            "trickle",
            "Replies come a byte a second for 6 s, which no socket timeout sees."
                + " TThreadPoolServer, 32 workers.",
            POOL_32,
            Downstream.Fault.TRICKLE,
            6000,
            0,
            false,
            List.of(
                Variant.NONE,
                Variant.R4J_FITTED,
                Variant.R4J_LIMITER,
                Variant.FAILSAFE_FITTED,
                Variant.OURS,
                Variant.OURS_DEADLINE)),
        new FaultScenario(
            "slow-5-workers",
            "The dependency is 20 times as slow for 6 s. THsHaServer, 5 workers, 0.4 of the load.",
            HSHA_5,
            Downstream.Fault.SLOW,
            6000,
            0,
            false,
            FITTED),
        new FaultScenario(
            "errors-5-workers",
            "70 % of the calls fail for 9 s. THsHaServer, 5 workers, 0.4 of the load.",
            HSHA_5,
            Downstream.Fault.ERRORS,
            9000,
            0,
            false,
            FITTED),
        new FaultScenario(
            "refused-5-workers",
            "Connections are refused for 8 s. THsHaServer, 5 workers, 0.4 of the load.",
            HSHA_5,
            Downstream.Fault.REFUSE,
            8000,
            0,
            false,
            FITTED),
        new FaultScenario(
            "trickle-5-workers",
            "Replies come a byte a second for 6 s. THsHaServer, 5 workers, 0.4 of the load.",
            HSHA_5,
            Downstream.Fault.TRICKLE,
            6000,
            0,
            false,
            FITTED_AND_DEADLINE),
        new HealScenario(
            "heals",
            "20 outages in which all calls fail until all breakers are open, and on to a random phase"
                + " of the open time; medians. TThreadPoolServer, 32 workers, all at once and a share"
                + " of the load each.",
            POOL_32,
            List.of(
                Variant.NONE,
                Variant.R4J,
                Variant.R4J_FITTED,
                Variant.FAILSAFE_FITTED,
                Variant.SENTINEL_FITTED,
                Variant.OURS)),
        new HungProbeScenario(
            "hung-probe",
            "Probes are never answered, though the dependency heals; clients without a timeout;"
                + " at most 12 s. TThreadPoolServer, 32 workers, two variants at a time; medians of 3.",
            POOL_32.timeoutMillis(0),
            List.of(
                Variant.R4J,
                Variant.R4J_FITTED,
                Variant.FAILSAFE_FITTED,
                Variant.SENTINEL_FITTED,
                Variant.HYSTRIX,
                Variant.OURS)),
        new HiccupScenario(
            "stall",
            "The dependency stalls for 150 ms, 5 times; medians. TThreadPoolServer, 32 workers.",
            POOL_32,
            HiccupScenario.Hiccup.STALL,
            List.of(
                Variant.NONE, Variant.BULKHEAD, Variant.R4J_FITTED, Variant.OURS, Variant.OURS_40)),
        new HiccupScenario(
            "pause",
            "The server's own JVM is stopped for 300 ms (SIGSTOP), 5 times; medians."
                + " TThreadPoolServer, 32 workers.",
            POOL_32,
            HiccupScenario.Hiccup.PAUSE,
            List.of(
                Variant.NONE, Variant.BULKHEAD, Variant.R4J_FITTED, Variant.OURS, Variant.OURS_40)),
        new RandomErrorsScenario(
            "random-errors",
            "60 s of health with 1 %, 5 % and 20 % of random errors. All at once and a share of"
                + " twice the load each.",
            POOL_32.dependencies(3).times(2),
            List.of(
                Variant.R4J,
                Variant.R4J_FITTED,
                Variant.FAILSAFE_FITTED,
                Variant.SENTINEL_FITTED,
                Variant.OURS)),
        new Simulation(
            "simulation",
            "10 million calls in simulated time, 5 % errors, log-normal latency.",
            List.of(Variant.R4J, Variant.R4J_TUNED, Variant.FAILSAFE, Variant.OURS)));
  }
}
