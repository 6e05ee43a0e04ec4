package dev.thriftbreaker.faults;

import java.time.Duration;
import java.util.Locale;
import java.util.function.Function;

/** What is compared. All breakers stay open for {@link #OPEN}; all else is said at each. */
enum Variant {
  NONE("no breaker", site -> (dependency, client) -> client),
  BULKHEAD("plain bulkhead, 16", site -> Resilience4j.bulkheadOnly(Variant.HAND_SET_CAP)),
  R4J("resilience4j, defaults", site -> Resilience4j.defaults(site)),
  R4J_TUNED("resilience4j, tuned", site -> Resilience4j.tuned(site)),
  R4J_16(
      "resilience4j, tuned, bulkhead 16", site -> Resilience4j.tuned(site, Variant.HAND_SET_CAP)),
  R4J_FITTED(
      "resilience4j, tuned, fitted bulkhead", site -> Resilience4j.tuned(site, site.fittedCap())),
  R4J_LIMITER(
      "resilience4j, tuned, fitted bulkhead, TimeLimiter",
      site -> Resilience4j.timeLimited(site, site.fittedCap())),
  FAILSAFE("Failsafe", site -> FailsafePeer.breaker(site)),
  FAILSAFE_FITTED(
      "Failsafe, fitted bulkhead, Timeout", site -> FailsafePeer.full(site, site.fittedCap())),
  SENTINEL("Sentinel degrade", site -> SentinelPeer.degrade(site)),
  SENTINEL_FITTED(
      "Sentinel degrade, fitted thread rule", site -> SentinelPeer.full(site, site.fittedCap())),
  HYSTRIX("Hystrix semaphore", site -> new HystrixPeer(site)),
  OURS("Thrift Breaker, defaults", site -> new Ours(site, settings -> {})),
  OURS_40(
      "Thrift Breaker, slowCallDuration 40 ms",
      site -> new Ours(site, settings -> settings.slowCallDuration(Duration.ofMillis(40)))),
  OURS_DEADLINE("Thrift Breaker, callTimeout 2 s", site -> Ours.deadline(site));

  /** How long every breaker stays open: our default. */
  static final Duration OPEN = Duration.ofSeconds(5);

  /** What a peer's user takes for a slow call: half of what the clients wait. */
  static final Duration SLOW = Duration.ofMillis(500);

  /** What a call may take: the same as the sockets' timeout, which is for each read. */
  static final Duration TIMEOUT = Duration.ofSeconds(2);

  static final int HAND_SET_CAP = 16;

  final String title;
  private final Function<Site, Guarding> guarding;

  Variant(String title, Function<Site, Guarding> guarding) {
    this.title = title;
    this.guarding = guarding;
  }

  Guarding at(Site site) {
    return guarding.apply(site);
  }

  /** As it is written on the command line, such as {@code r4j-tuned}. */
  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
