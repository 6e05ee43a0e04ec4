package dev.thriftbreaker.breaker;

import static dev.thriftbreaker.breaker.Outcome.FAILURE;
import static dev.thriftbreaker.breaker.Outcome.IGNORED;
import static dev.thriftbreaker.breaker.Outcome.SUCCESS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class OutcomeRulesTest {

  private static final Classifier FAIL = error -> FAILURE;

  private static OutcomeRules rules(BreakerConfig.Builder builder) {
    return builder.build().outcomes();
  }

  @Test
  void theDefaultDecidesWhereNoRuleDoes() {
    assertThat(OutcomeRules.NONE.judgeError(new IOException(), FAIL)).isEqualTo(FAILURE);
    assertThat(OutcomeRules.NONE.judgeError(new IOException(), error -> SUCCESS))
        .isEqualTo(SUCCESS);
    assertThat(OutcomeRules.NONE.judgeResult(null)).isEqualTo(SUCCESS);
  }

  @Test
  void theClassifierComesFirstThenIgnoredThenFailedTypes() {
    OutcomeRules rules =
        rules(
            BreakerConfig.builder()
                .classifier(error -> error instanceof SocketTimeoutException ? SUCCESS : null)
                .ignore(IOException.class)
                .failOn(IOException.class, IllegalStateException.class));
    assertThat(rules.judgeError(new SocketTimeoutException(), FAIL)).isEqualTo(SUCCESS);
    assertThat(rules.judgeError(new IOException(), FAIL)).isEqualTo(IGNORED);
    assertThat(rules.judgeError(new IllegalStateException(), error -> SUCCESS)).isEqualTo(FAILURE);
    assertThat(rules.judgeError(new IllegalArgumentException(), error -> SUCCESS))
        .isEqualTo(SUCCESS);
  }

  @Test
  void wrappersAreJudgedByTheirCauseWhereAsked() {
    OutcomeRules rules =
        rules(
            BreakerConfig.builder()
                .unwrap(ExecutionException.class, UncheckedIOException.class)
                .ignore(SocketTimeoutException.class));
    Throwable nested =
        new ExecutionException(new UncheckedIOException(new SocketTimeoutException()));
    assertThat(rules.judgeError(nested, FAIL)).isEqualTo(IGNORED);
    assertThat(rules.judgeError(new RuntimeException(new SocketTimeoutException()), FAIL))
        .as("not a wrapper that was named")
        .isEqualTo(FAILURE);
  }

  @Test
  void aRingOfCausesEnds() {
    ExecutionException ring =
        new ExecutionException("ring", null) {
          private static final long serialVersionUID = 1;

          @Override
          public synchronized Throwable getCause() {
            return this;
          }
        };
    OutcomeRules rules = rules(BreakerConfig.builder().unwrap(ExecutionException.class));
    assertThat(rules.judgeError(ring, FAIL)).isEqualTo(FAILURE);
  }

  @Test
  void aClassifierOrPredicateThatThrowsIsPassedOver() {
    OutcomeRules rules =
        rules(
            BreakerConfig.builder()
                .classifier(
                    error -> {
                      throw new StackOverflowError();
                    })
                .failureResult(
                    result -> {
                      throw new IllegalStateException();
                    }));
    assertThat(rules.judgeError(new IOException(), FAIL)).isEqualTo(FAILURE);
    assertThat(rules.judgeResult("x")).isEqualTo(SUCCESS);
  }

  @Test
  void rulesAreAddedToThoseOfTheSettingsItStartsFrom() {
    BreakerConfig first =
        BreakerConfig.builder()
            .ignore(IllegalStateException.class)
            .failureResult("down"::equals)
            .classifier(error -> error instanceof SocketTimeoutException ? SUCCESS : null)
            .build();
    OutcomeRules rules = rules(first.toBuilder().ignore(IOException.class));
    assertThat(rules.judgeError(new IllegalStateException(), FAIL)).isEqualTo(IGNORED);
    assertThat(rules.judgeError(new IOException(), FAIL)).isEqualTo(IGNORED);
    assertThat(rules.judgeError(new SocketTimeoutException(), FAIL)).isEqualTo(SUCCESS);
    assertThat(rules.judgeResult("down")).isEqualTo(FAILURE);
  }

  @Test
  void aResultCanBeAFailure() {
    OutcomeRules rules = rules(BreakerConfig.builder().failureResult("down"::equals));
    assertThat(rules.judgeResult("down")).isEqualTo(FAILURE);
    assertThat(rules.judgeResult("up")).isEqualTo(SUCCESS);
  }
}
