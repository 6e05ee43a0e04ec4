package dev.thriftbreaker.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SyncWorkerTest {

  private static Duration reconcile(int breakers, double chance) {
    return Duration.ofNanos(SyncWorker.reconcileNanos(breakers, chance));
  }

  @Test
  void upToAThousandBreakersAreReadEachTwoSecondsOrSo() {
    assertThat(reconcile(1, 0)).isEqualTo(Duration.ofMillis(1_500));
    assertThat(reconcile(1_000, 0.5)).isEqualTo(Duration.ofMillis(2_000));
    assertThat(reconcile(1_000, 1)).isEqualTo(Duration.ofMillis(2_500));
  }

  @Test
  void moreBreakersAreReadLessOftenSoThatReadingCostsNoMore() {
    assertThat(reconcile(10_000, 0)).isEqualTo(Duration.ofSeconds(15));
    assertThat(reconcile(10_000, 1)).isEqualTo(Duration.ofSeconds(25));
  }
}
