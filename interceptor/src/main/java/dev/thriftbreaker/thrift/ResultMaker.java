package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.thrift.TBase;
import org.apache.thrift.TException;
import org.apache.thrift.TFieldIdEnum;
import org.apache.thrift.meta_data.FieldMetaData;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TIOStreamTransport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the struct that a generated processor writes as a method's reply, out of what a function of
 * the user's gives: a value of the method's own type or one of its declared exceptions. As
 * thread-safe as the function.
 */
@SuppressWarnings({
  "rawtypes",
  "unchecked"
}) // the type of a result struct is known at run time only
final class ResultMaker {

  private static final Logger log = LoggerFactory.getLogger(ResultMaker.class);
  private static final short SUCCESS = 0;

  private static final Map<Class<?>, Class<?>> BOXES =
      Map.of(
          boolean.class, Boolean.class,
          byte.class, Byte.class,
          short.class, Short.class,
          int.class, Integer.class,
          long.class, Long.class,
          double.class, Double.class);

  private final String method;
  private final Supplier<? extends TBase> empty;
  private final TFieldIdEnum field;
  private final Class<?> type;
  private final Function<Refusal, ?> function;
  private final AtomicBoolean complained = new AtomicBoolean();

  private ResultMaker(
      String method,
      Supplier<? extends TBase> empty,
      TFieldIdEnum field,
      Class<?> type,
      Function<Refusal, ?> function) {
    this.method = method;
    this.empty = empty;
    this.field = field;
    this.type = type;
    this.function = function;
  }

  /**
   * For an exception that the method declares.
   *
   * @param empty makes the method's empty result struct
   * @return null if the method does not declare it
   */
  static ResultMaker ofException(
      String method,
      Supplier<? extends TBase> empty,
      Class<?> type,
      Function<Refusal, ?> function) {
    for (TFieldIdEnum field : fields(empty.get().getClass())) {
      if (field.getThriftFieldId() != SUCCESS
          && typeOf(field, empty.get().getClass()).isAssignableFrom(type)) {
        return new ResultMaker(method, empty, field, type, function);
      }
    }
    return null;
  }

  /**
   * For a result of the method's own type.
   *
   * @param empty makes the method's empty result struct
   * @param type Void for a method without result
   * @return null if the method's type is another
   */
  static ResultMaker ofResult(
      String method,
      Supplier<? extends TBase> empty,
      Class<?> type,
      Function<Refusal, ?> function) {
    TFieldIdEnum field = empty.get().fieldForId(SUCCESS);
    boolean fits =
        field == null
            ? type == Void.class
            : typeOf(field, empty.get().getClass()).isAssignableFrom(type);
    return fits ? new ResultMaker(method, empty, field, type, function) : null;
  }

  /** What the method may be given, for a complaint. */
  static List<String> expected(Supplier<? extends TBase> empty, boolean exceptions) {
    Class<? extends TBase> struct = empty.get().getClass();
    List<String> names = new ArrayList<>();
    for (TFieldIdEnum field : fields(struct)) {
      if (field.getThriftFieldId() != SUCCESS == exceptions) {
        names.add(typeOf(field, struct).getSimpleName());
      }
    }
    return !exceptions && names.isEmpty() ? List.of("Void") : names;
  }

  /** The fields of a result struct in their order, in which generated code looks for a match. */
  private static Set<TFieldIdEnum> fields(Class struct) {
    return FieldMetaData.getStructMetaDataMap(struct).keySet();
  }

  /** As the generated class has it: metadata does not know the class behind a typedef. */
  private static Class<?> typeOf(TFieldIdEnum field, Class<?> struct) {
    try {
      Class<?> type = struct.getDeclaredField(field.getFieldName()).getType();
      return BOXES.getOrDefault(type, type);
    } catch (NoSuchFieldException e) {
      return Object.class; // then the setter's own cast must do
    }
  }

  /**
   * Asks the function.
   *
   * @return null if it threw, or what it gave cannot be written; that is logged once
   */
  TBase<?, ?> make(Refusal refusal) {
    try {
      Object value = function.apply(refusal);
      TBase result = empty.get();
      if (field != null) {
        if (!type.isInstance(value)) {
          throw new ClassCastException(value + " is no " + type.getName());
        }
        result.setFieldValue(field, value);
      }
      tryToWrite(result);
      return result;
    } catch (Throwable broken) {
      if (complained.compareAndSet(false, true)) {
        log.warn(
            "The reply to shed requests of {} could not be made; they get the default reply. Logged"
                + " once.",
            method,
            broken);
      }
      return null;
    }
  }

  /**
   * Writes it to nowhere: what breaks half written, for want of a required field or for a null
   * among its elements, would spoil the caller's connection.
   */
  private static void tryToWrite(TBase<?, ?> result) throws TException {
    result.write(new TBinaryProtocol(new TIOStreamTransport(OutputStream.nullOutputStream())));
  }
}
