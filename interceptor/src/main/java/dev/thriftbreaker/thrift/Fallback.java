package dev.thriftbreaker.thrift;

/**
 * Answers in place of a dependency that is not called, or that failed: from a cache, with a
 * default, from elsewhere.
 *
 * @param <T> the type of the answer
 */
@FunctionalInterface
public interface Fallback<T> {

  /**
   * Answers. Runs on the caller's thread; what it throws, the caller gets.
   *
   * @param why the {@link BreakerOpenException} of the breaker that refused, or what the failed
   *     call threw
   * @return the answer
   * @throws Exception if there is none
   */
  T answer(Exception why) throws Exception;
}
