package dev.thriftbreaker.management;

import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an operator does through an MBean that is kept elsewhere: checked, put down to somebody, and
 * logged. Begin one for each call of an operation, on the thread that calls it.
 */
public final class OperatorAct {

  private static final Logger log = LoggerFactory.getLogger(OperatorAct.class);

  private final String by;
  private final String reason;

  private OperatorAct(String by, String reason) {
    this.by = by;
    this.reason = reason;
  }

  /**
   * Begins an act of the operator who calls now.
   *
   * @param reason why, as typed
   * @return the act
   * @throws IllegalArgumentException if nobody has really written a reason: it is blank, longer
   *     than 200 characters, has control characters or is what JConsole fills in
   */
  public static OperatorAct because(String reason) {
    return new OperatorAct(Operator.current(), Input.reason(reason));
  }

  /**
   * Checks a choice.
   *
   * @param name what is chosen
   * @param value the choice, as typed
   * @param allowed what there is to choose from
   * @return the choice, without white space around it
   * @throws IllegalArgumentException if it is none of these
   */
  public static String oneOf(String name, String value, Collection<String> allowed) {
    String chosen = value == null ? "" : value.strip();
    if (!allowed.contains(chosen)) {
      throw Input.bad(name, Input.quoted(value), "one of " + allowed);
    }
    return chosen;
  }

  /**
   * Ends the act: logs it with who did it and why.
   *
   * @param what what was changed, such as {@code Method quote}
   * @param change how it was changed, old -&gt; new
   * @return the change
   */
  public String done(String what, String change) {
    log.info("{}: {}, by {}: {}", what, change, by, reason);
    return change;
  }
}
