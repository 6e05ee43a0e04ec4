package dev.thriftbreaker.fleet.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.fleet.FleetOverride;
import dev.thriftbreaker.fleet.FleetState;
import dev.thriftbreaker.fleet.Reading;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayoutTest {

  private static final long NOW = 1_754_000_000_000L;

  private static Map<String, String> sound() {
    return new HashMap<>(
        Map.of(
            "v", "1",
            "ep", "1754000000000",
            "st", "OPEN",
            "since", "1753999999000",
            "until", "1754000004000",
            "n", "2",
            "by", "a",
            "cause", "LOCAL",
            "why", "failure rate",
            "rids", "s-2 s-1"));
  }

  @Test
  void timesAreRelativeToTheServersClock() {
    FleetState state = Layout.state(sound(), NOW).value();

    assertThat(state)
        .isEqualTo(
            new FleetState(
                NOW, BreakerState.OPEN, 1_000, 4_000, 2, "a", "LOCAL", "failure rate", "s-2 s-1"));
  }

  @ParameterizedTest
  @CsvSource({
    "ep, ''",
    "ep, 0",
    "ep, -1",
    "ep, 1e12",
    "ep, 1.5",
    "ep, 0x1F",
    "ep, ' 5'",
    "ep, x",
    "ep, 9007199254740992",
    "ep, 9007199254740991",
    "ep, 1754086400001",
    "ep, 99999999999999999999",
    "st, ''",
    "st, open",
    "st, x",
    "since, x",
    "since, -1",
    "until, x",
    "until, 99999999999999999999",
    "n, x",
    "n, -1"
  })
  void aDamagedFieldIsAProblemAndNothingWorse(String field, String value) {
    Map<String, String> fields = sound();
    fields.put(field, value);

    Reading<FleetState> reading = Layout.state(fields, NOW);

    assertThat(reading.value()).isNull();
    assertThat(reading.problem()).isNotBlank();
    assertThat(reading.foreign()).isFalse();
  }

  @Test
  void aLaterLayoutIsLeftAlone() {
    Map<String, String> fields = sound();
    fields.put("v", "2");

    assertThat(Layout.state(fields, NOW).foreign()).isTrue();

    fields.put("v", "1");
    fields.put("st", "MELTED");
    assertThat(Layout.state(fields, NOW).foreign()).isTrue();

    fields.put("st", "RAMPING");
    assertThat(Layout.state(fields, NOW).foreign()).isTrue();
  }

  @Test
  void aHashWithOnlyFieldsOfOthersIsAMissingState() {
    assertThat(Layout.state(Map.of(), NOW)).isEqualTo(Reading.missing());
    assertThat(Layout.state(Map.of("v", "1"), NOW)).isEqualTo(Reading.missing());
  }

  @Test
  void textsMayBeMissingAndHugeNumbersAreClamped() {
    Map<String, String> fields = sound();
    fields.keySet().removeAll(java.util.List.of("by", "cause", "why", "rids"));
    fields.put("until", "9007199254740991");
    fields.put("n", "9007199254740991");
    fields.put("since", "9007199254740991");

    FleetState state = Layout.state(fields, NOW).value();

    assertThat(state.remainingMillis()).isEqualTo(86_400_000);
    assertThat(state.consecutiveOpens()).isEqualTo(Integer.MAX_VALUE);
    assertThat(state.ageMillis()).isZero();
    assertThat(state.why()).isEmpty();
  }

  @Test
  void anOverrideIsRead() {
    Map<String, String> fields =
        Map.of("ver", "7", "mode", "SHADOW", "exp", "1754000001000", "by", "ann", "why", "x");

    assertThat(Layout.override(fields, NOW).value())
        .isEqualTo(new FleetOverride(7, Mode.SHADOW, 1_000, "ann", "x", ""));
    assertThat(Layout.override(Map.of("ver", "7", "mode", "NONE", "exp", "0"), NOW).value().mode())
        .isEqualTo(Mode.AUTO);
    assertThat(Layout.override(Map.of(), NOW)).isEqualTo(Reading.missing());
  }

  @ParameterizedTest
  @CsvSource({
    "ver, x",
    "ver, 0",
    "ver, 1754086400001",
    "mode, ''",
    "mode, open",
    "exp, x",
    "exp, -1"
  })
  void aDamagedOverrideIsAProblem(String field, String value) {
    Map<String, String> fields =
        new HashMap<>(Map.of("ver", "7", "mode", "SHADOW", "exp", "1754000001000"));
    fields.put(field, value);

    assertThat(Layout.override(fields, NOW).problem()).isNotBlank();
    assertThat(Layout.override(fields, NOW).foreign()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"v, 2", "mode, LIMITED", "mode, AUTO"})
  void anOverrideOfALaterVersionIsLeftAlone(String field, String value) {
    Map<String, String> fields =
        new HashMap<>(Map.of("ver", "7", "mode", "SHADOW", "exp", "1754000001000"));
    fields.put(field, value);

    assertThat(Layout.override(fields, NOW).foreign()).isTrue();
  }

  @Test
  void anEventIsFieldsInUrlEncoding() {
    assertThat(Layout.event("kind=state&why=a%26b%3D%E2%82%AC+&by="))
        .isEqualTo(Map.of("kind", "state", "why", "a&b=€ ", "by", ""));
    assertThatThrownBy(() -> Layout.event("hello")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Layout.event("a=%zz")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Layout.event("")).isInstanceOf(IllegalArgumentException.class);
  }
}
