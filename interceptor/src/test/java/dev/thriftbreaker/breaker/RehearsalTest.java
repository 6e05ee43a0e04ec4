package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RehearsalTest {

  @Test
  void everyWayToOpenAndCloseAgainIsRehearsed() {
    assertThat(Rehearsal.hang()).containsExactly(BreakerState.values());
    assertThat(Rehearsal.fail(10_000_000_000L)).containsExactly(BreakerState.values());
    assertThat(Rehearsal.fail(1)).containsExactly(BreakerState.values());
  }
}
