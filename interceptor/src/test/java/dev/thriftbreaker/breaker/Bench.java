package dev.thriftbreaker.breaker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** A breaker under a clock that only the test moves, with all its transitions written down. */
final class Bench {

  /** Close to the overflow of a long, so that every comparison of times must be by subtraction. */
  final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - Duration.ofSeconds(1).toNanos());

  final List<Transition> heard = new ArrayList<>();
  final CircuitBreaker breaker;
  double random = 0.5;

  /** How often the breaker asked to be ticked again. */
  int woken;

  /** Without ramp and early probes, unless the settings say otherwise. */
  Bench(UnaryOperator<BreakerConfig.Builder> settings) {
    this(settings, Workers.NONE);
  }

  Bench(UnaryOperator<BreakerConfig.Builder> settings, Workers workers) {
    this(settings, workers, Heartbeat.STEADY);
  }

  Bench(UnaryOperator<BreakerConfig.Builder> settings, Workers workers, Heartbeat heartbeat) {
    breaker =
        new CircuitBreaker(
            "inventory",
            settings
                .apply(
                    BreakerConfig.builder()
                        .rampInterval(Duration.ZERO)
                        .earlyProbeInterval(Duration.ZERO))
                .build(),
            clock::get,
            () -> random,
            () -> {},
            breaker -> woken++,
            workers,
            heartbeat);
    breaker.addListener((Transition transition) -> heard.add(transition));
  }

  static Bench withDefaults() {
    return new Bench(settings -> settings);
  }

  void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  long acquire() {
    return breaker.tryAcquire(clock.get());
  }

  long reserve() {
    return breaker.reserve(clock.get());
  }

  long begin(long reservation) {
    return breaker.begin(reservation, clock.get(), true);
  }

  void complete(long permit, Outcome outcome) {
    complete(permit, outcome, Duration.ZERO);
  }

  void complete(long permit, Outcome outcome, Duration took) {
    long now = clock.get();
    Throwable error = outcome == Outcome.FAILURE ? new IllegalStateException("down") : null;
    breaker.complete(permit, outcome, now - took.toNanos(), error);
    if (!took.isZero()) {
      clock.addAndGet(2); // no two slow calls of one slot begin at the same moment, or nearly
    }
  }

  void call(Outcome outcome) {
    call(outcome, Duration.ZERO);
  }

  void call(Outcome outcome, Duration took) {
    long permit = acquire();
    if (permit == CircuitBreaker.REFUSED) {
      throw new AssertionError("refused in " + breaker);
    }
    complete(permit, outcome, took);
  }

  void calls(int times, Outcome outcome) {
    for (int i = 0; i < times; i++) {
      call(outcome);
    }
  }

  void apply(BreakerState state, Duration remaining, int opens, String by, String reason) {
    long sequence = breaker.snapshot().sequence();
    if (!breaker.apply(sequence, state, remaining, opens, by, reason)) {
      throw new AssertionError("not applied to " + breaker);
    }
  }

  Bench trip() {
    calls(breaker.config().consecutiveFailures(), Outcome.FAILURE);
    return this;
  }

  Bench tripAndWait() {
    trip();
    pass(breaker.config().openDuration());
    breaker.tick();
    return this;
  }

  BreakerState state() {
    return breaker.snapshot().state();
  }

  boolean refused() {
    return acquire() == CircuitBreaker.REFUSED;
  }

  String story() {
    breaker.dispatch();
    return heard.stream()
        .map(t -> t.from() + ">" + t.to() + "/" + t.cause())
        .collect(Collectors.joining(" "));
  }
}
