package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SettingsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "failureRateThreshold | 0 | failureRateThreshold: 0.0 (expected: > 0 and <= 1)",
        "failureRateThreshold | 3 | failureRateThreshold: 3.0 (expected: > 0 and <= 1)",
        "failureRateThreshold | NaN | failureRateThreshold: NaN (expected: > 0 and <= 1)",
        "failureRateThreshold | half | failureRateThreshold: half (expected: a number such as 0.5)",
        "minimumCalls | 0 | minimumCalls: 0 (expected: a whole number from 1 to 1000000)",
        "minimumCalls | 1.5 | minimumCalls: 1.5 (expected: a whole number)",
        "slowCallDuration | 5 | slowCallDuration: 5 (expected: a duration such as 500ms, 5s, 2m or PT0.5S)",
        "slowCallDuration | 0ms | slowCallDuration: PT0S (expected: a duration from 1 ms to 1 day)",
        "slowCallDuration | -PT1S | slowCallDuration: PT-1S (expected: a duration from 1 ms to 1 day)",
        "openDuration | 2d | openDuration: PT48H (expected: a duration from 1 ms to 1 day)",
        "openDuration | 2m | maxOpenDuration: PT1M (expected: at least openDuration, which is PT2M)",
        "openJitter | 1 | openJitter: 1.0 (expected: >= 0 and < 1)",
        "probes | 256 | probes: 256 (expected: a whole number from 1 to 250)",
        "windowType | SIZE | windowType: SIZE (expected: TIME or COUNT)",
        "callTimeout | -PT1S | callTimeout: PT-1S (expected: a duration from 1 ms to 1 day, or 0s)",
        "callTimeout | PT0.0001S | callTimeout: PT0.0001S (expected: a duration from 1 ms to 1 day, or 0s)",
        "callTimeout | 2d | callTimeout: PT48H (expected: a duration from 1 ms to 1 day, or 0s)",
        "consecutiveFailures | -1 | consecutiveFailures: -1 (expected: a whole number from 0 to 1000000)",
      })
  void aBadValueIsRefusedWithItsNameAndWhatWasExpected(String key, String value, String message) {
    BreakerConfig.Builder builder = BreakerConfig.builder();
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> {
              Setting.of(key).write(builder, value);
              builder.build();
            })
        .withMessage(message);
  }

  @Test
  void anUnknownSettingIsRefusedWithThoseThereAre() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Setting.of("failureRate"))
        .withMessageStartingWith(
            "failureRate: no such setting (expected one of: failureRateThreshold, ");
  }

  @Test
  void aCountWindowMustBeAbleToHoldTheMinimumOfCalls() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                BreakerConfig.builder()
                    .windowType(BreakerConfig.WindowType.COUNT)
                    .windowSize(10)
                    .build())
        .withMessage("minimumCalls: 20 (expected: at most windowSize, which is 10)");
  }

  @ParameterizedTest
  @EnumSource
  void everySettingReadsBackAsItWasWritten(Setting setting) {
    String text = setting.read(BreakerConfig.DEFAULTS);
    BreakerConfig.Builder builder = BreakerConfig.builder();
    setting.write(builder, text);
    assertThat(builder.build()).isEqualTo(BreakerConfig.DEFAULTS);
  }

  @Test
  void durationsAreReadAsPeopleWriteThem() {
    Map.of(
            "500ms", Duration.ofMillis(500),
            "5 s", Duration.ofSeconds(5),
            "2m", Duration.ofMinutes(2),
            "1h", Duration.ofHours(1),
            "PT0.5S", Duration.ofMillis(500))
        .forEach((text, expected) -> assertThat(Setting.parseDuration(text)).isEqualTo(expected));
  }

  @Test
  void settingsChangedAtRunTimeKeepWindowAndStateAndCountAtTheNextCall() {
    Bench bench = Bench.withDefaults();
    bench.calls(4, Outcome.FAILURE);

    int version =
        bench.breaker.configure(bench.breaker.config().toBuilder().consecutiveFailures(10).build());

    assertThat(version).isEqualTo(2);
    assertThat(bench.breaker.configVersion()).isEqualTo(2);
    bench.calls(5, Outcome.FAILURE);
    assertThat(bench.state()).isEqualTo(BreakerState.CLOSED);
    bench.call(Outcome.FAILURE);
    assertThat(bench.state())
        .as("the failures from before still count")
        .isEqualTo(BreakerState.OPEN);
    assertThat(bench.breaker.snapshot().lastTrip().configVersion()).isEqualTo(2);
  }

  @Test
  void aSlowDurationChangedAtRunTimeCountsAtTheNextCall() {
    Bench bench = Bench.withDefaults();
    bench.breaker.configure(
        bench.breaker.config().toBuilder().slowCallDuration(Duration.ofMillis(10)).build());
    bench.call(Outcome.SUCCESS, Duration.ofMillis(10));
    assertThat(bench.breaker.snapshot().slow()).isEqualTo(1);
  }

  @Test
  void theShapeOfARunningWindowIsFixed() {
    Bench bench = Bench.withDefaults();
    BreakerConfig longer =
        bench.breaker.config().toBuilder().windowDuration(Duration.ofSeconds(20)).build();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> bench.breaker.configure(longer))
        .withMessage(
            "windowDuration: 20s (expected: 10s, as built; the window of a running breaker keeps its"
                + " shape)");
    assertThat(bench.breaker.configVersion()).isEqualTo(1);
  }
}
