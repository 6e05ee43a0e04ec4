package dev.thriftbreaker.faults;

/**
 * Where a variant is put: what a user who sets a bulkhead by hand has to know.
 *
 * @param workers how many requests the server runs at once
 * @param dependencies how many dependencies its handlers use
 * @param trips is told of each breaker that opens
 */
record Site(int workers, int dependencies, Trips trips) {

  /** A cap with which all dependencies at once leave workers for the other methods. */
  int fittedCap() {
    return Math.max(1, workers / (dependencies + 1));
  }
}
