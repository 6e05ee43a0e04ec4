package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Cause;
import dev.thriftbreaker.breaker.Mode;

/**
 * Decides what becomes of a state or an override that was read from the store or heard from another
 * instance. Arithmetic only.
 *
 * <p>A higher epoch wins, an equal one is no news, unless the store has another state at that
 * epoch: two histories began anew after a loss, and the store decides. A lower one, or none, where
 * the store itself was read, means that the store lost something: it never means CLOSED. An event
 * may be late, so a lower epoch in an event means nothing.
 *
 * <p>Of this instance's own change that is not yet stored and a newer state of the fleet, the more
 * severe one counts if it is evidence or an operator's word, unless it is the older one too: a trip
 * from before an outage of the store is not replayed on a fleet that has moved on, and a timer's
 * half-open says nothing about the dependency.
 */
final class MergeRule {

  /** How much older than the fleet's state a trip may be and still count as a tie. */
  static final long TIE_MILLIS = 1_000;

  enum Verdict {
    /** No news. */
    IGNORE,
    /** The fleet's state is newer and becomes this instance's. */
    TAKE_OVER,
    /** The fleet's state is newer and is this instance's already. */
    AGREE,
    /** The fleet's state is newer, but this instance's own change is to be written over it. */
    KEEP_LOCAL,
    /** The store lost what this instance knows. */
    REGRESSION
  }

  /**
   * This instance's breaker.
   *
   * @param unwritten whether the state is this instance's own and not stored yet
   */
  record Local(BreakerState state, Cause cause, boolean unwritten, long ageMillis) {
    private boolean argues() {
      return state == BreakerState.OPEN || cause == Cause.OPERATOR;
    }
  }

  private MergeRule() {}

  /**
   * Judges a state.
   *
   * @param known the one known so far, or null
   * @param incoming what came, or null if the store has nothing
   * @param fromStore whether the store itself was read; otherwise it is an event
   */
  static Verdict state(FleetState known, FleetState incoming, boolean fromStore, Local local) {
    long knownEpoch = known == null ? 0 : known.epoch();
    long epoch = incoming == null ? 0 : incoming.epoch();
    if (epoch < knownEpoch) {
      return fromStore ? Verdict.REGRESSION : Verdict.IGNORE;
    }
    if (epoch == knownEpoch) {
      boolean same = epoch == 0 || incoming.lastRequest().equals(known.lastRequest());
      if (same || !fromStore) {
        return Verdict.IGNORE;
      }
    }
    int ours = severity(local.state());
    int theirs = severity(incoming.state());
    if (local.unwritten() && local.argues() && ours > theirs) {
      long tie = local.state() == BreakerState.OPEN ? TIE_MILLIS : 0;
      if (local.ageMillis() <= incoming.ageMillis() + tie) {
        return Verdict.KEEP_LOCAL;
      }
    }
    // two open ones still have to agree on the deadline
    return ours == theirs && incoming.state() != BreakerState.OPEN
        ? Verdict.AGREE
        : Verdict.TAKE_OVER;
  }

  /**
   * Judges an override.
   *
   * @param known the one known so far, or null
   * @param incoming what came, or null if the store has nothing
   * @param fromStore whether the store itself was read; otherwise it is an event
   */
  static Verdict override(FleetOverride known, FleetOverride incoming, boolean fromStore) {
    long knownVersion = known == null ? 0 : known.version();
    long version = incoming == null ? 0 : incoming.version();
    if (version > knownVersion) {
      return Verdict.TAKE_OVER;
    }
    if (version == knownVersion || !fromStore) {
      return Verdict.IGNORE;
    }
    // nothing is lost with an override that has expired; but a release that is missing lets an
    // older override come back
    boolean expired = known.mode() != Mode.AUTO && !known.inForce();
    return incoming == null && expired ? Verdict.IGNORE : Verdict.REGRESSION;
  }

  static int severity(BreakerState state) {
    return switch (state) {
      case CLOSED, RAMPING -> 0;
      case HALF_OPEN -> 1;
      case OPEN -> 2;
    };
  }
}
