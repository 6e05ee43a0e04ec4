package dev.thriftbreaker.fleet;

/**
 * What was found in one place of the store.
 *
 * @param <T> what should be there
 * @param value what is there, or null
 * @param problem why what is there cannot be used, or null
 * @param foreign whether it must be left alone, because a version of this library wrote it that
 *     this one does not understand, or it is not ours at all
 */
public record Reading<T>(T value, String problem, boolean foreign) {

  /**
   * Something sound.
   *
   * @param <T> what should be there
   * @param value what is there
   * @return the reading
   */
  public static <T> Reading<T> of(T value) {
    return new Reading<>(value, null, false);
  }

  /**
   * Nothing is there.
   *
   * @param <T> what should be there
   * @return the reading
   */
  public static <T> Reading<T> missing() {
    return new Reading<>(null, null, false);
  }

  /**
   * Something damaged, which the next write replaces.
   *
   * @param <T> what should be there
   * @param problem what is wrong
   * @return the reading
   */
  public static <T> Reading<T> damaged(String problem) {
    return new Reading<>(null, problem, false);
  }

  /**
   * Something that must be left alone.
   *
   * @param <T> what should be there
   * @param problem what it is
   * @return the reading
   */
  public static <T> Reading<T> foreign(String problem) {
    return new Reading<>(null, problem, true);
  }
}
