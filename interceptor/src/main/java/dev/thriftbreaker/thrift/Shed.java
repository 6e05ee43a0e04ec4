package dev.thriftbreaker.thrift;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.thrift.TApplicationException;

/**
 * What a caller of a server is told when its request was shed: {@code SHED dependency=inventory
 * state=OPEN retryAfterMs=4200}. For programs that call a wrapped server; needs nothing else of
 * this library.
 *
 * <pre>{@code
 * try {
 *   receipt = checkout.placeOrder(order);
 * } catch (TException e) {
 *   Shed shed = Shed.of(e).orElseThrow(() -> e);
 *   retryLater(order, shed.retryAfter());
 * }
 * }</pre>
 *
 * @param dependency the dependency that the server could not call, or its method that was shed:
 *     letters, digits, {@code _ . -}, at most 64
 * @param state why, such as OPEN, HALF_OPEN, FORCED_OPEN or FULL; a later version may have more
 * @param retryAfter how long to wait before trying again: 0 if now, never more than a day, whatever
 *     the server says
 */
public record Shed(String dependency, String state, Duration retryAfter) {

  private static final String BEGINNING = "SHED dependency=";

  /** Every part is bounded, so a hostile message costs no more than a good one. */
  private static final Pattern TOKEN =
      Pattern.compile(
          BEGINNING
              + "([A-Za-z0-9_.-]{1,64}) state=([A-Z_]{1,32}) retryAfterMs=([0-9]{1,18})(?: |\\z)");

  private static final Duration LONGEST = Duration.ofDays(1);

  /** A chain of causes can be a ring, so its length is bounded. */
  private static final int DEEPEST = 16;

  /**
   * Reads what a failed call says. The message alone counts: some clients lose the exception's type
   * on the way, and a server may have chosen another.
   *
   * @param thrown what the call threw; where it is only the wrapper of a shed, the shed is found
   *     among its next 15 causes. May be null
   * @return the shed, or empty if it was none or its message is damaged
   */
  public static Optional<Shed> of(Throwable thrown) {
    Throwable one = thrown;
    for (int depth = 0; depth < DEEPEST && one != null; depth++) {
      Shed shed = parse(one.getMessage());
      if (shed != null) {
        return Optional.of(shed);
      }
      one = one.getCause();
    }
    return Optional.empty();
  }

  /**
   * The shed that another server answered a call with: not the refusal of a guard in this process.
   */
  static Shed received(Throwable thrown) {
    Throwable one = thrown;
    for (int depth = 0; depth < DEEPEST && one != null; depth++) {
      if (one instanceof TApplicationException) {
        return one instanceof BreakerOpenException ? null : parse(one.getMessage());
      }
      one = one.getCause();
    }
    return null;
  }

  /** Whether this is how the message of a shed begins. */
  static boolean begins(String message) {
    return message != null && message.startsWith(BEGINNING);
  }

  private static Shed parse(String message) {
    if (!begins(message)) {
      return null;
    }
    Matcher matcher = TOKEN.matcher(message);
    if (!matcher.lookingAt()) {
      return null;
    }
    Duration told = Duration.ofMillis(Long.parseLong(matcher.group(3)));
    return new Shed(
        matcher.group(1), matcher.group(2), told.compareTo(LONGEST) < 0 ? told : LONGEST);
  }
}
