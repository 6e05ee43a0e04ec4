package dev.thriftbreaker.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.demo.process.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What run.sh says to those who ask wrongly, and its exit status. */
class UsageTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          dance                                  | dance: unknown (expected: serve, load, fault
          serve --prot json                      | --prot: unknown (expected: --port,
          serve --port                           | --port: nothing (expected: a value after it)
          serve --port 70000                     | --port: 70000 (expected: a whole number from 0 to 65535)
          serve --protocol xml                   | --protocol: xml (expected: one of [binary, compact, json])
          serve --server hsha --transport buffered | --transport: buffered (expected: framed
          serve --redis localhost                | --redis: localhost (expected: redis://HOST:PORT)
          load --seconds 0                       | --seconds: 0 (expected: a whole number from 1
          fault warehouse down                   | warehouse: unknown (expected: one of inventory,
          fault inventory burn                   | burn: unknown (expected: errors SHARE,
          fault inventory errors 7               | errors: 7 (expected: a share, > 0 and <= 1)
          fault inventory slow                   | slow: nothing (expected: milliseconds
          """)
  void badUsageIsToldInALine(String arguments, String told) throws Exception {
    try (RunScript script = RunScript.start(arguments.split(" "))) {
      assertThat(script.status()).as(script::output).isEqualTo(2);
      assertThat(script.output()).startsWith("run.sh: " + told);
    }
  }

  @Test
  void aFaultWithoutARunningDemoIsTold() throws Exception {
    String port = String.valueOf(Ports.free());
    try (RunScript script = RunScript.start("fault", "inventory", "down", "--port", port)) {
      assertThat(script.status()).isEqualTo(1);
      assertThat(script.output()).startsWith("run.sh: no demo is running on port " + port);
    }
  }

  @Test
  void loadWithoutAShopIsTold() throws Exception {
    String port = String.valueOf(Ports.free());
    try (RunScript script = RunScript.start("load", "--port", port)) {
      assertThat(script.status()).isEqualTo(1);
      assertThat(script.output()).startsWith("run.sh: nothing listens on 127.0.0.1:" + port);
    }
  }

  @Test
  void helpNeedsNoJava() throws Exception {
    try (RunScript script = RunScript.start(Map.of("JAVA_HOME", "/nowhere"), "serve", "--help")) {
      assertThat(script.status()).isZero();
      assertThat(script.output()).contains("run.sh fault SERVICE");
    }
  }

  @Test
  void aJAVAHOMEWithoutJavaIsTold() throws Exception {
    try (RunScript script = RunScript.start(Map.of("JAVA_HOME", "/nowhere"), "serve")) {
      assertThat(script.status()).isEqualTo(1);
      assertThat(script.output())
          .isEqualTo("run.sh: JAVA_HOME: /nowhere has no bin/java (expected: a JDK, 17 or newer)");
    }
  }

  @Test
  void aJavaThatIsTooOldIsTold(@TempDir Path home) throws Exception {
    Path java = Files.createDirectory(home.resolve("bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
    try (RunScript script = RunScript.start(Map.of("JAVA_HOME", home.toString()), "serve")) {
      assertThat(script.status()).isEqualTo(1);
      assertThat(script.output()).endsWith("is Java 11 (expected: 17 or newer)");
    }
  }
}
