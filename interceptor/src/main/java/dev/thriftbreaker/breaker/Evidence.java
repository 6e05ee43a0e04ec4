package dev.thriftbreaker.breaker;

import java.util.List;
import java.util.Map;

/**
 * Why a breaker changed its state, kept for the operator.
 *
 * @param reason one line for people, such as {@code failure rate 0.62 of 48 calls}
 * @param calls calls in the window when it was judged
 * @param failures failed calls among them
 * @param slowCalls slow calls among them
 * @param hungCalls calls in flight that had taken {@code slowCallDuration} or longer
 * @param consecutiveFailures failures in a row, up to that moment
 * @param topErrors the classes of the most frequent recent errors, each with its count, most
 *     frequent first
 * @param oldestCalls the calls in flight that began first, the oldest first; a few
 * @param configVersion the version of the settings that were in force, see {@link
 *     CircuitBreaker#configVersion()}
 */
public record Evidence(
    String reason,
    long calls,
    long failures,
    long slowCalls,
    int hungCalls,
    int consecutiveFailures,
    Map<String, Long> topErrors,
    List<PendingCall> oldestCalls,
    int configVersion) {

  /**
   * A call in flight.
   *
   * @param method where it is in the user's code, such as {@code Inventory$Client.reserve}: of the
   *     frames between the guard, or a reflective call within it, and the JDK's own the first;
   *     empty where that was not looked at (a call is only looked at when it hangs) or is not known
   * @param thread the name of the thread that began it, {@code ?} if that is not known
   * @param ageNanos how long ago it began
   */
  public record PendingCall(String method, String thread, long ageNanos) {

    private static final String GUARD = "dev.thriftbreaker.thrift.Guard";

    static PendingCall of(Thread thread, boolean withMethod, long ageNanos) {
      return new PendingCall(
          thread != null && withMethod ? method(thread.getStackTrace()) : "",
          thread == null ? "?" : thread.getName(),
          ageNanos);
    }

    /**
     * The outermost frame of somebody's code within the guard; or within a reflective call there,
     * as by a pool behind a proxy, which says little by itself.
     */
    private static String method(StackTraceElement[] frames) {
      String method = "";
      for (StackTraceElement frame : frames) {
        String type = frame.getClassName();
        boolean reflective = type.equals("java.lang.reflect.Method") && !method.isEmpty();
        if (reflective || type.startsWith(GUARD)) {
          return method;
        }
        boolean ofTheJdk =
            type.startsWith("java.")
                || type.startsWith("javax.")
                || type.startsWith("jdk.")
                || type.startsWith("sun.");
        if (!ofTheJdk) {
          method = type.substring(type.lastIndexOf('.') + 1) + "." + frame.getMethodName();
        }
      }
      return method;
    }

    /**
     * The call in words.
     *
     * @return such as {@code Inventory$Client.reserve on worker-7 for 2031 ms}
     */
    @Override
    public String toString() {
      return (method.isEmpty() ? "" : method + " ")
          + "on "
          + thread
          + " for "
          + ageNanos / 1_000_000
          + " ms";
    }
  }

  /** Evidence that is only a reason: a deadline, an operator's act, another instance's word. */
  static Evidence of(String reason, int configVersion) {
    return new Evidence(reason, 0, 0, 0, 0, 0, Map.of(), List.of(), configVersion);
  }
}
