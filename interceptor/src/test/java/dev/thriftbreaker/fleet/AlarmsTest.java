package dev.thriftbreaker.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class AlarmsTest {

  private final Alarms alarms = new Alarms();

  private static long linesLogged(Runnable work) {
    PrintStream before = System.err;
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
    try {
      work.run();
    } finally {
      System.setErr(before);
    }
    return lines.toString(StandardCharsets.UTF_8).lines().filter(x -> x.contains("alarm-")).count();
  }

  private void raiseAll(int round) {
    for (int i = 0; i < 60; i++) {
      alarms.raise("subject " + i, "alarm-" + i + " round " + round);
    }
  }

  @Test
  void eachSubjectIsLoggedOnceWhileItStandsHoweverManyThereAre() {
    long logged =
        linesLogged(
            () -> {
              for (int round = 0; round < 3; round++) {
                raiseAll(round);
              }
            });

    assertThat(logged).isEqualTo(60);
    assertThat(alarms.list()).hasSize(51).startsWith("alarm-0 round 2").endsWith("and 10 more");
  }

  @Test
  void oneThatWasClearedIsLoggedAnew() {
    long logged =
        linesLogged(
            () -> {
              alarms.raise("subject", "alarm-1");
              alarms.clear("subject");
              alarms.raise("subject", "alarm-2");
            });

    assertThat(logged).isEqualTo(2);
    assertThat(alarms.list()).containsExactly("alarm-2");
  }
}
