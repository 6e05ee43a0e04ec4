package dev.thriftbreaker.costs;

import static dev.thriftbreaker.costs.Figure.bytes;
import static dev.thriftbreaker.costs.Figure.nanos;
import static dev.thriftbreaker.costs.Target.ratio;
import static dev.thriftbreaker.costs.Target.value;

import java.util.List;
import java.util.stream.Stream;

/** What the breaker may cost, in the order of the page. */
final class Targets {

  /** A figure below is no object, but what others in the same JVM allocate meanwhile. */
  private static final double NO_BYTES = 0.5;

  /** All of them. */
  static final List<Target> ALL =
      Stream.of(success(), refusal(), scale()).flatMap(List::stream).toList();

  private Targets() {}

  private static List<Target> success() {
    return List.of(
        ratio(
                "success, exact clock : two reads of the clock, 1 thread",
                nanos("success.ours", 1),
                nanos("clock.clockTwice", 1))
            .atMost(1.10),
        ratio(
                "success, exact clock : two reads of the clock, 2 threads",
                nanos("success.ours", 2),
                nanos("clock.clockTwice", 2))
            .atMost(1.10),
        ratio(
                "success, exact clock : resilience4j's default, 1 thread",
                nanos("success.ours", 1),
                nanos("success.resilience4jCount", 1))
            .atMost(0.80),
        ratio(
                "success, exact clock : resilience4j's default, 2 threads",
                nanos("success.ours", 2),
                nanos("success.resilience4jCount", 2))
            .atMost(0.30),
        ratio(
                "success, ticker : one LongAdder increment, 1 thread",
                nanos("success.oursTicker", 1),
                nanos("clock.longAdder", 1))
            .atMost(1),
        ratio(
                "success, ticker : one LongAdder increment, 2 threads",
                nanos("success.oursTicker", 2),
                nanos("clock.longAdder", 2))
            .atMost(1),
        ratio(
                "success, ticker : the fastest peer, 1 thread",
                nanos("success.oursTicker", 1),
                peers(1))
            .atMost(0.1),
        ratio(
                "success, ticker : the fastest peer, 2 threads",
                nanos("success.oursTicker", 2),
                peers(2))
            .atMost(0.1),
        ratio(
                "success, ticker : Failsafe's permits, which know no latency, 1 thread",
                nanos("success.oursTicker", 1),
                nanos("success.failsafePermits", 1))
            .atMost(0.1),
        ratio(
                "success, ticker : Failsafe's permits, which know no latency, 2 threads",
                nanos("success.oursTicker", 2),
                nanos("success.failsafePermits", 2))
            .atMost(0.1),
        value("success, exact clock: allocated", bytes("success.ours", 1)).atMost(NO_BYTES),
        value("success, ticker: allocated", bytes("success.oursTicker", 1)).atMost(NO_BYTES),
        value("success, Guard.call: allocated", bytes("success.oursGuardCall", 1))
            .atMost(NO_BYTES));
  }

  private static List<Figure> peers(int threads) {
    return Stream.of(
            "resilience4jCount",
            "resilience4jCountLockFree",
            "resilience4jTime",
            "resilience4jTimeLockFree",
            "failsafeExecutor",
            "sentinel",
            "gradient2",
            "hystrix")
        .map(peer -> nanos("success." + peer, threads))
        .toList();
  }

  private static List<Target> refusal() {
    return List.of(
        value("refusal, decision, the time being known", nanos("refusal.oursDecisionTimeGiven", 1))
            .atMost(3),
        ratio(
                "refusal, decision, the time being known : Failsafe's tryAcquirePermit",
                nanos("refusal.oursDecisionTimeGiven", 1),
                nanos("refusal.failsafeDecision", 1))
            .atMost(0.1),
        value("refusal, decision: allocated", bytes("refusal.oursDecision", 1)).atMost(NO_BYTES),
        ratio(
                "refusal, exception : resilience4j's default, 1 thread",
                nanos("refusal.oursException", 1),
                nanos("refusal.resilience4jException", 1))
            .atMost(0.1),
        ratio(
                "refusal, exception : resilience4j's default, 2 threads",
                nanos("refusal.oursException", 2),
                nanos("refusal.resilience4jException", 2))
            .atMost(0.1),
        value("refusal, exception: allocated", bytes("refusal.oursException", 1)).atMost(NO_BYTES));
  }

  private static List<Target> scale() {
    return List.of(
        ratio(
                "success, any of 100 breakers : the only one",
                nanos("manyBreakers.ours.100", 1),
                nanos("manyBreakers.ours.1", 1))
            .atMost(1.2),
        ratio(
                "success, any of 10,000 breakers : of resilience4j's",
                nanos("manyBreakers.ours.10000", 1),
                nanos("manyBreakers.resilience4j.10000", 1))
            .atMost(1),
        ratio(
                "success in all by 64 threads : by 2",
                new Figure("threads.ours", 64, "ops/us"),
                new Figure("threads.ours", 2, "ops/us"))
            .atLeast(0.9));
  }
}
