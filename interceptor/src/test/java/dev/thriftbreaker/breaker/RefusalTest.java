package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.Outcome.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Refusals that say the same are one object; none is ever told that says something else. */
class RefusalTest {

  private final Bench bench = new Bench(settings -> settings.openDuration(Duration.ofSeconds(5)));

  private Refusal refusal() {
    return bench.breaker.refusal(bench.clock.get());
  }

  private static Refusal says(String reason, long millis) {
    return new Refusal("inventory", reason, millis * 1_000_000);
  }

  private ModeOverride forcedOpen(Duration time) {
    return new ModeOverride(
        Mode.FORCED_OPEN, bench.clock.get() + time.toNanos(), "kim", "night shift", false);
  }

  @Test
  void isOneObjectForAllCallsOfAMillisecondAndRoundsTheTimeUp() {
    bench.trip();
    bench.pass(Duration.ofNanos(1));
    Refusal first = refusal();
    assertThat(first).isEqualTo(says("OPEN", 5_000));

    bench.pass(Duration.ofNanos(999_998));
    assertThat(refusal()).isSameAs(first);

    bench.pass(Duration.ofNanos(1));
    assertThat(refusal()).isEqualTo(says("OPEN", 4_999));
    assertThat(refusal()).isSameAs(refusal());

    bench.pass(Duration.ofNanos(-1)); // a thread that read the clock before
    assertThat(refusal()).isEqualTo(first);
  }

  @Test
  void tellsWhatAnOperatorDidAMomentAgo() {
    bench.trip();
    assertThat(refusal()).isEqualTo(says("OPEN", 5_000));

    bench.breaker.override(forcedOpen(Duration.ofSeconds(5)));
    assertThat(refusal()).isEqualTo(says("FORCED_OPEN", 5_000));
    bench.breaker.override(forcedOpen(Duration.ofSeconds(9)));
    assertThat(refusal()).isEqualTo(says("FORCED_OPEN", 9_000));
    bench.breaker.release("kim", "morning");
    assertThat(refusal()).isEqualTo(says("OPEN", 5_000));

    bench.breaker.probeNow("kim", "seems well");
    assertThat(refusal().reason()).isEqualTo("HALF_OPEN");
    bench.breaker.reset("kim", "is well");
    bench.call(SUCCESS);
    bench.apply(BreakerState.OPEN, Duration.ofSeconds(2), 1, "another instance", "it is not");
    assertThat(refusal()).isEqualTo(says("OPEN", 2_000));
  }

  @Test
  void tellsThatAnOverrideHasExpiredWithoutATick() {
    bench.trip();
    bench.breaker.override(forcedOpen(Duration.ofSeconds(1)));
    assertThat(refusal()).isEqualTo(says("FORCED_OPEN", 1_000));

    bench.pass(Duration.ofSeconds(1));

    assertThat(refusal()).isEqualTo(says("OPEN", 4_000));
  }

  @Test
  void tellsTheSameBreakersReasonsApartWithinOneStatus() {
    Bench full = new Bench(settings -> settings.maxConcurrentCalls(1));
    long now = full.clock.get();
    Refusal one = full.breaker.refusal(CircuitBreaker.FULL, now);
    assertThat(one.reason()).isEqualTo("FULL");
    assertThat(full.breaker.refusal(CircuitBreaker.FULL, now)).isSameAs(one);
    full.breaker.override(
        new ModeOverride(Mode.FORCED_OPEN, now + one.retryAfterNanos(), "kim", "", false));

    assertThat(full.breaker.refusal(CircuitBreaker.REFUSED, now).reason()).isEqualTo("FORCED_OPEN");
    assertThat(full.breaker.refusal(CircuitBreaker.FULL, now)).isEqualTo(one);
  }

  /** Each thread asks for other times, so all replace the object all the time. */
  @Test
  void isNeverAnotherThreadsRefusal() throws Exception {
    bench.trip();
    long start = bench.clock.get();
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Void>> threads = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        int mine = thread;
        threads.add(
            () -> {
              for (int i = 0; i < 20_000; i++) {
                int millis = (mine + i) % 7;
                assertThat(bench.breaker.refusal(start + millis * 1_000_000L))
                    .isEqualTo(says("OPEN", 5_000 - millis));
              }
              return null;
            });
      }
      for (Future<Void> each : pool.invokeAll(threads)) {
        each.get();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** As part of an exception it may be sent to another JVM. */
  @Test
  void canBeSerialized() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(says("OPEN", 7));
    }
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertThat(in.readObject()).isEqualTo(says("OPEN", 7));
    }
  }
}
