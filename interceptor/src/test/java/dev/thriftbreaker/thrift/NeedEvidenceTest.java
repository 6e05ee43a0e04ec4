package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NeedEvidenceTest {

  private static long evidence(int used, int unused, int failed, int coped) {
    long evidence = NeedEvidence.NONE;
    for (int i = 0; i < Math.max(used, unused); i++) {
      evidence = i < unused ? NeedEvidence.afterRequest(evidence, false) : evidence;
      evidence = i < used ? NeedEvidence.afterRequest(evidence, true) : evidence;
    }
    for (int i = 0; i < Math.max(failed, coped); i++) {
      evidence = i < coped ? NeedEvidence.afterRefusal(evidence, true) : evidence;
      evidence = i < failed ? NeedEvidence.afterRefusal(evidence, false) : evidence;
    }
    return evidence;
  }

  @ParameterizedTest(name = "used {0}, not {1}, refused and failed {2}, coped {3}: {4}")
  @CsvSource({
    "0, 0, 0, 0, false",
    "100, 0, 0, 0, false",
    "100, 0, 9, 0, false",
    "100, 0, 10, 0, true",
    "9, 0, 10, 0, false",
    "10, 0, 10, 0, true",
    "9, 1, 10, 0, true",
    "8, 2, 10, 0, false",
    "90, 10, 10, 0, true",
    "89, 11, 10, 0, false",
    "0, 0, 20, 0, false",
    "100, 0, 10, 1, false",
    "100, 0, 18, 1, false",
    "100, 0, 19, 1, true",
    "100, 0, 18, 2, false",
    "100, 0, 0, 20, false",
  })
  void aMethodNeedsWhatNearlyEachRequestUsesAndNearlyNoneSurvivesWithout(
      int used, int unused, int failed, int coped, boolean needed) {
    assertThat(NeedEvidence.isNeeded(evidence(used, unused, failed, coped))).isEqualTo(needed);
  }

  @Test
  void tellsItsCounts() {
    long evidence = evidence(40, 3, 7, 2);

    assertThat(NeedEvidence.requests(evidence)).isEqualTo(43);
    assertThat(NeedEvidence.uses(evidence)).isEqualTo(40);
    assertThat(NeedEvidence.refusals(evidence)).isEqualTo(9);
    assertThat(NeedEvidence.failures(evidence)).isEqualTo(7);
  }

  @Test
  void forgetsRefusalsOnlyWhereAsked() {
    long evidence = NeedEvidence.withoutRefusals(evidence(40, 3, 7, 2));

    assertThat(NeedEvidence.requests(evidence)).isEqualTo(43);
    assertThat(NeedEvidence.uses(evidence)).isEqualTo(40);
    assertThat(NeedEvidence.refusals(evidence)).isZero();
    assertThat(NeedEvidence.failures(evidence)).isZero();
  }

  @Test
  void oneRequestThatCopesEndsANeedThatWasSureAndTenFailuresBringItBack() {
    // given
    long sure = evidence(100, 0, 1_000, 0);
    assertThat(NeedEvidence.isNeeded(sure)).isTrue();

    // when / then
    long coped = NeedEvidence.afterRefusal(sure, true);
    assertThat(NeedEvidence.isNeeded(coped)).isFalse();
    int failures = 0;
    while (!NeedEvidence.isNeeded(coped)) {
      coped = NeedEvidence.afterRefusal(coped, false);
      failures++;
    }
    assertThat(failures).isBetween(5, 10);
  }

  @Test
  void aHandlerThatCopedForLongAndNoMoreIsNoticedAfterAsManyRefusalsAsAreRemembered() {
    long evidence = evidence(100, 0, 0, 10_000);
    int failures = 0;
    while (!NeedEvidence.isNeeded(evidence)) {
      evidence = NeedEvidence.afterRefusal(evidence, false);
      failures++;
    }
    assertThat(failures).isLessThanOrEqualTo(3 * NeedEvidence.MOST_REFUSALS);
  }

  @Test
  void aHandlerThatNoLongerUsesADependencyIsNoticedAfterSomeTenRequests() {
    long evidence = evidence(10_000, 0, 20, 0);
    int requests = 0;
    while (NeedEvidence.isNeeded(evidence)) {
      evidence = NeedEvidence.afterRequest(evidence, false);
      requests++;
    }
    assertThat(requests).isBetween(5, 12);
  }

  @Test
  void noEvidenceForANeedEndsItAndNoneAgainstItMakesIt() {
    Random random = new Random(42);
    for (int run = 0; run < 2_000; run++) {
      double usedShare = random.nextBoolean() ? 0.85 + 0.15 * random.nextDouble() : 1;
      double copedShare = random.nextBoolean() ? 0.1 * random.nextDouble() : 0;
      long evidence = NeedEvidence.NONE;
      for (int i = 0; i < 200; i++) {
        boolean before = NeedEvidence.isNeeded(evidence);
        boolean refusal = random.nextBoolean();
        boolean against = random.nextDouble() < (refusal ? copedShare : 1 - usedShare);
        boolean enough =
            NeedEvidence.requests(evidence) >= NeedEvidence.REQUESTS_TO_LEARN
                && NeedEvidence.refusals(evidence) >= NeedEvidence.REFUSALS_TO_LEARN;

        evidence =
            refusal
                ? NeedEvidence.afterRefusal(evidence, against)
                : NeedEvidence.afterRequest(evidence, !against);

        boolean after = NeedEvidence.isNeeded(evidence);
        if (before && !after) {
          assertThat(against).isTrue();
        }
        if (!before && after && enough) {
          assertThat(against).isFalse();
        }
        assertThat(NeedEvidence.requests(evidence)).isBetween(0, NeedEvidence.MOST_REQUESTS);
        assertThat(NeedEvidence.refusals(evidence)).isBetween(0, NeedEvidence.MOST_REFUSALS);
        assertThat(NeedEvidence.uses(evidence)).isNotNegative();
        assertThat(NeedEvidence.failures(evidence)).isNotNegative();
      }
    }
  }

  @Test
  void wantsEachRefusalUntilItKnowsAndWhileItSheds() {
    assertThat(NeedEvidence.wantsRefusals(evidence(100, 0, 0, 9))).isTrue();
    assertThat(NeedEvidence.wantsRefusals(evidence(100, 0, 0, 10))).isFalse();
    assertThat(NeedEvidence.wantsRefusals(evidence(100, 0, 10, 0))).isTrue();
  }
}
