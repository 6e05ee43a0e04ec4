package dev.thriftbreaker;

import dev.thriftbreaker.breaker.LatencyHistogram;
import dev.thriftbreaker.management.Latency;
import dev.thriftbreaker.management.MethodMXBean;
import dev.thriftbreaker.management.OperatorAct;
import dev.thriftbreaker.management.RequirementView;
import dev.thriftbreaker.thrift.Requirement;
import dev.thriftbreaker.thrift.Requirement.Source;
import dev.thriftbreaker.thrift.Requirement.Word;
import dev.thriftbreaker.thrift.Requirements;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The operator's view of one method.
 *
 * @param name the method
 * @param requirements what it needs
 * @param requests requests whose header was read
 * @param successes requests that ended normally
 * @param failures requests whose handler or transport failed
 * @param sheds requests shed at the door
 * @param contained failures of a dependency's transport answered instead of closing the connection
 * @param fallbacks requests given to a fallback processor
 * @param inFlight requests under way
 * @param latency how long requests took lately
 */
record MethodBean(
    String name,
    Requirements requirements,
    LongSupplier requests,
    LongSupplier successes,
    LongSupplier failures,
    LongSupplier sheds,
    LongSupplier contained,
    LongSupplier fallbacks,
    LongSupplier inFlight,
    Supplier<LatencyHistogram.Summary> latency)
    implements MethodMXBean {

  @Override
  public String getName() {
    return name;
  }

  @Override
  public String[] getRequires() {
    return requirements.inForce().toArray(String[]::new);
  }

  @Override
  public String[] getLearnedRequires() {
    return requirements.all().stream()
        .filter(one -> one.needed() && one.source() == Source.LEARNED)
        .map(Requirement::dependency)
        .toArray(String[]::new);
  }

  @Override
  public RequirementView[] getRequirements() {
    return requirements.all().stream().map(MethodBean::view).toArray(RequirementView[]::new);
  }

  private static RequirementView view(Requirement one) {
    return new RequirementView(
        one.dependency(),
        one.needed(),
        one.source().name(),
        one.requests(),
        one.uses(),
        one.refusals(),
        one.failures());
  }

  @Override
  public long getRequestCount() {
    return requests.getAsLong();
  }

  @Override
  public long getSuccessCount() {
    return successes.getAsLong();
  }

  @Override
  public long getFailureCount() {
    return failures.getAsLong();
  }

  @Override
  public long getShedCount() {
    return sheds.getAsLong();
  }

  @Override
  public long getContainedCount() {
    return contained.getAsLong();
  }

  @Override
  public long getFallbackCount() {
    return fallbacks.getAsLong();
  }

  @Override
  public long getInFlight() {
    return inFlight.getAsLong();
  }

  @Override
  public Latency getLatency() {
    return Latency.of(latency.get());
  }

  // ---- what an operator does

  @Override
  public String declareNeeded(String dependency, String reason) {
    return say(dependency, Word.NEEDED, reason);
  }

  @Override
  public String declareNotNeeded(String dependency, String reason) {
    return say(dependency, Word.NOT_NEEDED, reason);
  }

  @Override
  public String learn(String dependency, String reason) {
    return say(dependency, Word.LEARN, reason);
  }

  private String say(String dependency, Word word, String reason) {
    if (requirements.dependencies().isEmpty()) {
      throw new IllegalStateException("nothing to choose from: " + name + " has no dependencies");
    }
    String chosen = OperatorAct.oneOf("dependency", dependency, requirements.dependencies());
    OperatorAct act = OperatorAct.because(reason);
    Requirement before = requirements.about(chosen);
    if (changesNothing(before, word)) {
      throw new IllegalStateException(
          "nothing to change: of " + name + ", " + chosen + " is " + text(before) + " already");
    }
    requirements.say(chosen, word);
    Requirement after = requirements.about(chosen);
    return act.done("Method " + name, chosen + ": " + text(before) + " -> " + text(after));
  }

  private static boolean changesNothing(Requirement before, Word word) {
    boolean said = before.source() == Source.OPERATOR;
    return switch (word) {
      case NEEDED -> said && before.needed();
      case NOT_NEEDED -> said && !before.needed();
      case LEARN -> !said && before.refusals() == 0;
    };
  }

  private static String text(Requirement one) {
    String source = one.source().name().toLowerCase(Locale.ROOT);
    return (one.needed() ? "needed" : "not needed") + " (" + source + ")";
  }
}
