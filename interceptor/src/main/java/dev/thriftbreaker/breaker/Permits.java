package dev.thriftbreaker.breaker;

/**
 * The layout of a permit, a number that allocates nothing. Never negative.
 *
 * <pre>
 * generation 25 | counted 1 | slot of InFlight 13 | lease: place 8, number 16
 * </pre>
 */
final class Permits {

  private static final int LEASE_BITS = 24;
  private static final long LEASE_MASK = (1L << LEASE_BITS) - 1;
  private static final int COUNTED_SHIFT = LEASE_BITS + InFlight.BITS;
  private static final int GENERATION_SHIFT = COUNTED_SHIFT + 1;
  private static final long GENERATIONS = 1L << (63 - GENERATION_SHIFT);

  private Permits() {}

  /** The generation after this one; begins again after 30 million, and is never 0. */
  static long nextGeneration(long generation) {
    return Math.max(1, (generation + 1) % GENERATIONS);
  }

  static long of(long generation) {
    return generation << GENERATION_SHIFT;
  }

  static long generation(long permit) {
    return permit >>> GENERATION_SHIFT;
  }

  /** Which lease a permit or a reservation names, or what else its state put there. */
  static long lease(long permit) {
    return permit & LEASE_MASK;
  }

  static long with(long permit, int slot) {
    return permit | (long) slot << LEASE_BITS;
  }

  static int slot(long permit) {
    return (int) (permit >>> LEASE_BITS) & ((1 << InFlight.BITS) - 1);
  }

  /** The permit of a call that {@link Bulkhead} has counted. */
  static long counted(long permit) {
    return permit | 1L << COUNTED_SHIFT;
  }

  static boolean isCounted(long permit) {
    return (permit & 1L << COUNTED_SHIFT) != 0;
  }
}
