package dev.thriftbreaker.faults;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.Guard;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * Ten million calls, one after the other, of which 5 % fail at random, with log-normal latency
 * (median 1.85 ms, one in 2,000 over 50 ms), in simulated time.
 */
record Simulation(String name, String title, List<Variant> variants) implements Scenario {

  private static final double MEDIAN_NANOS = 1_850_000;
  private static final double SIGMA = 1;
  private static final double ERROR_RATE = 0.05;
  private static final long TICK_NANOS = 10_000_000;

  /** The failure of a simulated call. */
  private static final class CallFailed extends Exception {
    private static final long serialVersionUID = 1L;

    private CallFailed() {
      super("fails", null, false, false);
    }
  }

  /** A library's breaker in simulated time. */
  private interface Simulated {
    void call(Callable<Long> body) throws Exception;

    default void tick() {}

    long trips();
  }

  @Override
  public List<Result> run(List<Variant> chosen, Options options) {
    int calls = options.quick() ? 1_000_000 : 10_000_000;
    List<Result> results = new ArrayList<>();
    for (Variant variant : chosen) {
      SimulatedClock clock = new SimulatedClock();
      long trips = trips(simulated(variant, clock), clock, calls);
      Map<Measure, Double> measures = new EnumMap<>(Measure.class);
      measures.put(Measure.CALLS, (double) calls);
      measures.put(Measure.TRIPS, (double) trips);
      results.add(new Result(variant, measures, null));
    }
    return results;
  }

  private static long trips(Simulated breaker, SimulatedClock clock, int calls) {
    Random random = new Random(5);
    CallFailed failure = new CallFailed();
    long nextTick = TICK_NANOS;
    for (int i = 0; i < calls; i++) {
      long latency = (long) (MEDIAN_NANOS * Math.exp(SIGMA * random.nextGaussian()));
      boolean fails = random.nextDouble() < ERROR_RATE;
      long before = clock.nanos;
      try {
        breaker.call(
            () -> {
              clock.nanos += latency;
              if (fails) {
                throw failure;
              }
              return latency;
            });
      } catch (Exception e) {
        if (clock.nanos == before) {
          clock.nanos += latency; // refused
        }
      }
      if (clock.nanos >= nextTick) {
        breaker.tick();
        nextTick = clock.nanos + TICK_NANOS;
      }
    }
    return breaker.trips();
  }

  private static Simulated simulated(Variant variant, SimulatedClock clock) {
    return switch (variant) {
      case OURS -> new OurBreaker(clock);
      case R4J -> new TheirBreaker(CircuitBreakerConfig.custom(), clock);
      case R4J_TUNED -> new TheirBreaker(Resilience4j.tuning(), clock);
      case FAILSAFE -> new FailsafeBreaker();
      default -> throw new IllegalArgumentException(variant + " has no clock to simulate");
    };
  }

  private static final class OurBreaker implements Simulated {
    private final CircuitBreaker breaker;
    private long trips;

    private OurBreaker(SimulatedClock clock) {
      breaker =
          new CircuitBreaker(
              "simulated", BreakerConfig.DEFAULTS, () -> clock.nanos, () -> 0.5, () -> {});
      breaker.addListener(
          transition -> {
            if (transition.stateChanged() && transition.to() == BreakerState.OPEN) {
              trips++;
            }
          });
    }

    @Override
    public void call(Callable<Long> body) throws Exception {
      Guard.call(breaker, body);
    }

    @Override
    public void tick() {
      breaker.tick();
      breaker.dispatch();
    }

    @Override
    public long trips() {
      return trips;
    }
  }

  private static final class TheirBreaker implements Simulated {
    private final io.github.resilience4j.circuitbreaker.CircuitBreaker breaker;
    private long trips;

    private TheirBreaker(CircuitBreakerConfig.Builder settings, SimulatedClock clock) {
      breaker =
          io.github.resilience4j.circuitbreaker.CircuitBreaker.of(
              "simulated",
              settings
                  .waitDurationInOpenState(Variant.OPEN)
                  .clock(clock)
                  .currentTimestampFunction(now -> clock.nanos, TimeUnit.NANOSECONDS)
                  .build());
      breaker
          .getEventPublisher()
          .onStateTransition(
              event -> {
                if (event.getStateTransition().getToState()
                    == io.github.resilience4j.circuitbreaker.CircuitBreaker.State.OPEN) {
                  trips++;
                }
              });
    }

    @Override
    public void call(Callable<Long> body) throws Exception {
      breaker.executeCallable(body);
    }

    @Override
    public long trips() {
      return trips;
    }
  }

  /** It takes no clock, so it counts the last 100 calls instead of those of 10 s. */
  private static final class FailsafeBreaker implements Simulated {
    private long trips;
    private final FailsafeExecutor<Long> executor =
        Failsafe.with(
            dev.failsafe.CircuitBreaker.<Long>builder()
                .withFailureThreshold(50, 100)
                .withDelay(Variant.OPEN)
                .onOpen(event -> trips++)
                .build());

    @Override
    public void call(Callable<Long> body) {
      executor.get(body::call);
    }

    @Override
    public long trips() {
      return trips;
    }
  }

  private static final class SimulatedClock extends Clock {
    private long nanos;

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return Instant.ofEpochSecond(0, nanos);
    }
  }
}
