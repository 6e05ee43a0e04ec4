package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerConfig.DownstreamShed;
import dev.thriftbreaker.breaker.Cell;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.breaker.Outcome;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
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
 *   <li>InterruptedException, CancellationException, the refusal of another guard inside the call,
 *       or a {@link NoConnectionException}: IGNORED
 *   <li>anything else, such as TTransportException, TProtocolException, TApplicationException, a
 *       RuntimeException or an Error: FAILURE
 * </ul>
 *
 * <p>A TApplicationException by which another server says that it shed the call is a failure of
 * that server, unless the breaker's {@code downstreamShed} says otherwise.
 *
 * <p>A fallback answers in place of the client where the breaker refuses, and if asked to also
 * where the call failed; see {@link FallbackOn}. The refusal or the failure counts as without it.
 *
 * <p>Guards may be used by any number of threads, as far as the client may. A generated client may
 * not: guard a {@link ClientPool} of them.
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
   * <p>A method whose last parameter is an AsyncMethodCallback is asynchronous: its call ends when
   * the callback is told, on whatever thread, or when the method throws. The callback is told what
   * the client tells it. A refusal goes to {@code onError} before the method returns, and is not
   * thrown: where failures of a generated asynchronous client go, and since an exception thrown
   * within another client's callback breaks that client. The permit is given back before the
   * callback is told, by the first telling.
   *
   * @param <T> the interface
   * @param breaker the dependency's breaker
   * @param iface the interface, such as a generated {@code Iface} or {@code AsyncIface}
   * @param client the client to call
   * @return the guarded client
   * @throws IllegalArgumentException if an argument is null, {@code iface} is not an interface or
   *     takes callbacks of a type of its own, or {@code client} does not implement it
   */
  public static <T> T of(CircuitBreaker breaker, Class<T> iface, T client) {
    require(breaker != null, "breaker", null, "a breaker");
    return of(new Downstream(breaker), iface, client, null, FallbackOn.REFUSAL);
  }

  /**
   * Guards a client, as {@link #of(CircuitBreaker, Class, Object)} does, with a fallback.
   *
   * <p>The fallback of an asynchronous method gets the callback of the call. Where that failed it
   * is called on the thread that the client told so, after the permit is given back; whatever the
   * client tells later is dropped, as is what the fallback tells after its first answer. If it
   * throws instead, the callback is told that.
   *
   * @param <T> the interface
   * @param dependency the dependency; the same object for all its guards
   * @param iface the interface, such as a generated {@code Iface} or {@code AsyncIface}
   * @param client the client to call
   * @param fallback gets the same call where the client does not answer; null for none. A {@code
   *     close} reaches the client only
   * @param on when the fallback answers
   * @return the guarded client
   * @throws IllegalArgumentException if an argument is null that may not be, {@code iface} is not
   *     an interface that can be guarded, or {@code client} or {@code fallback} does not implement
   *     it
   */
  public static <T> T of(
      Downstream dependency, Class<T> iface, T client, T fallback, FallbackOn on) {
    require(dependency != null, "dependency", null, "a dependency");
    require(iface != null && iface.isInterface(), "iface", iface, "an interface");
    require(client != null, "client", null, "a client of " + iface.getName());
    require(iface.isInstance(client), "client", client, "an implementation of " + iface.getName());
    require(
        fallback == null || iface.isInstance(fallback),
        "fallback",
        fallback,
        "an implementation of " + iface.getName());
    require(on != null, "on", null, "REFUSAL or FAILURE");
    Set<Method> async = asyncMethods(iface);
    Optional<GuardClass> written = async.isEmpty() ? GuardClass.of(iface) : Optional.empty();
    return iface.cast(
        written.isPresent()
            ? written.get().guard(dependency, client, fallback, on)
            : proxy(dependency, iface, client, fallback, on, async));
  }

  private static Object proxy(
      Downstream dependency,
      Class<?> iface,
      Object client,
      Object fallback,
      FallbackOn on,
      Set<Method> async) {
    return Proxy.newProxyInstance(
        iface.getClassLoader(),
        new Class<?>[] {iface},
        new Handler(dependency, client, fallback, on, async));
  }

  private static Set<Method> asyncMethods(Class<?> iface) {
    Set<Method> found = new HashSet<>();
    for (Method method : iface.getMethods()) {
      Class<?>[] parameters = method.getParameterTypes();
      Class<?> last = parameters.length == 0 ? null : parameters[parameters.length - 1];
      if (last == AsyncMethodCallback.class) {
        found.add(method);
      } else {
        require(
            last == null || !AsyncMethodCallback.class.isAssignableFrom(last),
            "iface",
            iface,
            "an AsyncMethodCallback itself as the callback of " + method.getName());
      }
    }
    return found;
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
    Cell mine = breaker.cell();
    long startNanos = breaker.now();
    long permit = tryAcquire(breaker, mine, startNanos, true);
    if (permit < 0) {
      throw refused(breaker, permit, startNanos);
    }
    T result;
    try {
      result = body.call();
    } catch (Throwable thrown) {
      completeFailed(breaker, mine, permit, startNanos, thrown);
      throw thrown;
    }
    complete(breaker, mine, permit, startNanos, result);
    return result;
  }

  /**
   * Makes a guarded call of anything, and heeds the dependency's hold-off.
   *
   * @param <T> the type of the result
   * @param dependency the dependency; the same object for all its guards
   * @param body the call
   * @return what the body returns
   * @throws BreakerOpenException if the breaker lets no call pass; the body is not called
   * @throws Exception what the body throws
   */
  public static <T> T call(Downstream dependency, Callable<T> body) throws Exception {
    Cell mine = dependency.cell();
    long startNanos = dependency.now();
    long permit = dependency.acquire(mine, startNanos, true);
    T result;
    try {
      result = body.call();
    } catch (Throwable thrown) {
      dependency.completeFailed(mine, permit, startNanos, thrown);
      throw thrown;
    }
    dependency.complete(mine, permit, startNanos, result);
    return result;
  }

  /**
   * Makes a guarded call of anything, with a fallback.
   *
   * @param <T> the type of the result
   * @param dependency the dependency; the same object for all its guards
   * @param body the call
   * @param on when the fallback answers
   * @param fallback answers where the body does not
   * @return what the body or the fallback returns
   * @throws Exception what the body or the fallback throws
   */
  public static <T> T call(
      Downstream dependency, Callable<T> body, FallbackOn on, Fallback<? extends T> fallback)
      throws Exception {
    require(on != null, "on", null, "REFUSAL or FAILURE");
    require(fallback != null, "fallback", null, "a fallback");
    Cell mine = dependency.cell();
    long startNanos = dependency.now();
    long permit = dependency.tryAcquire(mine, startNanos, true);
    if (permit < 0) {
      dependency.countFallback();
      return fallback.answer(dependency.refused(permit, startNanos));
    }
    T result;
    try {
      result = body.call();
    } catch (Throwable thrown) {
      Outcome outcome = dependency.completeFailed(mine, permit, startNanos, thrown);
      if (isForFallback(on, outcome, thrown)) {
        dependency.countFallback();
        return fallback.answer((Exception) thrown);
      }
      throw thrown;
    }
    dependency.complete(mine, permit, startNanos, result);
    return result;
  }

  static boolean isForFallback(FallbackOn on, Outcome outcome, Throwable thrown) {
    return on == FallbackOn.FAILURE && outcome == Outcome.FAILURE && thrown instanceof Exception;
  }

  /**
   * Makes a guarded call whose result comes later.
   *
   * @param <T> the type of the result
   * @param breaker the dependency's breaker
   * @param body begins the call, on this thread
   * @return ends as the body's stage does, once the breaker knows; ends with what the body throws,
   *     or with a {@link BreakerOpenException} if the breaker lets no call pass and the body is not
   *     called. Cancelling it cancels the body's stage, where that is possible
   */
  public static <T> CompletableFuture<T> callAsync(
      CircuitBreaker breaker, Supplier<? extends CompletionStage<T>> body) {
    return AsyncGuard.call(new Downstream(breaker), body, null, null);
  }

  /**
   * Makes a guarded call whose result comes later, and heeds the dependency's hold-off.
   *
   * @param <T> the type of the result
   * @param dependency the dependency; the same object for all its guards
   * @param body begins the call, on this thread
   * @return ends as the body's stage does, once the breaker knows; ends with what the body throws,
   *     or with a {@link BreakerOpenException} if the breaker lets no call pass and the body is not
   *     called. Cancelling it cancels the body's stage, where that is possible
   */
  public static <T> CompletableFuture<T> callAsync(
      Downstream dependency, Supplier<? extends CompletionStage<T>> body) {
    return AsyncGuard.call(dependency, body, null, null);
  }

  /**
   * Makes a guarded call whose result comes later, with a fallback.
   *
   * @param <T> the type of the result
   * @param dependency the dependency; the same object for all its guards
   * @param body begins the call, on this thread
   * @param on when the fallback answers
   * @param fallback begins another call where the body's does not succeed: on this thread if it is
   *     refused or cannot begin, else on the one that ended its stage, after the breaker knows. A
   *     call that is cancelled has no fallback
   * @return ends as the body's stage does, or the fallback's where that was asked; ends with what
   *     the fallback throws. Cancelling it cancels the stage that it waits for, where that is
   *     possible
   */
  public static <T> CompletableFuture<T> callAsync(
      Downstream dependency,
      Supplier<? extends CompletionStage<T>> body,
      FallbackOn on,
      Fallback<? extends CompletionStage<T>> fallback) {
    require(on != null, "on", null, "REFUSAL or FAILURE");
    require(fallback != null, "fallback", null, "a fallback");
    return AsyncGuard.call(dependency, body, on, fallback);
  }

  private record Handler(
      Downstream dependency, Object client, Object fallback, FallbackOn on, Set<Method> async)
      implements InvocationHandler {

    @Override
    public Object invoke(Object proxy, Method method, Object[] args) throws Throwable {
      if (method.getDeclaringClass() == Object.class) {
        return invokeOnObject(proxy, method, args);
      }
      if (isClose(method)) {
        return closeClient(method);
      }
      if (async.contains(method)) {
        return invokeAsync(method, args);
      }
      Cell mine = dependency.cell();
      long startNanos = dependency.now();
      long permit = dependency.tryAcquire(mine, startNanos, true);
      if (permit < 0) {
        BreakerOpenException refused = dependency.refused(permit, startNanos);
        if (fallback == null) {
          throw refused;
        }
        return askFallback(method, args);
      }
      Object result;
      try {
        result = invokeOn(client, method, args);
      } catch (Throwable e) {
        Throwable thrown = e instanceof InvocationTargetException ? e.getCause() : e;
        Outcome outcome = dependency.completeFailed(mine, permit, startNanos, thrown);
        if (fallback != null && isForFallback(on, outcome, thrown)) {
          return askFallback(method, args);
        }
        throw thrown;
      }
      dependency.complete(mine, permit, startNanos, result);
      return result;
    }

    @SuppressWarnings("unchecked") // what the client makes of it is its own affair
    private Object invokeAsync(Method method, Object[] args) throws Throwable {
      int last = args.length - 1;
      return AsyncGuard.call(
          dependency,
          (AsyncMethodCallback<Object>) args[last],
          callback -> {
            args[last] = callback;
            return invokeAndUnwrap(client, method, args);
          },
          fallback == null
              ? null
              : callback -> {
                args[last] = callback;
                return invokeAndUnwrap(fallback, method, args);
              },
          on);
    }

    private static Object invokeAndUnwrap(Object target, Method method, Object[] args)
        throws Throwable {
      try {
        return invokeOn(target, method, args);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }

    private Object askFallback(Method method, Object[] args) throws Throwable {
      dependency.countFallback();
      return invokeAndUnwrap(fallback, method, args);
    }

    private static Object invokeOn(Object target, Method method, Object[] args)
        throws ReflectiveOperationException {
      if (!Modifier.isPublic(method.getDeclaringClass().getModifiers())) {
        method.setAccessible(true);
      }
      return method.invoke(target, args);
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
        default -> client + " guarded by breaker " + dependency.breaker().name();
      };
    }
  }

  /** AutoCloseable's, not a method of a service that happens to be called so. */
  static boolean isClose(Method method) {
    return method.getName().equals("close")
        && method.getParameterCount() == 0
        && AutoCloseable.class.isAssignableFrom(method.getDeclaringClass());
  }

  /** A permit; or if negative, a refusal, which {@link #refused} tells. */
  static long tryAcquire(CircuitBreaker breaker, Cell mine, long now, boolean holdsThread) {
    long place = RequestContext.usePlace(breaker);
    return place == CircuitBreaker.NO_PLACE_NEEDED
        ? breaker.tryAcquire(mine, now, holdsThread)
        : breaker.begin(place, now, holdsThread);
  }

  static BreakerOpenException refused(CircuitBreaker breaker, long permit, long now) {
    RequestContext.noteRefusal(breaker);
    return new BreakerOpenException(breaker.refusal(permit, now));
  }

  static void complete(
      CircuitBreaker breaker, Cell mine, long permit, long startNanos, Object result) {
    complete(breaker, mine, permit, startNanos, breaker.config().outcomes().judgeResult(result));
  }

  /** The call returned, and its result has been judged. */
  static void complete(
      CircuitBreaker breaker, Cell mine, long permit, long startNanos, Outcome outcome) {
    if (outcome == Outcome.FAILURE) {
      RequestContext.noteFailure(breaker);
    }
    breaker.complete(mine, permit, outcome, startNanos, null);
  }

  static Outcome completeFailed(
      CircuitBreaker breaker, Cell mine, long permit, long startNanos, Throwable thrown) {
    if (thrown instanceof TTransportException failure) {
      RequestContext.noteGuarded(failure);
    }
    BreakerConfig config = breaker.config();
    Outcome outcome = config.outcomes().judgeError(thrown, error -> judge(error, config));
    if (outcome == Outcome.FAILURE) {
      RequestContext.noteFailure(breaker);
    }
    breaker.complete(mine, permit, outcome, startNanos, thrown);
    return outcome;
  }

  private static Outcome judge(Throwable thrown, BreakerConfig config) {
    if (thrown instanceof BreakerOpenException
        || thrown instanceof InterruptedException
        || thrown instanceof CancellationException
        || thrown instanceof NoConnectionException) {
      return Outcome.IGNORED;
    }
    if (thrown instanceof TException && thrown instanceof TBase) {
      return Outcome.SUCCESS;
    }
    return config.downstreamShed() == DownstreamShed.IGNORED && Shed.received(thrown) != null
        ? Outcome.IGNORED
        : Outcome.FAILURE;
  }

  private static void require(boolean fulfilled, String name, Object value, String expected) {
    if (!fulfilled) {
      throw new IllegalArgumentException(name + ": " + value + " (expected: " + expected + ")");
    }
  }
}
