package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a breaker at its defaults makes of a dependency that is not perfect, and well. */
class FalseTripsTest {

  @Test
  void tenMillionCallsOfWhichOneInTwentyFailsOpenNothing() {
    // given 1,000 calls a second, 2 ms each on average with a long tail
    Simulation server = new Simulation(32, 1, s -> s);
    Simulation.Dependency inventory = server.dependency();
    inventory.errorRate = 0.05;
    server.ownPerSecond = 0;

    // when some three hours pass
    server.run(Duration.ofSeconds(10_000));

    // then
    BreakerSnapshot snapshot = inventory.bench.breaker.snapshot();
    assertThat(inventory.calls).isGreaterThan(9_900_000);
    assertThat(snapshot.opened()).isZero();
    assertThat(snapshot.refused()).isZero();
    assertThat(snapshot.successes() + snapshot.failures() + snapshot.inFlight())
        .isEqualTo(snapshot.acquired());
  }
}
