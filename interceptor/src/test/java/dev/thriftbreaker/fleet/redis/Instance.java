package dev.thriftbreaker.fleet.redis;

import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.Outcome;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.breaker.TransitionListener;
import dev.thriftbreaker.fleet.FleetSync;
import dev.thriftbreaker.fleet.LinkStatus;
import dev.thriftbreaker.fleet.StateStore;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** One server of the fleet as far as its breaker of {@code inventory} goes. */
final class Instance implements AutoCloseable {

  static final String DEPENDENCY = "inventory";
  private static final Duration LONG = Duration.ofSeconds(15);

  final String name;
  final CircuitBreaker breaker;
  final FleetSync sync;
  final List<Transition> transitions = new CopyOnWriteArrayList<>();
  private final ExecutorService teller = Executors.newSingleThreadExecutor();

  /**
   * One on the system's clock with open times of a minute. Where a test does not say otherwise, it
   * waits for its deadline and closes at once when its probes succeed.
   */
  static Instance start(URI redis, String name) {
    return start(redis, name, System::nanoTime, config -> {});
  }

  static Instance start(
      URI redis, String name, LongSupplier clock, Consumer<BreakerConfig.Builder> settings) {
    return start(new RedisStore(redis), name, clock, settings);
  }

  static Instance start(
      StateStore store, String name, LongSupplier clock, Consumer<BreakerConfig.Builder> settings) {
    Instance instance = new Instance(store, name, clock, settings);
    instance.sync.start();
    return instance;
  }

  private Instance(
      StateStore store, String name, LongSupplier clock, Consumer<BreakerConfig.Builder> settings) {
    BreakerConfig.Builder config =
        BreakerConfig.builder()
            .openDuration(Duration.ofSeconds(60))
            .openJitter(0)
            .probes(3)
            .earlyProbeInterval(Duration.ZERO)
            .rampInterval(Duration.ZERO);
    settings.accept(config);
    this.name = name;
    CircuitBreaker[] self = new CircuitBreaker[1];
    Runnable onChange = () -> teller.execute(() -> self[0].dispatch());
    breaker = new CircuitBreaker(DEPENDENCY, config.build(), clock, () -> 0.5, onChange);
    self[0] = breaker;
    breaker.addListener((TransitionListener) transitions::add);
    sync = new FleetSync(store, "shop", name, List.of(breaker));
  }

  // ---- what its calls do

  void fail() {
    call(Outcome.FAILURE);
  }

  void succeed() {
    call(Outcome.SUCCESS);
  }

  private void call(Outcome outcome) {
    long now = breaker.now();
    long permit = breaker.tryAcquire(now);
    if (permit >= 0) {
      breaker.complete(permit, outcome, now, new IllegalStateException("down"));
    }
  }

  void trip() {
    for (int i = 0; i < 5; i++) {
      fail();
    }
  }

  void probeAndClose() {
    breaker.probeNow("ann", "try it");
    for (int i = 0; i < 3; i++) {
      succeed();
    }
  }

  // ---- what it is

  BreakerState state() {
    return breaker.snapshot().state();
  }

  Mode mode() {
    return breaker.snapshot().mode();
  }

  long epoch() {
    return sync.epoch(DEPENDENCY);
  }

  LinkStatus status() {
    return sync.status();
  }

  Instance awaitState(BreakerState state) {
    await(name + " " + state).atMost(LONG).until(this::state, state::equals);
    return this;
  }

  Instance awaitMode(Mode mode) {
    await(name + " " + mode).atMost(LONG).until(this::mode, mode::equals);
    return this;
  }

  Instance awaitLink(LinkStatus.State state) {
    await(name + " link " + state).atMost(LONG).until(() -> status().state(), state::equals);
    return this;
  }

  /** Until it has read everything and hears everything. */
  Instance awaitReady() {
    await(name + " ready")
        .atMost(LONG)
        .until(
            () ->
                status().state() == LinkStatus.State.UP
                    && status().subscribed()
                    && status().reconciles() > 0);
    return this;
  }

  /** Until it has read everything once more from now on. */
  void awaitAnotherReconcile() {
    long before = status().reconciles();
    // one may be under way
    await(name + " reconciled").atMost(LONG).until(() -> status().reconciles() > before + 1);
  }

  Instance awaitWritten() {
    await(name + " written").atMost(LONG).until(() -> status().pendingWrites() == 0 && epoch() > 0);
    return this;
  }

  Instance awaitAlarm(String text) {
    await(name + " alarm " + text)
        .atMost(LONG)
        .until(() -> status().alarms().stream().anyMatch(alarm -> alarm.contains(text)));
    return this;
  }

  @Override
  public void close() {
    sync.close();
    teller.shutdownNow();
  }
}
