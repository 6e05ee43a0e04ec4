package dev.thriftbreaker.management;

/**
 * What the guards of a dependency count beside its breaker.
 *
 * @param fallbacks calls that a fallback was asked to answer, whether it did or not, since the
 *     start
 * @param heldOff calls and requests refused since the start because the dependency asked to be left
 *     alone
 */
public record GuardNumbers(long fallbacks, long heldOff) {

  /** Of a breaker without guards, such as a method's own. */
  public static final GuardNumbers NONE = new GuardNumbers(0, 0);
}
