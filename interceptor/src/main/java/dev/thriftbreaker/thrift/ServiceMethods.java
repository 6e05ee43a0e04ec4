package dev.thriftbreaker.thrift;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.thrift.AsyncProcessFunction;
import org.apache.thrift.ProcessFunction;
import org.apache.thrift.TAsyncProcessor;
import org.apache.thrift.TBase;
import org.apache.thrift.TBaseAsyncProcessor;
import org.apache.thrift.TBaseProcessor;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The methods of a processor, as far as it shows them: a generated one does, and so does a
 * multiplexed one over such.
 */
final class ServiceMethods {

  /**
   * One method.
   *
   * @param canonicalName how operators call it
   * @param wireName how requests call it
   * @param name how replies call it
   * @param oneway whether it has no reply
   * @param emptyResult makes the struct that a reply holds; null from it for a oneway method
   */
  @SuppressWarnings("rawtypes") // in libthrift's own signature
  record ServiceMethod(
      String canonicalName,
      String wireName,
      String name,
      boolean oneway,
      Supplier<? extends TBase> emptyResult) {

    /** The service's name in a multiplexed processor; empty elsewhere. */
    Optional<String> service() {
      int end = wireName.length() - name.length() - TMultiplexedProtocol.SEPARATOR.length();
      return end < 0 ? Optional.empty() : Optional.of(wireName.substring(0, end));
    }
  }

  private static final Logger log = LoggerFactory.getLogger(ServiceMethods.class);

  private final List<ServiceMethod> found = new ArrayList<>();
  private final List<Class<?>> functions = new ArrayList<>();
  private boolean complete = true;

  ServiceMethods(TProcessor processor) {
    if (processor instanceof TMultiplexedProcessor multiplexed) {
      addServices(multiplexed);
    } else {
      add("", processor);
    }
  }

  /**
   * What tells processors apart as far as their methods go.
   *
   * @param wireNames how requests call the methods
   * @param functions the generated classes behind them, in the same order
   * @param complete whether there are no others
   */
  record Listing(List<String> wireNames, List<Class<?>> functions, boolean complete) {}

  Listing listing() {
    return new Listing(
        found.stream().map(ServiceMethod::wireName).toList(), List.copyOf(functions), complete);
  }

  List<ServiceMethod> found() {
    return found;
  }

  /** Whether there are no methods but those found. */
  boolean isComplete() {
    return complete;
  }

  private void add(String service, TProcessor processor) {
    if (processor instanceof TBaseProcessor<?> generated) {
      addAll(
          service,
          generated.getProcessMapView(),
          ProcessFunction::isOneway,
          ProcessFunction::getEmptyResultInstance);
    } else if (processor instanceof TBaseAsyncProcessor<?> generated) {
      addAll(
          service,
          generated.getProcessMapView(),
          AsyncProcessFunction::isOneway,
          AsyncProcessFunction::getEmptyResultInstance);
    } else {
      complete = false;
    }
  }

  /**
   * The two kinds of functions have the same methods and no type in common. As libthrift
   * multiplexes synchronous processors only, several asynchronous services in one are a map of
   * names with the service in front.
   */
  @SuppressWarnings("rawtypes") // in libthrift's own signatures
  private <F> void addAll(
      String service,
      Map<String, F> functions,
      Predicate<F> oneway,
      Function<F, ? extends TBase> emptyResult) {
    functions.forEach(
        (name, function) -> {
          int colon = name.indexOf(TMultiplexedProtocol.SEPARATOR);
          add(
              colon < 0 ? service : name.substring(0, colon),
              name.substring(colon + 1),
              oneway.test(function),
              function.getClass(),
              () -> emptyResult.apply(function));
        });
  }

  @SuppressWarnings("rawtypes") // in libthrift's own signatures
  private void add(
      String service,
      String name,
      boolean oneway,
      Class<?> function,
      Supplier<? extends TBase> emptyResult) {
    functions.add(function);
    boolean alone = service.isEmpty();
    found.add(
        new ServiceMethod(
            alone ? name : service + "." + name,
            alone ? name : service + TMultiplexedProtocol.SEPARATOR + name,
            name,
            oneway,
            emptyResult));
  }

  private void addService(String service, TProcessor processor) {
    if (processor instanceof TAsyncProcessor) {
      throw new IllegalArgumentException(
          "processor: "
              + processor.getClass().getName()
              + ", which is asynchronous, in a TMultiplexedProcessor, which calls it as a"
              + " synchronous one (expected: synchronous processors within)");
    }
    RequestPath.refuseUnlessBare(processor);
    add(service, processor);
  }

  private void addServices(TMultiplexedProcessor multiplexed) {
    Map<?, ?> services;
    Object fallback;
    try {
      services = (Map<?, ?>) read(multiplexed, "SERVICE_PROCESSOR_MAP");
      fallback = read(multiplexed, "defaultProcessor");
    } catch (ReflectiveOperationException | RuntimeException e) {
      log.warn(
          "The services of {} cannot be listed; methods that no requirement names are counted as"
              + " unknown",
          multiplexed.getClass().getName(),
          e);
      complete = false;
      return;
    }
    new TreeMap<Object, Object>(services)
        .forEach((name, processor) -> addService((String) name, (TProcessor) processor));
    if (fallback != null) {
      addService("", (TProcessor) fallback);
    }
  }

  private static Object read(TMultiplexedProcessor multiplexed, String field)
      throws ReflectiveOperationException {
    Field declared = TMultiplexedProcessor.class.getDeclaredField(field);
    declared.setAccessible(true);
    return declared.get(multiplexed);
  }
}
