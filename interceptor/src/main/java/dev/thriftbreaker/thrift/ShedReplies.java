package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import dev.thriftbreaker.thrift.ServiceMethods.ServiceMethod;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.thrift.TBase;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;

/**
 * What requests that are shed at the door come to, by method: set up before processors are wrapped,
 * which checks it against the methods there are. A method of a {@link TMultiplexedProcessor} is
 * called {@code Service.method}, or just {@code method} if no other service has one of that name.
 *
 * <p>A method's own fallback, exception or result goes before what is said of all methods, of which
 * a fallback goes before an exception. Where none of these applies, or a function throws or gives
 * what cannot be written, the reply is a TApplicationException with the message {@code SHED
 * dependency=... state=... retryAfterMs=...}.
 *
 * <p>Not thread-safe.
 */
public final class ShedReplies {

  /**
   * How the user wants to answer: one of a processor and a function with the type that it gives.
   */
  private record Answer(
      TProcessor fallback, boolean exception, Class<?> type, Function<Refusal, ?> function) {

    String kind() {
      return fallback != null ? "fallback" : exception ? "shedException" : "shedResult";
    }
  }

  private final Map<String, Integer> types = new LinkedHashMap<>();
  private final Map<String, Answer> answers = new LinkedHashMap<>();
  private int typeOfAll = BreakerOpenException.SHED;
  private Answer fallbackOfAll;
  private Answer exceptionOfAll;

  /** Every method answers with the default reply. */
  public ShedReplies() {}

  ShedReplies copy() {
    ShedReplies copy = new ShedReplies();
    copy.types.putAll(types);
    copy.answers.putAll(answers);
    copy.typeOfAll = typeOfAll;
    copy.fallbackOfAll = fallbackOfAll;
    copy.exceptionOfAll = exceptionOfAll;
    return copy;
  }

  /**
   * The type of the TApplicationException for all methods.
   *
   * @param type {@link BreakerOpenException#SHED} by default
   */
  public void type(int type) {
    typeOfAll = type;
  }

  /**
   * The type of the TApplicationException for one method.
   *
   * @param method the method
   * @param type {@link BreakerOpenException#SHED} by default
   */
  public void type(String method, int type) {
    types.put(method, type);
  }

  /**
   * Answers with an exception of the service's own, in all methods that declare it.
   *
   * @param <E> the exception's class
   * @param type the exception's class
   * @param function makes one; must be quick and thread-safe
   */
  public <E extends TException & TBase<?, ?>> void exception(
      Class<E> type, Function<Refusal, ? extends E> function) {
    exceptionOfAll = answer(true, type, function);
  }

  /**
   * Answers with an exception that the method declares.
   *
   * @param <E> the exception's class
   * @param method the method
   * @param type the exception's class
   * @param function makes one; must be quick and thread-safe
   * @throws IllegalArgumentException if the method has an answer already
   */
  public <E extends TException & TBase<?, ?>> void exception(
      String method, Class<E> type, Function<Refusal, ? extends E> function) {
    put(method, answer(true, type, function));
  }

  /**
   * Answers with a result of the method's own type.
   *
   * @param <T> the result's class; Void for a method without result, of which any value is taken
   * @param method the method
   * @param type the result's class
   * @param function makes one; must be quick and thread-safe
   * @throws IllegalArgumentException if the method has an answer already
   */
  public <T> void result(String method, Class<T> type, Function<Refusal, ? extends T> function) {
    put(method, answer(false, type, function));
  }

  /**
   * Gives the requests of all methods that it has to a processor.
   *
   * @param processor a synchronous processor, multiplexed if the server's is
   * @throws IllegalArgumentException if it is asynchronous or wrapped
   */
  public void fallback(TProcessor processor) {
    RequestPath.refuseUnlessPlain(processor);
    fallbackOfAll = new Answer(processor, false, null, null);
  }

  /**
   * Gives the requests of one method to a processor.
   *
   * @param method the method
   * @param processor a synchronous processor; that of the method's service will do where the
   *     server's is multiplexed
   * @throws IllegalArgumentException if it is asynchronous or wrapped, or if the method has an
   *     answer already
   */
  public void fallback(String method, TProcessor processor) {
    RequestPath.refuseUnlessPlain(processor);
    put(method, new Answer(processor, false, null, null));
  }

  private static Answer answer(boolean exception, Class<?> type, Function<Refusal, ?> function) {
    return new Answer(
        null,
        exception,
        Objects.requireNonNull(type, "type"),
        Objects.requireNonNull(function, "function"));
  }

  private void put(String method, Answer answer) {
    Answer before = answers.putIfAbsent(Objects.requireNonNull(method, "method"), answer);
    if (before != null) {
      throw bad(answer.kind(), method, "one answer to a method; it has a " + before.kind());
    }
  }

  /**
   * Checks all that was said against a processor's methods.
   *
   * @return the replies by the canonical names of the methods, or the declared ones of those that
   *     cannot be seen
   */
  Map<String, ShedReply> resolve(ServiceMethods methods) {
    Map<String, Integer> typeOf = new LinkedHashMap<>();
    types.forEach(
        (method, type) -> typeOf.put(RequestPath.resolve("shedType", method, methods), type));
    Map<String, Answer> answerOf = new LinkedHashMap<>();
    answers.forEach(
        (method, answer) -> {
          String name = RequestPath.resolve(answer.kind(), method, methods);
          if (answerOf.putIfAbsent(name, answer) != null) {
            throw bad(answer.kind(), method, "one answer to a method");
          }
        });
    Map<String, ShedReply> replies = new LinkedHashMap<>();
    boolean anyFallback = false;
    boolean anyException = false;
    for (ServiceMethod method : methods.found()) {
      String name = method.canonicalName();
      int type = typeOf.getOrDefault(name, typeOfAll);
      typeOf.remove(name);
      Answer own = answerOf.remove(name);
      TProcessor fallback = fallbackOfAll == null ? null : processor(fallbackOfAll, method, false);
      ResultMaker exception =
          exceptionOfAll == null || method.oneway() ? null : maker(exceptionOfAll, method);
      anyFallback |= fallback != null;
      anyException |= exception != null;
      replies.put(
          name, own == null ? new ShedReply(type, exception, fallback) : reply(own, type, method));
    }
    refuseUnused(fallbackOfAll, anyFallback || !methods.isComplete(), methods);
    refuseUnused(exceptionOfAll, anyException, methods);
    answerOf.forEach(
        (name, answer) -> {
          if (answer.fallback == null) {
            throw bad(answer.kind(), name, "a method of a generated processor");
          }
        });
    typeOf.keySet().forEach(name -> replies.put(name, unseen(name, typeOf, answerOf)));
    answerOf.keySet().forEach(name -> replies.put(name, unseen(name, typeOf, answerOf)));
    return replies;
  }

  /** The reply of methods of which nothing is said and that cannot be seen. */
  ShedReply ofUnseen() {
    return new ShedReply(typeOfAll, null, fallbackOfAll == null ? null : fallbackOfAll.fallback);
  }

  private ShedReply unseen(String name, Map<String, Integer> typeOf, Map<String, Answer> answerOf) {
    Answer answer = answerOf.getOrDefault(name, fallbackOfAll);
    return new ShedReply(
        typeOf.getOrDefault(name, typeOfAll), null, answer == null ? null : answer.fallback);
  }

  private static ShedReply reply(Answer answer, int type, ServiceMethod method) {
    String name = method.canonicalName();
    if (answer.fallback != null) {
      TProcessor processor = processor(answer, method, true);
      if (processor == null) {
        throw bad("fallback", name, "a processor that has this method");
      }
      return new ShedReply(type, null, processor);
    }
    if (method.oneway()) {
      throw bad(answer.kind(), name, "a method that is not oneway");
    }
    ResultMaker maker = maker(answer, method);
    if (maker == null) {
      throw bad(
          answer.kind(),
          name + " -> " + answer.type.getName(),
          (answer.exception ? "an exception that it declares: " : "the type of its result: ")
              + ResultMaker.expected(method.emptyResult(), answer.exception));
    }
    return new ShedReply(type, maker, null);
  }

  private static ResultMaker maker(Answer answer, ServiceMethod method) {
    return answer.exception
        ? ResultMaker.ofException(
            method.canonicalName(), method.emptyResult(), answer.type, answer.function)
        : ResultMaker.ofResult(
            method.canonicalName(), method.emptyResult(), answer.type, answer.function);
  }

  /** What serves the method's requests as they are on the wire; null if it has no such method. */
  private static TProcessor processor(Answer answer, ServiceMethod method, boolean ofService) {
    ServiceMethods offered = new ServiceMethods(answer.fallback);
    boolean asIs =
        !offered.isComplete()
            || offered.found().stream().anyMatch(m -> m.wireName().equals(method.wireName()));
    if (asIs) {
      return answer.fallback;
    }
    Optional<String> service = method.service();
    if (!ofService
        || service.isEmpty()
        || offered.found().stream().noneMatch(m -> m.wireName().equals(method.name()))) {
      return null;
    }
    TMultiplexedProcessor multiplexed = new TMultiplexedProcessor();
    multiplexed.registerProcessor(service.get(), answer.fallback);
    return multiplexed;
  }

  private static void refuseUnused(Answer answer, boolean used, ServiceMethods methods) {
    if (answer != null && !used) {
      throw bad(
          answer.kind(),
          answer.fallback != null ? answer.fallback.getClass().getName() : answer.type.getName(),
          "of use to one of these methods at least: "
              + methods.found().stream()
                  .map(ServiceMethod::canonicalName)
                  .collect(Collectors.toCollection(TreeSet::new)));
    }
  }

  private static IllegalArgumentException bad(String what, String value, String expected) {
    return new IllegalArgumentException(what + ": " + value + " (expected: " + expected + ")");
  }
}
