package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is remembered of an asynchronous request, and what is learned from it at its end. */
class TrailTest {

  private final CircuitBreaker stock = Breakers.closed("stock");
  private final CircuitBreaker bank = Breakers.closed("bank");
  private final CircuitBreaker mail = Breakers.closed("mail");
  private final Requirements requirements =
      new Requirements(List.of(), downstreams(stock, bank, mail), true, bound -> 1);

  private static List<Downstream> downstreams(CircuitBreaker... breakers) {
    return Arrays.stream(breakers).map(Downstream::new).toList();
  }

  private Trail watched() {
    return new Trail(requirements, true, 0);
  }

  private Requirement about(CircuitBreaker breaker) {
    return requirements.about(breaker.name());
  }

  @Test
  void takesStepsInTheOrderInWhichTheyWereNoted() {
    Trail trail = watched();
    trail.use(bank);
    trail.use(stock);
    trail.refuse(stock);
    trail.use(mail); // perhaps on another way than usual
    trail.end(false);

    assertThat(about(bank).uses()).isEqualTo(1);
    assertThat(about(stock).uses()).isEqualTo(1);
    assertThat(about(stock).refusals()).isEqualTo(1);
    assertThat(about(stock).failures()).isEqualTo(1);
    assertThat(about(mail).uses()).isZero();
  }

  @Test
  void blamesTheRefusalThatCameLast() {
    Trail trail = watched();
    trail.refuse(stock);
    trail.refuse(bank);
    trail.end(false);

    assertThat(about(stock).refusals()).isZero();
    assertThat(about(bank).failures()).isEqualTo(1);
  }

  @Test
  void learnsOnceAndNothingThatCameAfterTheEnd() {
    Trail trail = watched();
    trail.use(stock);
    trail.end(true);

    trail.use(bank);
    trail.refuse(bank);
    trail.end(false);

    assertThat(about(stock).requests()).isEqualTo(1);
    assertThat(requirements.all()).hasSize(1);
  }

  @Test
  void remembersCallsWithoutNumberAsOneUse() {
    Trail trail = watched();
    for (int i = 0; i < 10_000; i++) {
      trail.use(stock);
      trail.use(bank);
      trail.fail(bank);
    }
    trail.end(true);

    assertThat(about(stock).uses()).isEqualTo(1);
  }

  @Test
  void learnsNothingFromARequestWithTroubleWithoutEnd() {
    Trail trail = watched();
    for (int i = 0; i < 10_000; i++) {
      trail.refuse(stock);
      trail.fail(bank);
    }
    trail.end(false);

    assertThat(requirements.all()).isEmpty();
  }

  @Test
  void learnsFromARequestThatIsNotWatchedOnlyIfItWasRefused() {
    Trail untroubled = new Trail(requirements, false, 0);
    untroubled.end(true);
    assertThat(requirements.all()).isEmpty();

    Trail refused = new Trail(requirements, false, 0);
    refused.refuse(stock);
    refused.end(false);
    assertThat(about(stock).refusals()).isEqualTo(1);
  }

  @Test
  void missesNothingThatThreadsNoteAtOnce() throws Exception {
    List<CircuitBreaker> all = List.of(stock, bank, mail);
    ExecutorService threads = Executors.newFixedThreadPool(all.size());
    try {
      CyclicBarrier together = new CyclicBarrier(all.size());
      for (int round = 0; round < 500; round++) {
        Trail trail = watched();
        List<Future<?>> notes = new ArrayList<>();
        for (CircuitBreaker breaker : all) {
          notes.add(
              threads.submit(
                  () -> {
                    together.await();
                    trail.use(breaker);
                    return null;
                  }));
        }
        for (Future<?> note : notes) {
          note.get(10, TimeUnit.SECONDS);
        }
        trail.end(true);

        assertThat(requirements.all())
            .hasSize(3)
            .allSatisfy(one -> assertThat(one.uses()).isEqualTo(one.requests()));
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
