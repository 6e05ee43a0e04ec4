package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReadmeTest {

  @ParameterizedTest
  @EnumSource
  void theTableOfSettingsSaysWhatTheCodeSays(Setting setting) throws IOException {
    String row =
        Files.readAllLines(Path.of("..", "README.md")).stream()
            .filter(line -> line.startsWith("| `" + setting.key() + "` |"))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no row for " + setting.key()));
    String[] cells = row.split("\\s*\\|\\s*");
    assertThat(cells[2])
        .as("default of %s", setting.key())
        .isEqualTo(setting.read(BreakerConfig.DEFAULTS));
    assertThat(cells[5])
        .as("running of %s", setting.key())
        .isEqualTo(setting.changeable() ? "yes" : "no");
  }
}
