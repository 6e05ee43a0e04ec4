package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerConfig.DownstreamShed;
import dev.thriftbreaker.breaker.Classifier;
import dev.thriftbreaker.breaker.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsFileTest {

  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("breakers.properties"), text);
  }

  @Test
  void everyKindOfKeyIsTaken() throws IOException {
    Path file =
        file(
            """
            # a comment
            server = settings-file
            dependencies = payments, inventory, orders-db.v2, mail
            defaults.openDuration = 2s
            dependency.inventory.failureRateThreshold=0.25
            dependency.inventory.openDuration : 3s
            dependency.orders-db.v2.ignore = java.lang.InterruptedException, \\
                java.lang.IllegalArgumentException
            dependency.mail.downstreamShed = ignored
            dependency.mail.honorRetryAfter = true
            requires.placeOrder = inventory, mail
            shedType = 12
            shedType.placeOrder = 13
            methodBreakers = search, Shop.quote
            methodBreaker.search.openDuration = 7s
            requires.ping =
            learnRequirements = false
            """);
    try (ThriftInterceptor interceptor = ThriftInterceptor.fromProperties(file)) {
      assertThat(interceptor.breakers())
          .extracting("name")
          .containsExactlyInAnyOrder(
              "payments",
              "inventory",
              "orders-db.v2",
              "mail",
              "method.search",
              "method.Shop.quote");
      assertThat(interceptor.breaker("method.search").config().openDuration())
          .isEqualTo(Duration.ofSeconds(7));
      assertThat(interceptor.breaker("method.Shop.quote").config().openDuration())
          .isEqualTo(Duration.ofSeconds(2));
      BreakerConfig mail = interceptor.breaker("mail").config();
      assertThat(mail.downstreamShed()).isEqualTo(DownstreamShed.IGNORED);
      assertThat(mail.honorRetryAfter()).isTrue();
      BreakerConfig inventory = interceptor.breaker("inventory").config();
      assertThat(inventory.failureRateThreshold()).isEqualTo(0.25);
      assertThat(inventory.openDuration()).isEqualTo(Duration.ofSeconds(3));
      assertThat(interceptor.breaker("mail").config().openDuration())
          .isEqualTo(Duration.ofSeconds(2));
      assertThat(
              interceptor
                  .breaker("orders-db.v2")
                  .config()
                  .outcomes()
                  .judgeError(new IllegalArgumentException(), error -> Outcome.FAILURE))
          .isEqualTo(Outcome.IGNORED);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "colour = blue | 3: colour: no such key (expected one of: server, redis, namespace, instance, serverThreads, dependencies,"
            + " defaults.SETTING, dependency.NAME.SETTING, requires.METHOD, learnRequirements, coarseClock, shedType,"
            + " shedType.METHOD,"
            + " methodBreakers, methodBreaker.METHOD.SETTING)",
        "dependency.inventory.failureRate = 0.5 | 3: dependency.inventory.failureRate: no such setting (expected one"
            + " of: failureRateThreshold,",
        "dependency.inventory.failureRateThreshold = 3 | 3: dependency.inventory.failureRateThreshold: 3.0 (expected:"
            + " > 0 and <= 1)",
        "defaults.downstreamShed = SUCCESS | 3: defaults.downstreamShed: SUCCESS (expected: FAILURE or IGNORED)",
        "defaults.honorRetryAfter = yes | 3: defaults.honorRetryAfter: yes (expected: true or false)",
        "shedType = busy | 3: shedType: busy (expected: a whole number)",
        "methodBreaker.probes = 2 | 3: methodBreaker.probes: no such key (expected: methodBreaker.METHOD.SETTING)",
        "methodBreaker.search.probes = 0 | 3: methodBreaker.search.probes: 0 (expected: a whole number from 1 to"
            + " 250)",
        "methodBreakers = a b | 3: methodBreakers: method: a b (expected: its name as in the IDL, or Service.method)",
        "defaults.probes = many | 3: defaults.probes: many (expected: a whole number)",
        "defaults.probes = 0 | 3: defaults.probes: 0 (expected: a whole number from 1 to 250)",
        "defaults.maxConcurrentCalls = 0 | 3: defaults.maxConcurrentCalls: 0 (expected: auto, or 1 to 1000000)",
        "serverThreads = all | 3: serverThreads: all (expected: a whole number from 1 to 1000000)",
        "dependency.inventory.ignore = com.example.Nope | 3: dependency.inventory.ignore: com.example.Nope (expected:"
            + " the name of a class that is a java.lang.Throwable)",
        "dependency.inventory.classifier = java.lang.String | 3: dependency.inventory.classifier: java.lang.String"
            + " (expected: the name of a class that is a dev.thriftbreaker.breaker.Classifier)",
        "dependency.inventory = 5 | 3: dependency.inventory: no such key (expected: dependency.NAME.SETTING)",
        "dependency.in ventory.probes = 5 | 3: dependency.in: no such key (expected: dependency.NAME.SETTING)",
        "dependencies = a/b | 3: dependencies: dependency: a/b (expected: 1 to 64 of the characters A-Z a-z 0-9 _ . -)",
        "learnRequirements = no | 3: learnRequirements: no (expected: true or false)",
        "redis = http://127.0.0.1 | 3: redis: http://127.0.0.1 (expected: ",
        "namespace = a b | 3: namespace: a b (expected: 1 to 64 of the characters A-Z a-z 0-9 _ . -)",
        "server = again | 3: server: given twice (expected: once; first in line 2)",
      })
  void aBadLineIsRefusedWithItsNumberAndWhatWasExpected(String line, String message)
      throws IOException {
    Path file = file("\nserver = checkout\n" + line + "\n");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ThriftInterceptor.fromProperties(file))
        .withMessageStartingWith(file + ":" + message);
  }

  @Test
  void settingsThatContradictEachOtherAreRefusedWithALineOfTheirs() throws IOException {
    Path file =
        file(
            "server = checkout\ndefaults.maxOpenDuration = 10s\ndependency.a.openDuration = 30s\n");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ThriftInterceptor.fromProperties(file))
        .withMessage(
            file
                + ":2: defaults.maxOpenDuration: PT10S (expected: at least openDuration, which is"
                + " PT30S)");
  }

  @Test
  void aFileThatListsItsDependenciesMayNameNoOthers() throws IOException {
    for (String slip : List.of("dependency.inventry.probes = 3", "requires.place = inventry")) {
      Path file = file("server = checkout\ndependencies = inventory\n" + slip + "\n");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ThriftInterceptor.builder(file))
          .withMessageStartingWith(file + ":3: ")
          .withMessageEndingWith("inventry (expected: one of dependencies, [inventory])");
    }
  }

  @Test
  void defaultsAreJudgedTogetherWithWhatOverridesThem() throws IOException {
    Path file =
        file("server = together\ndefaults.openDuration = 2m\ndependency.a.maxOpenDuration = 5m\n");
    try (ThriftInterceptor interceptor = ThriftInterceptor.fromProperties(file)) {
      assertThat(interceptor.breaker("a").config().maxOpenDuration()).hasMinutes(5);
    }
  }

  @Test
  void aByteOrderMarkAndWindowsLineEndsAreNoFault() throws IOException {
    Path file = file("\uFEFFserver = bom\r\ndependencies = a, \\\r\n  b\r\n");
    try (ThriftInterceptor interceptor = ThriftInterceptor.fromProperties(file)) {
      assertThat(interceptor.breakers()).hasSize(2);
    }
  }

  @Test
  void anotherCharsetIsRefused() throws IOException {
    Path file = Files.write(folder.resolve("latin1"), new byte[] {'#', (byte) 0xE9, '\n'});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ThriftInterceptor.builder(file))
        .withMessage(file + ": not readable as text (expected: UTF-8)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://user:s3cr et@host:6379",
        "redis://user:s3cr%zz@host",
        "redis://user:s3cr/et@host",
        "http://user:s3cret@host"
      })
  void aPasswordIsNeverShown(String uri) throws IOException {
    Path file = file("server = checkout\nredis = " + uri + "\n");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ThriftInterceptor.builder(file))
        .withMessageStartingWith(file + ":2: redis: ")
        .withMessageContaining("***@host")
        .withMessageContaining("expected: redis://[user:password@]host[:port][/database]")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("s3c"));
  }

  /** Counts how often it is made. */
  public static final class Counting implements Classifier {
    static final AtomicInteger MADE = new AtomicInteger();

    /** For the settings file. */
    public Counting() {
      MADE.incrementAndGet();
    }

    @Override
    public Outcome classify(Throwable error) {
      return Outcome.IGNORED;
    }
  }

  /** Cannot be made. */
  public static final class Broken implements Classifier {

    /** For the settings file. */
    public Broken() {
      throw new IllegalStateException("no disk");
    }

    @Override
    public Outcome classify(Throwable error) {
      return null;
    }
  }

  @Test
  void aClassifierIsMadeOnceAndWhyItCannotBeMadeIsTold() throws IOException {
    String name = Counting.class.getName();
    Path file = file("server = once\ndependencies = a, b\ndefaults.classifier = " + name + "\n");
    ThriftInterceptor.fromProperties(file).close();
    assertThat(Counting.MADE).hasValue(1);

    Path broken =
        file("server = once\ndependencies = a\ndefaults.classifier = " + Broken.class.getName());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ThriftInterceptor.builder(broken))
        .withMessageContaining(":3: defaults.classifier: ")
        .withMessageContaining("its constructor threw java.lang.IllegalStateException: no disk");
  }

  @Test
  void aFileWithoutAServerOrNoFileAtAllIsRefused() throws IOException {
    Path file = file("dependencies = a\n");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ThriftInterceptor.fromProperties(file))
        .withMessage(file + ": server: missing (expected: the server's name)");
    assertThatThrownBy(() -> ThriftInterceptor.fromProperties(folder.resolve("none")))
        .isInstanceOf(NoSuchFileException.class);
  }
}
