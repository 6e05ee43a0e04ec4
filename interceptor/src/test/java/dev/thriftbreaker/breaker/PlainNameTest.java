package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PlainNameTest {

  @Test
  void takesWhatTheRegularExpressionTakes() {
    for (char c = 0; c < 1_000; c++) {
      for (String text : new String[] {"" + c, "a" + c, c + "9"}) {
        assertThat(PlainName.is(text, "_.-", 64))
            .as("character %d", (int) c)
            .isEqualTo(text.matches("[A-Za-z0-9_.-]{1,64}"));
      }
    }
  }

  @Test
  void isNeitherMissingNorEmptyNorTooLong() {
    assertThat(PlainName.is(null, "_", 3)).isFalse();
    assertThat(PlainName.is("", "_", 3)).isFalse();
    assertThat(PlainName.is("a_c", "_", 3)).isTrue();
    assertThat(PlainName.is("a_cd", "_", 3)).isFalse();
  }
}
