package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.concurrent.Callable;
import org.apache.thrift.TBase;
import org.apache.thrift.TException;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.transport.TTransportException;

/**
 * Puts a breaker in front of the calls to a dependency.
 *
 * <p>While the breaker lets no call pass, a guarded call throws {@link BreakerOpenException} and
 * does not reach the client. Else it throws and returns exactly what the client does, and the
 * breaker learns how it ended: by the breaker's own rules first, and where they have no opinion by
 * these:
 *
 * <ul>
 *   <li>a result, or an exception that the service's IDL declares: SUCCESS
 *   <li>InterruptedException, or the refusal of another guard inside the call: IGNORED
 *   <li>anything else, such as TTransportException, TProtocolException, TApplicationException, a
 *       RuntimeException or an Error: FAILURE
 * </ul>
 *
 * <p>Guards may be used by any number of threads, as far as the client may. A generated client may
 * not: guard a facade over a pool of them.
 */
public final class Guard {

  private Guard() {}

  /**
   * Guards a client. Every method of the interface is guarded, {@code equals}, {@code hashCode},
   * {@code toString} and the {@code close} of an AutoCloseable are not.
   *
   * <p>A method that does not declare TException, or a supertype of it, cannot throw
   * BreakerOpenException as it is: there the refusal is the cause of an {@link
   * java.lang.reflect.UndeclaredThrowableException}. Use {@link #call} instead.
   *
   * @param <T> the interface
   * @param breaker the dependency's breaker
   * @param iface the interface, such as a generated {@code Iface}; an {@code AsyncIface} is refused
   * @param client the client to call
   * @return the guarded client
   * @throws IllegalArgumentException if an argument is null, {@code iface} is not an interface or
   *     is an asynchronous one, or {@code client} does not implement it
   */
  public static <T> T of(CircuitBreaker breaker, Class<T> iface, T client) {
    require(breaker != null, "breaker", null, "a breaker");
    require(iface != null && iface.isInterface(), "iface", iface, "an interface");
    require(client != null, "client", null, "a client of " + iface.getName());
    require(iface.isInstance(client), "client", client, "an implementation of " + iface.getName());
    for (Method method : iface.getMethods()) {
      Class<?>[] parameters = method.getParameterTypes();
      require(
          parameters.length == 0 || parameters[parameters.length - 1] != AsyncMethodCallback.class,
          "iface",
          iface,
          "a synchronous interface; " + method.getName() + " takes an AsyncMethodCallback");
    }
    return iface.cast(
        Proxy.newProxyInstance(
            iface.getClassLoader(), new Class<?>[] {iface}, new Handler(breaker, client)));
  }

  /**
   * Makes a guarded call of anything.
   *
   * @param <T> the type of the result
   * @param breaker the dependency's breaker
   * @param body the call
   * @return what the body returns
   * @throws BreakerOpenException if the breaker lets no call pass; the body is not called
   * @throws Exception what the body throws
   */
  public static <T> T call(CircuitBreaker breaker, Callable<T> body) throws Exception {
    long startNanos = breaker.now();
    long permit = acquire(breaker, startNanos);
    T result;
    try {
      result = body.call();
    } catch (Throwable thrown) {
      completeFailed(breaker, permit, startNanos, thrown);
      throw thrown;
    }
    complete(breaker, permit, startNanos, result);
    return result;
  }

  private record Handler(CircuitBreaker breaker, Object client) implements InvocationHandler {

    @Override
    public Object invoke(Object proxy, Method method, Object[] args) throws Throwable {
      if (method.getDeclaringClass() == Object.class) {
        return invokeOnObject(proxy, method, args);
      }
      if (isClose(method)) {
        return closeClient(method);
      }
      long startNanos = breaker.now();
      long permit = acquire(breaker, startNanos);
      Object result;
      try {
        if (!Modifier.isPublic(method.getDeclaringClass().getModifiers())) {
          method.setAccessible(true);
        }
        result = method.invoke(client, args);
      } catch (Throwable e) {
        Throwable thrown = e instanceof InvocationTargetException ? e.getCause() : e;
        completeFailed(breaker, permit, startNanos, thrown);
        throw thrown;
      }
      complete(breaker, permit, startNanos, result);
      return result;
    }

    /** AutoCloseable's, not a method of a service that happens to be called so. */
    private static boolean isClose(Method method) {
      return method.getName().equals("close")
          && method.getParameterCount() == 0
          && AutoCloseable.class.isAssignableFrom(method.getDeclaringClass());
    }

    /** Not a call to the dependency: a client can be given back while its breaker is open. */
    private Object closeClient(Method method) throws Throwable {
      try {
        return method.invoke(client);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }

    private Object invokeOnObject(Object proxy, Method method, Object[] args) {
      return switch (method.getName()) {
        case "equals" -> proxy == args[0];
        case "hashCode" -> System.identityHashCode(proxy);
        default -> client + " guarded by breaker " + breaker.name();
      };
    }
  }

  private static long acquire(CircuitBreaker breaker, long now) throws BreakerOpenException {
    RequestContext.noteUse(breaker);
    long permit = breaker.tryAcquire(now);
    if (permit == CircuitBreaker.REFUSED) {
      RequestContext.noteRefusal(breaker);
      throw new BreakerOpenException(breaker.refusal(now));
    }
    return permit;
  }

  private static void complete(
      CircuitBreaker breaker, long permit, long startNanos, Object result) {
    Outcome outcome = breaker.config().outcomes().judgeResult(result);
    if (outcome == Outcome.FAILURE) {
      RequestContext.noteFailure(breaker);
    }
    breaker.complete(permit, outcome, startNanos, breaker.now(), null);
  }

  private static void completeFailed(
      CircuitBreaker breaker, long permit, long startNanos, Throwable thrown) {
    if (thrown instanceof TTransportException failure) {
      RequestContext.noteGuarded(failure);
    }
    Outcome outcome = breaker.config().outcomes().judgeError(thrown, Guard::judge);
    if (outcome == Outcome.FAILURE) {
      RequestContext.noteFailure(breaker);
    }
    breaker.complete(permit, outcome, startNanos, breaker.now(), thrown);
  }

  private static Outcome judge(Throwable thrown) {
    if (thrown instanceof BreakerOpenException || thrown instanceof InterruptedException) {
      return Outcome.IGNORED;
    }
    boolean declared = thrown instanceof TException && thrown instanceof TBase;
    return declared ? Outcome.SUCCESS : Outcome.FAILURE;
  }

  private static void require(boolean fulfilled, String name, Object value, String expected) {
    if (!fulfilled) {
      throw new IllegalArgumentException(name + ": " + value + " (expected: " + expected + ")");
    }
  }
}
