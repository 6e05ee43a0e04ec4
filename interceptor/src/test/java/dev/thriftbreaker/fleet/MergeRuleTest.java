package dev.thriftbreaker.fleet;

import static dev.thriftbreaker.breaker.BreakerState.CLOSED;
import static dev.thriftbreaker.breaker.BreakerState.HALF_OPEN;
import static dev.thriftbreaker.breaker.BreakerState.OPEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Cause;
import dev.thriftbreaker.breaker.Mode;
import dev.thriftbreaker.fleet.MergeRule.Local;
import dev.thriftbreaker.fleet.MergeRule.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MergeRuleTest {

  private static FleetState fleet(long epoch, BreakerState state, long ageMillis) {
    return new FleetState(epoch, state, ageMillis, 0, 1, "b", "LOCAL", "why", "r-1");
  }

  private static FleetOverride override(long version, Mode mode, long remainingMillis) {
    return new FleetOverride(version, mode, remainingMillis, "ann", "why", "r-1");
  }

  private static Local stored(BreakerState state) {
    return new Local(state, Cause.LOCAL, false, 0);
  }

  @ParameterizedTest
  @CsvSource({
    // the fleet's, this instance's, what becomes of it
    "OPEN, CLOSED, TAKE_OVER",
    "OPEN, HALF_OPEN, TAKE_OVER",
    "OPEN, OPEN, TAKE_OVER",
    "HALF_OPEN, CLOSED, TAKE_OVER",
    "HALF_OPEN, HALF_OPEN, AGREE",
    "HALF_OPEN, OPEN, TAKE_OVER",
    "CLOSED, CLOSED, AGREE",
    "CLOSED, HALF_OPEN, TAKE_OVER",
    "CLOSED, OPEN, TAKE_OVER"
  })
  void aHigherEpochWinsOverWhatIsStored(BreakerState theirs, BreakerState ours, Verdict expected) {
    assertThat(MergeRule.state(fleet(4, CLOSED, 0), fleet(5, theirs, 0), true, stored(ours)))
        .isEqualTo(expected);
    assertThat(MergeRule.state(fleet(4, CLOSED, 0), fleet(5, theirs, 0), false, stored(ours)))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anEqualEpochIsNoNews(boolean fromStore) {
    assertThat(MergeRule.state(fleet(5, OPEN, 0), fleet(5, OPEN, 0), fromStore, stored(CLOSED)))
        .isEqualTo(Verdict.IGNORE);
  }

  @Test
  void ofTwoHistoriesThatReachedTheSameEpochTheOneInTheStoreCounts() {
    FleetState other = new FleetState(5, CLOSED, 0, 0, 1, "c", "LOCAL", "why", "s-1 r-1");

    assertThat(MergeRule.state(fleet(5, OPEN, 0), other, true, stored(OPEN)))
        .isEqualTo(Verdict.TAKE_OVER);
    assertThat(MergeRule.state(fleet(5, OPEN, 0), other, false, stored(OPEN)))
        .isEqualTo(Verdict.IGNORE);
  }

  @Test
  void aLowerEpochInTheStoreIsALossAndInAnEventOnlyLate() {
    assertThat(MergeRule.state(fleet(5, OPEN, 0), fleet(4, CLOSED, 0), true, stored(OPEN)))
        .isEqualTo(Verdict.REGRESSION);
    assertThat(MergeRule.state(fleet(5, OPEN, 0), fleet(4, CLOSED, 0), false, stored(OPEN)))
        .isEqualTo(Verdict.IGNORE);
  }

  @Test
  void aMissingKeyIsALossIfItWasKnownAndNothingOtherwise() {
    assertThat(MergeRule.state(fleet(5, OPEN, 0), null, true, stored(OPEN)))
        .isEqualTo(Verdict.REGRESSION);
    assertThat(MergeRule.state(null, null, true, stored(CLOSED))).isEqualTo(Verdict.IGNORE);
  }

  @ParameterizedTest
  @CsvSource({
    // the fleet's, its age, this instance's unwritten one, its age
    "CLOSED,    5000, OPEN,      4000, KEEP_LOCAL",
    "CLOSED,    5000, OPEN,      5900, KEEP_LOCAL", // a tie
    "CLOSED,    5000, OPEN,      6100, TAKE_OVER", // stale: not replayed
    "HALF_OPEN, 5000, OPEN,      4000, KEEP_LOCAL",
    "OPEN,      5000, OPEN,      4000, TAKE_OVER", // agree on the deadline
    "OPEN,      5000, HALF_OPEN, 1,    TAKE_OVER",
    "OPEN,      5000, CLOSED,    1,    TAKE_OVER",
    "HALF_OPEN, 5000, CLOSED,    1,    TAKE_OVER",
  })
  void ofAnUnwrittenChangeAndANewerStateTheMoreSevereCountsUnlessItIsOlder(
      BreakerState theirs, long theirAge, BreakerState ours, long ourAge, Verdict expected) {
    Local local = new Local(ours, Cause.LOCAL, true, ourAge);

    assertThat(MergeRule.state(fleet(4, CLOSED, 0), fleet(5, theirs, theirAge), true, local))
        .isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "OPERATOR, 4000, KEEP_LOCAL",
    "OPERATOR, 5100, TAKE_OVER", // another's probes were faster
    "TIMER,    4000, TAKE_OVER" // a deadline that passed is no evidence
  })
  void onlyAnOperatorsHalfOpenIsKeptAgainstANewerClosed(
      Cause cause, long ourAge, Verdict expected) {
    Local local = new Local(HALF_OPEN, cause, true, ourAge);

    assertThat(MergeRule.state(fleet(4, OPEN, 0), fleet(5, CLOSED, 5_000), true, local))
        .isEqualTo(expected);
  }

  @Test
  void overridesMergeByVersion() {
    FleetOverride forced = override(3, Mode.FORCED_OPEN, 1_000);

    assertThat(MergeRule.override(null, forced, true)).isEqualTo(Verdict.TAKE_OVER);
    assertThat(MergeRule.override(forced, override(4, Mode.AUTO, 0), false))
        .isEqualTo(Verdict.TAKE_OVER);
    assertThat(MergeRule.override(forced, forced, true)).isEqualTo(Verdict.IGNORE);
    assertThat(MergeRule.override(forced, override(2, Mode.AUTO, 0), false))
        .isEqualTo(Verdict.IGNORE);
    assertThat(MergeRule.override(forced, override(2, Mode.AUTO, 0), true))
        .isEqualTo(Verdict.REGRESSION);
    assertThat(MergeRule.override(forced, null, true)).isEqualTo(Verdict.REGRESSION);
    assertThat(MergeRule.override(null, null, true)).isEqualTo(Verdict.IGNORE);
  }

  @Test
  void aReleaseThatWasLostIsWrittenAgainAndAnExpiredOverrideIsNot() {
    FleetOverride released = override(4, Mode.AUTO, 0);

    assertThat(MergeRule.override(released, null, true)).isEqualTo(Verdict.REGRESSION);
    assertThat(MergeRule.override(released, override(3, Mode.FORCED_OPEN, 9_000), true))
        .isEqualTo(Verdict.REGRESSION);
    assertThat(MergeRule.override(override(4, Mode.SHADOW, 0), null, true))
        .isEqualTo(Verdict.IGNORE);
  }
}
