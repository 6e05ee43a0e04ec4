package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * The breakers of methods themselves, on the outcome of their requests: for methods whose handlers
 * use no guard. Immutable, as far as the function is.
 */
public final class MethodBreakers {

  /** No method has a breaker of its own. */
  public static final MethodBreakers NONE = new MethodBreakers(Map.of(), method -> null);

  private static final String PREFIX = "method.";

  private final Map<String, CircuitBreaker> named;
  private final Function<String, CircuitBreaker> others;

  /**
   * Sets up the breakers.
   *
   * @param named by a method's name its breaker. A method of a {@link
   *     org.apache.thrift.TMultiplexedProcessor} is called {@code Service.method}, or just {@code
   *     method} if no other service has one of that name
   * @param others asked for the breaker of each other method when a processor is wrapped, by the
   *     {@link #breakerName} of the method; returns null for none
   */
  public MethodBreakers(
      Map<String, CircuitBreaker> named, Function<String, CircuitBreaker> others) {
    this.named = Map.copyOf(named);
    this.others = Objects.requireNonNull(others, "others");
  }

  /**
   * The name of a method's breaker.
   *
   * @param method the method's name
   * @return {@code method.} and the name, or if that would be no name for JMX, what it can hold of
   *     its end and a hash
   */
  public static String breakerName(String method) {
    return PREFIX + RequestPath.shownName(method, 64 - PREFIX.length());
  }

  /**
   * Whether a method's breaker could be called so.
   *
   * @param breaker the name of a breaker
   * @return true for names that begin like those of methods' breakers
   */
  public static boolean isBreakerName(String breaker) {
    return breaker.startsWith(PREFIX);
  }

  /** The named ones by the canonical name of the method, for one processor. */
  Map<String, CircuitBreaker> resolve(ServiceMethods methods) {
    Map<String, CircuitBreaker> resolved = new LinkedHashMap<>();
    named.forEach(
        (method, breaker) ->
            resolved.put(RequestPath.resolve("methodBreaker", method, methods), breaker));
    return resolved;
  }

  CircuitBreaker other(String canonicalName) {
    return others.apply(breakerName(canonicalName));
  }
}
