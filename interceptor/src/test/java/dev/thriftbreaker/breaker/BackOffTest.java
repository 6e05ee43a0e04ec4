package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackOffTest {

  @ParameterizedTest
  @CsvSource({
    "1, 0, 4500",
    "1, 0.5, 5000",
    "1, 1, 5500",
    "2, 0, 9000",
    "4, 0.5, 40000",
    "5, 0.5, 60000",
    "5, 0, 54000",
    "5, 1, 60000",
    "2000, 0.5, 60000",
    "0, 0.5, 5000"
  })
  void doublesUpToTheMaximumAndSpreads(int opens, double random, long millis) {
    assertThat(BackOff.openNanos(BreakerConfig.DEFAULTS, opens, random))
        .isEqualTo(Duration.ofMillis(millis).toNanos());
  }

  @Test
  void withoutJitterChanceHasNoSay() {
    BreakerConfig config = BreakerConfig.builder().openJitter(0).build();
    assertThat(BackOff.openNanos(config, 1, 0)).isEqualTo(BackOff.openNanos(config, 1, 1));
  }
}
