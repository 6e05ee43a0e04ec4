package dev.thriftbreaker.thrift;

/**
 * Whether a method needs a dependency, and on what ground. The counts are of late, older ones fade;
 * they are 0 where nothing is learned.
 *
 * @param dependency the dependency's name
 * @param needed whether requests are shed at the door while the dependency refuses calls
 * @param source on whose word
 * @param requests requests looked at, a sample of all
 * @param uses how many of them used the dependency
 * @param refusals requests looked at in which the dependency refused
 * @param failures how many of them failed
 */
public record Requirement(
    String dependency,
    boolean needed,
    Source source,
    int requests,
    int uses,
    int refusals,
    int failures) {

  /** On whose word a method needs a dependency, or does not. */
  public enum Source {
    /** It was declared when the server was built. */
    DECLARED,
    /** Its requests show it. */
    LEARNED,
    /** An operator said so. */
    OPERATOR
  }

  /** What an operator may say. */
  public enum Word {
    /** Requests are shed while the dependency refuses. */
    NEEDED,
    /** Requests are never shed because of the dependency. */
    NOT_NEEDED,
    /** Whatever was declared holds, and where nothing was, what requests show from now on. */
    LEARN
  }
}
