package dev.thriftbreaker.management;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Evidence;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.breaker.ModeOverride;
import dev.thriftbreaker.breaker.Setting;
import dev.thriftbreaker.fleet.FleetSync;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operator's view of one breaker. Holds no state of its own: each attribute is read from the
 * breaker when asked for. Any threads may use it at once.
 */
final class BreakerBean implements BreakerMXBean {

  private static final Logger log = LoggerFactory.getLogger(BreakerBean.class);

  private final CircuitBreaker breaker;
  private final FleetSync fleet;
  private final WallTime wallTime;
  private final Supplier<GuardNumbers> guards;
  private final History history;

  /**
   * @param fleet what carries fleet-wide acts, or null where state is kept in memory only
   */
  BreakerBean(
      CircuitBreaker breaker,
      FleetSync fleet,
      WallTime wallTime,
      Supplier<GuardNumbers> guards,
      History history) {
    this.breaker = breaker;
    this.fleet = fleet;
    this.wallTime = wallTime;
    this.guards = guards;
    this.history = history;
  }

  // ---- state and mode

  @Override
  public String getName() {
    return breaker.name();
  }

  @Override
  public String getState() {
    return snapshot().state().name();
  }

  @Override
  public int getStateCode() {
    return snapshot().state().code();
  }

  @Override
  public Map<String, Integer> getStates() {
    BreakerState now = snapshot().state();
    Map<String, Integer> states = new LinkedHashMap<>();
    for (BreakerState state : BreakerState.values()) {
      states.put(state.name(), state == now ? 1 : 0);
    }
    return states;
  }

  @Override
  public String getMode() {
    return snapshot().mode().name();
  }

  @Override
  public String getModeReason() {
    return ofOverride(ModeOverride::reason);
  }

  @Override
  public String getModeBy() {
    return ofOverride(ModeOverride::by);
  }

  @Override
  public String getModeUntil() {
    return ofOverride(override -> wallTime.iso(override.untilNanos()));
  }

  @Override
  public boolean isModeFleetWide() {
    ModeOverride override = snapshot().override();
    return override != null && override.fleet();
  }

  private String ofOverride(Function<ModeOverride, String> what) {
    ModeOverride override = snapshot().override();
    return override == null ? "" : what.apply(override);
  }

  @Override
  public boolean isRefusing() {
    return Metrics.isRefusing(breaker);
  }

  @Override
  public String getSince() {
    return wallTime.iso(snapshot().sinceNanos());
  }

  @Override
  public String getUntil() {
    long now = breaker.now();
    BreakerSnapshot snapshot = snapshot();
    return snapshot.state() == BreakerState.OPEN
        ? wallTime.iso(now + snapshot.remainingNanos())
        : "";
  }

  @Override
  public long getRetryAfterMillis() {
    BreakerSnapshot snapshot = snapshot();
    return snapshot.state() == BreakerState.OPEN
        ? TimeUnit.NANOSECONDS.toMillis(snapshot.remainingNanos())
        : 0;
  }

  @Override
  public double getPassingShare() {
    return snapshot().share();
  }

  @Override
  public int getConsecutiveOpens() {
    return snapshot().consecutiveOpens();
  }

  @Override
  public String getCause() {
    return snapshot().cause().name();
  }

  @Override
  public String getReason() {
    return snapshot().evidence().reason();
  }

  @Override
  public String getLastTrip() {
    Evidence trip = snapshot().lastTrip();
    return trip == null ? "" : trip.reason();
  }

  @Override
  public Map<String, Long> getLastTripErrors() {
    Evidence trip = snapshot().lastTrip();
    return trip == null ? Map.of() : trip.topErrors();
  }

  @Override
  public int getLastTripHungCalls() {
    Evidence trip = snapshot().lastTrip();
    return trip == null ? 0 : trip.hungCalls();
  }

  @Override
  public String[] getLastTripOldestCalls() {
    Evidence trip = snapshot().lastTrip();
    return trip == null ? new String[0] : inWords(trip.oldestCalls());
  }

  private static String[] inWords(List<Evidence.PendingCall> calls) {
    return calls.stream().map(Evidence.PendingCall::toString).toArray(String[]::new);
  }

  // ---- counters and rates

  @Override
  public long getCallCount() {
    return snapshot().acquired();
  }

  @Override
  public long getSuccessCount() {
    return snapshot().successes();
  }

  @Override
  public long getFailureCount() {
    return snapshot().failures();
  }

  @Override
  public long getIgnoredCount() {
    return snapshot().ignored();
  }

  @Override
  public long getSlowCount() {
    return snapshot().slow();
  }

  @Override
  public long getHungCount() {
    return snapshot().hung();
  }

  @Override
  public long getShedCount() {
    return snapshot().refused();
  }

  @Override
  public long getFullCount() {
    return snapshot().refusedFull();
  }

  @Override
  public long getHeldOffCount() {
    return guards.get().heldOff();
  }

  @Override
  public long getFallbackCount() {
    return guards.get().fallbacks();
  }

  @Override
  public long getLateCount() {
    return snapshot().late();
  }

  @Override
  public long getWouldRefuseCount() {
    return snapshot().wouldRefuse();
  }

  @Override
  public long getInFlight() {
    return snapshot().inFlight();
  }

  @Override
  public int getMaxConcurrentCalls() {
    return snapshot().maxConcurrentCalls();
  }

  @Override
  public String getMaxConcurrentCallsSetting() {
    return Setting.MAX_CONCURRENT_CALLS.read(breaker.config());
  }

  @Override
  public String[] getOldestCalls() {
    return inWords(breaker.oldestCalls());
  }

  @Override
  public long getWindowCalls() {
    return snapshot().window().calls();
  }

  @Override
  public double getFailureRate() {
    return snapshot().window().failureRate();
  }

  @Override
  public double getSlowCallRate() {
    return snapshot().window().slowCallRate();
  }

  @Override
  public long getOpenedCount() {
    return snapshot().opened();
  }

  @Override
  public long getOpenMillisTotal() {
    return TimeUnit.NANOSECONDS.toMillis(snapshot().openNanosTotal());
  }

  @Override
  public Latency getLatency() {
    return Latency.of(breaker.latency());
  }

  @Override
  public Map<String, String> getSettings() {
    return Setting.readAll(breaker.config());
  }

  @Override
  public int getConfigVersion() {
    return breaker.configVersion();
  }

  @Override
  public String[] getHistory() {
    return history.lines();
  }

  private BreakerSnapshot snapshot() {
    return breaker.snapshot();
  }

  // ---- what an operator does

  @Override
  public String forceOpen(long seconds, String reason) {
    return override(Mode.FORCED_OPEN, seconds, reason);
  }

  @Override
  public String forceClosed(long seconds, String reason) {
    return override(Mode.FORCED_CLOSED, seconds, reason);
  }

  @Override
  public String shadow(long seconds, String reason) {
    return override(Mode.SHADOW, seconds, reason);
  }

  @Override
  public String forceOpenFleet(long seconds, String reason) {
    return overrideFleet(Mode.FORCED_OPEN, seconds, reason);
  }

  @Override
  public String forceClosedFleet(long seconds, String reason) {
    return overrideFleet(Mode.FORCED_CLOSED, seconds, reason);
  }

  @Override
  public String shadowFleet(long seconds, String reason) {
    return overrideFleet(Mode.SHADOW, seconds, reason);
  }

  private String override(Mode mode, long seconds, String reason) {
    long checked = Input.seconds(seconds);
    String why = Input.reason(reason);
    String by = Operator.current();
    Mode before = snapshot().mode();
    long until = breaker.now() + TimeUnit.SECONDS.toNanos(checked);
    breaker.override(new ModeOverride(mode, until, by, why, false));
    return done(before + " -> " + mode + " for " + checked + " s", by, why);
  }

  private String overrideFleet(Mode mode, long seconds, String reason) {
    long checked = Input.seconds(seconds);
    String why = Input.reason(reason);
    String by = Operator.current();
    Mode before = snapshot().mode();
    throughFleet(f -> f.override(breaker.name(), mode, Duration.ofSeconds(checked), by, why));
    return done(before + " -> " + mode + " for " + checked + " s, fleet-wide", by, why);
  }

  @Override
  public String release(String reason) {
    String why = Input.reason(reason);
    String by = Operator.current();
    ModeOverride before = snapshot().override();
    if (before == null) {
      throw new IllegalStateException("nothing to release: the mode of " + getName() + " is AUTO");
    }
    if (before.fleet()) {
      throughFleet(f -> f.release(breaker.name(), by, why));
    } else {
      breaker.release(by, why);
    }
    return done(
        before.mode() + " -> " + Mode.AUTO + (before.fleet() ? ", fleet-wide" : ""), by, why);
  }

  @Override
  public String reset(String reason) {
    String why = Input.reason(reason);
    String by = Operator.current();
    BreakerState before = snapshot().state();
    breaker.reset(by, why);
    return done(before + " -> " + BreakerState.CLOSED + ", window emptied", by, why);
  }

  @Override
  public String probeNow(String reason) {
    String why = Input.reason(reason);
    String by = Operator.current();
    if (!breaker.probeNow(by, why)) {
      throw new IllegalStateException(
          "nothing to probe: " + getName() + " is " + getState() + ", not " + BreakerState.OPEN);
    }
    return done(BreakerState.OPEN + " -> " + BreakerState.HALF_OPEN, by, why);
  }

  @Override
  public synchronized String set(String setting, String value, String reason) {
    Setting chosen = Setting.of(Input.text("setting", setting, "one of the keys of Settings"));
    String wanted = Input.text(chosen.key(), value, "a value such as 0.5, 20, 500ms or 5s");
    String why = Input.reason(reason);
    String by = Operator.current();
    String before = chosen.read(breaker.config());
    BreakerConfig.Builder builder = breaker.config().toBuilder();
    chosen.write(builder, wanted);
    BreakerConfig config = builder.build();
    String after = chosen.read(config);
    if (after.equals(before)) {
      throw new IllegalStateException(
          "nothing to set: " + chosen.key() + " of " + getName() + " is " + before + " already");
    }
    int version = breaker.configure(config);
    return done(
        chosen.key() + ": " + before + " -> " + after + " (config version " + version + ")",
        by,
        why);
  }

  private String done(String change, String by, String reason) {
    log.info("Breaker {}: {}, by {}: {}", breaker.name(), change, by, reason);
    return change;
  }

  /**
   * An exception of a class that the operator's console does not have would reach it as
   * ClassNotFoundException, so only text leaves.
   */
  private void throughFleet(Consumer<FleetSync> act) {
    if (fleet == null) {
      throw new IllegalStateException(
          "no fleet: state is kept in memory only, Redis is not configured;"
              + " use the operation for this instance");
    }
    try {
      act.accept(fleet);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(e.getMessage());
    } catch (IllegalStateException e) {
      throw new IllegalStateException(e.getMessage());
    } catch (RuntimeException e) {
      log.warn("A fleet-wide act on breaker {} failed", breaker.name(), e);
      throw new IllegalStateException("not stored: " + e);
    }
  }
}
