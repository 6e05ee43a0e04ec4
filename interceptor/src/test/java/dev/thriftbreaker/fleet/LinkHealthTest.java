package dev.thriftbreaker.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.fleet.LinkStatus.State;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LinkHealthTest {

  private final AtomicLong nanos = new AtomicLong();
  private final AtomicLong wall = new AtomicLong(1_700_000_000_000L);
  private final LinkHealth health = new LinkHealth(nanos::get, wall::get);

  private void pass(long millis) {
    nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
    wall.addAndGet(millis);
  }

  @Test
  void connectsThenIsUp() {
    assertThat(health.state()).isEqualTo(State.CONNECTING);
    assertThat(health.successWallMillis()).isZero();

    health.heard();
    assertThat(health.state()).isEqualTo(State.CONNECTING);

    health.succeeded();
    assertThat(health.state()).isEqualTo(State.UP);
    assertThat(health.successWallMillis()).isEqualTo(1_700_000_000_000L);
  }

  @Test
  void twoFailuresInARowDegradeAndOneSuccessHeals() {
    health.succeeded();
    health.failed("one");
    health.succeeded();
    health.failed("two");
    assertThat(health.state()).isEqualTo(State.UP);

    pass(7);
    health.failed("three");
    assertThat(health.state()).isEqualTo(State.DEGRADED);
    assertThat(health.errors()).isEqualTo(3);
    assertThat(health.lastError()).isEqualTo("three");
    assertThat(health.errorWallMillis()).isEqualTo(1_700_000_000_007L);

    health.succeeded();
    assertThat(health.state()).isEqualTo(State.UP);
    assertThat(health.lastError()).isEqualTo("three");
  }

  @Test
  void threeSecondsOfSilenceDegrade() {
    health.succeeded();
    pass(3_000);
    assertThat(health.state()).isEqualTo(State.UP);
    pass(1);
    assertThat(health.state()).isEqualTo(State.DEGRADED);
    health.heard();
    assertThat(health.state()).isEqualTo(State.UP);
  }

  @Test
  void aStoreThatTakesNoWritesIsDegradedThoughItIsRead() {
    health.succeeded();
    health.refusedWrite("OOM");
    health.succeeded();
    assertThat(health.state()).isEqualTo(State.DEGRADED);
    health.wrote();
    assertThat(health.state()).isEqualTo(State.UP);
  }

  @Test
  void closedStaysClosed() {
    health.close();
    health.succeeded();
    assertThat(health.state()).isEqualTo(State.CLOSED);
  }
}
