package dev.thriftbreaker.management;

import javax.management.ConstructorParameters;

/**
 * Whether a method needs a dependency, and on what ground. The counts are of late, older ones fade;
 * they are 0 where nothing is learned. Open MBean clients see it as composite data.
 */
public final class RequirementView {

  private final String dependency;
  private final boolean needed;
  private final String source;
  private final int requests;
  private final int uses;
  private final int refusals;
  private final int failures;

  /**
   * Made by the MBeans, and by clients that rebuild one from composite data.
   *
   * @param dependency the dependency
   * @param needed whether requests are shed while it refuses
   * @param source DECLARED, LEARNED or OPERATOR
   * @param requests requests looked at
   * @param uses how many of them used it
   * @param refusals requests looked at in which it refused
   * @param failures how many of them failed
   */
  @ConstructorParameters({
    "dependency",
    "needed",
    "source",
    "requests",
    "uses",
    "refusals",
    "failures"
  })
  public RequirementView(
      String dependency,
      boolean needed,
      String source,
      int requests,
      int uses,
      int refusals,
      int failures) {
    this.dependency = dependency;
    this.needed = needed;
    this.source = source;
    this.requests = requests;
    this.uses = uses;
    this.refusals = refusals;
    this.failures = failures;
  }

  /**
   * The dependency.
   *
   * @return its name
   */
  public String getDependency() {
    return dependency;
  }

  /**
   * Whether requests are shed at the door while it refuses.
   *
   * @return true if so
   */
  public boolean isNeeded() {
    return needed;
  }

  /**
   * On whose word.
   *
   * @return DECLARED, LEARNED or OPERATOR
   */
  public String getSource() {
    return source;
  }

  /**
   * Requests looked at, a sample of all.
   *
   * @return the count
   */
  public int getRequests() {
    return requests;
  }

  /**
   * How many of them used the dependency.
   *
   * @return the count
   */
  public int getUses() {
    return uses;
  }

  /**
   * Requests looked at in which the dependency refused.
   *
   * @return the count
   */
  public int getRefusals() {
    return refusals;
  }

  /**
   * How many of them failed.
   *
   * @return the count
   */
  public int getFailures() {
    return failures;
  }
}
