package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Cell;
import dev.thriftbreaker.thrift.ClassFile.Bytes;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The class of the guards of one interface, written when the first one is made. It costs a call
 * what the breaker costs, where a {@link java.lang.reflect.Proxy} puts the arguments into an array
 * and finds the client's method by reflection. Each of its methods is
 *
 * <pre>{@code
 * Cell mine = gate.cell();
 * long start = gate.now();
 * long permit = gate.tryAcquire(mine, start);
 * Throwable thrown;
 * if (permit < 0) {
 *   thrown = gate.refused(permit, start, METHOD);
 * } else {
 *   try {
 *     R result = client.method(arguments);
 *   } catch (Throwable t) {
 *     thrown = gate.failed(mine, permit, start, t, METHOD);
 *     break; // to the last lines
 *   }
 *   gate.complete(mine, permit, start, result);
 *   return result;
 * }
 * if (thrown != null) {
 *   throw thrown;
 * }
 * return fallback.method(arguments);
 * }</pre>
 *
 * <p>It is a hidden class beside this one, so it exists for interfaces that this class can see and
 * whose methods are all synchronous; others have a proxy.
 */
final class GuardClass {

  private static final Logger log = LoggerFactory.getLogger(GuardClass.class);

  /** Those that can be seen from here, so none is kept that could otherwise be unloaded. */
  private static final Map<Class<?>, Optional<GuardClass>> KNOWN = new ConcurrentHashMap<>();

  private final Constructor<?> constructor;
  private final Gate.Throws[] methods;

  private GuardClass(Constructor<?> constructor, Gate.Throws... methods) {
    this.constructor = constructor;
    this.methods = methods;
  }

  /** The class for an interface, or empty if it takes a proxy. */
  static Optional<GuardClass> of(Class<?> iface) {
    return isSeen(iface) ? KNOWN.computeIfAbsent(iface, GuardClass::define) : Optional.empty();
  }

  private static boolean isSeen(Class<?> iface) {
    return sees(iface)
        && Arrays.stream(iface.getMethods())
            .allMatch(
                method ->
                    sees(method.getReturnType())
                        && Arrays.stream(method.getParameterTypes()).allMatch(GuardClass::sees));
  }

  private static boolean sees(Class<?> type) {
    Class<?> element = type;
    while (element.isArray()) {
      element = element.getComponentType();
    }
    ClassLoader here = GuardClass.class.getClassLoader();
    try {
      return element.isPrimitive()
          || element.getClassLoader() == here
          || Class.forName(element.getName(), false, here) == element;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  private static Optional<GuardClass> define(Class<?> iface) {
    try {
      Map<Signature, List<Method>> methods = methods(iface);
      byte[] bytes = new Writer(iface).write(methods);
      Class<?> defined = MethodHandles.lookup().defineHiddenClass(bytes, true).lookupClass();
      return Optional.of(
          new GuardClass(
              defined.getDeclaredConstructor(Gate.class, Object.class, Object.class),
              methods.values().stream().map(GuardClass::declared).toArray(Gate.Throws[]::new)));
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      log.debug("{} is guarded by a proxy", iface.getName(), e);
      return Optional.empty();
    }
  }

  /** Makes a guard; {@code fallback} may be null. */
  Object guard(Downstream dependency, Object client, Object fallback, FallbackOn on) {
    Gate gate = new Gate(dependency, fallback != null, on, methods);
    try {
      return constructor.newInstance(gate, client, fallback);
    } catch (InstantiationException | IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("a guard could not be made", e);
    }
  }

  private record Signature(String name, MethodType type) {}

  /** The methods to implement, each with all its declarations. */
  private static Map<Signature, List<Method>> methods(Class<?> iface) {
    Map<Signature, List<Method>> all = new LinkedHashMap<>();
    for (Method method : iface.getMethods()) {
      if (!Modifier.isStatic(method.getModifiers()) && !isOfObject(method)) {
        MethodType type = MethodType.methodType(method.getReturnType(), method.getParameterTypes());
        all.computeIfAbsent(new Signature(method.getName(), type), s -> new ArrayList<>())
            .add(method);
      }
    }
    return all;
  }

  private static Gate.Throws declared(List<Method> declarations) {
    return new Gate.Throws(
        declarations.stream().map(Method::getExceptionTypes).toArray(Class<?>[][]::new));
  }

  private static boolean isOfObject(Method method) {
    try {
      return !Modifier.isFinal(
          Object.class.getMethod(method.getName(), method.getParameterTypes()).getModifiers());
    } catch (NoSuchMethodException e) {
      return false;
    }
  }

  /** Writes the bytes. */
  private static final class Writer {

    private static final String GUARDED = name(Guarded.class);
    private static final String GATE = name(Gate.class);
    private static final String GATE_TYPE = Gate.class.descriptorString();
    private static final String CELL = name(Cell.class);
    private static final String CELL_TYPE = Cell.class.descriptorString();
    private static final String CONSTRUCTOR =
        "(" + GATE_TYPE + "Ljava/lang/Object;Ljava/lang/Object;)V";

    private static final int LCONST_0 = 9;
    private static final int SIPUSH = 17;
    private static final int ILOAD = 21;
    private static final int LLOAD = 22;
    private static final int ALOAD = 25;
    private static final int ALOAD_0 = 42;
    private static final int ISTORE = 54;
    private static final int POP = 87;
    private static final int DUP = 89;
    private static final int DUP2 = 92;
    private static final int LCMP = 148;
    private static final int IFGE = 156;
    private static final int GOTO = 167;
    private static final int IRETURN = 172;
    private static final int RETURN = 177;
    private static final int GETFIELD = 180;
    private static final int INVOKEVIRTUAL = 182;
    private static final int INVOKESPECIAL = 183;
    private static final int INVOKEINTERFACE = 185;
    private static final int ATHROW = 191;
    private static final int IFNULL = 198;

    /** In frames: two longs more than before. */
    private static final int APPEND_THREE = 254;

    private static final int LONG = 4;

    /** In frames: the same variables, and one object on the stack. */
    private static final int SAME_AND_ONE = 247;

    private static final int OBJECT = 7;

    /** What the gate takes at most. */
    private static final int STACK = 9;

    /** The last variable that an instruction of two bytes can name. */
    private static final int LAST_VARIABLE = 255;

    private final ClassFile file = new ClassFile();
    private final Class<?> iface;

    Writer(Class<?> iface) {
      this.iface = iface;
    }

    byte[] write(Map<Signature, List<Method>> methods) {
      writeConstructor();
      int index = 0;
      for (Map.Entry<Signature, List<Method>> entry : methods.entrySet()) {
        if (entry.getValue().stream().anyMatch(Guard::isClose)) {
          writePlain(entry.getKey());
        } else {
          writeGuarded(entry.getKey(), index);
        }
        index++;
      }
      return file.of(name(Guard.class) + "Of$" + simpleName(), GUARDED, name(iface));
    }

    /** As stack traces show it. */
    private String simpleName() {
      String name = name(iface);
      return name.substring(name.lastIndexOf('/') + 1);
    }

    private void writeConstructor() {
      Bytes code = new Bytes().u1(ALOAD_0);
      for (int variable = 1; variable <= 3; variable++) {
        code.u1(ALOAD).u1(variable);
      }
      code.u1(INVOKESPECIAL).u2(file.method(GUARDED, "<init>", CONSTRUCTOR)).u1(RETURN);
      file.add("<init>", CONSTRUCTOR, attribute(4, 4, code, new Bytes().u2(0), 0, new Bytes()));
    }

    /** Calls the client and nothing else. */
    private void writePlain(Signature method) {
      Bytes code = new Bytes();
      call(code, "client", method);
      code.u1(returning(method.type.returnType()));
      int variables = variables(method);
      file.add(
          method.name,
          method.type.descriptorString(),
          attribute(variables + 1, variables, code, new Bytes().u2(0), 0, new Bytes()));
    }

    private void writeGuarded(Signature method, int index) {
      Class<?> type = method.type.returnType();
      int mine = variables(method);
      int start = mine + 1;
      int permit = start + 2;
      int result = permit + 2;
      if (result > LAST_VARIABLE) {
        throw new IllegalArgumentException("too many arguments: " + method);
      }
      int throwable = file.type("java/lang/Throwable");
      Bytes frames = new Bytes();

      Bytes code = gate(new Bytes());
      onGate(code, "cell", "()" + CELL_TYPE).u1(store(Object.class)).u1(mine);
      onGate(gate(code), "now", "()J").u1(store(long.class)).u1(start);
      gate(code).u1(ALOAD).u1(mine).u1(LLOAD).u1(start);
      onGate(code, "tryAcquire", "(" + CELL_TYPE + "J)J").u1(DUP2).u1(store(long.class)).u1(permit);
      // the jumps are written when the places are known: each is counted from its own start
      int toCall = code.u1(LCONST_0).u1(LCMP).size();
      Bytes refused = gate(new Bytes()).u1(LLOAD).u1(permit).u1(LLOAD).u1(start);
      onGate(refused.u1(SIPUSH).u2(index), "refused", "(JJI)Ljava/lang/Throwable;");
      int call = toCall + 3 + refused.size() + 3;

      Bytes calls = new Bytes();
      call(calls, "client", method);
      int callEnd = call + calls.size();
      if (type != void.class) {
        calls.u1(store(type)).u1(result);
      }
      gate(calls).u1(ALOAD).u1(mine).u1(LLOAD).u1(permit).u1(LLOAD).u1(start);
      if (type == void.class) {
        onGate(calls, "complete", "(" + CELL_TYPE + "JJ)V");
      } else {
        Class<?> seen = type.isPrimitive() ? type : Object.class;
        calls.u1(load(type)).u1(result);
        onGate(calls, "complete", "(" + CELL_TYPE + "JJ" + seen.descriptorString() + ")V");
        calls.u1(load(type)).u1(result);
      }
      calls.u1(returning(type));

      int handler = call + calls.size();
      Bytes failed = new Bytes().u1(store(Object.class)).u1(result);
      gate(failed).u1(ALOAD).u1(mine).u1(LLOAD).u1(permit).u1(LLOAD).u1(start).u1(ALOAD).u1(result);
      onGate(
          failed.u1(SIPUSH).u2(index),
          "failed",
          "(" + CELL_TYPE + "JJLjava/lang/Throwable;I)Ljava/lang/Throwable;");

      int answer = handler + failed.size();
      int fallback = answer + 5;
      code.u1(IFGE).u2(call - toCall).all(refused);
      code.u1(GOTO).u2(answer - (call - 3)).all(calls).all(failed);
      code.u1(DUP).u1(IFNULL).u2(fallback - (answer + 1)).u1(ATHROW).u1(POP);
      call(code, "fallback", method);
      code.u1(returning(type));

      frames.u2(4).u1(APPEND_THREE).u2(call).u1(OBJECT).u2(file.type(CELL)).u1(LONG).u1(LONG);
      int before = call;
      for (int place : new int[] {handler, answer, fallback}) {
        frames.u1(SAME_AND_ONE).u2(place - before - 1).u1(OBJECT).u2(throwable);
        before = place;
      }
      Bytes table = new Bytes().u2(1).u2(call).u2(callEnd).u2(handler).u2(throwable);
      file.add(
          method.name,
          method.type.descriptorString(),
          attribute(Math.max(STACK, start), result + 2, code, table, 1, frames));
    }

    private Bytes attribute(
        int stack, int variables, Bytes code, Bytes handlers, int attributes, Bytes frames) {
      Bytes attribute = new Bytes().u2(stack).u2(variables).u4(code.size()).all(code);
      attribute.all(handlers).u2(attributes);
      if (attributes > 0) {
        attribute.u2(file.utf8("StackMapTable")).u4(frames.size()).all(frames);
      }
      return attribute;
    }

    private Bytes gate(Bytes code) {
      return code.u1(ALOAD_0).u1(GETFIELD).u2(file.field(GUARDED, "gate", GATE_TYPE));
    }

    private Bytes onGate(Bytes code, String name, String descriptor) {
      return code.u1(INVOKEVIRTUAL).u2(file.method(GATE, name, descriptor));
    }

    /** Calls the method with the same arguments on what a field holds. */
    private void call(Bytes code, String field, Signature method) {
      code.u1(ALOAD_0).u1(GETFIELD).u2(file.field(GUARDED, field, "Ljava/lang/Object;"));
      int variable = 1;
      for (Class<?> parameter : method.type.parameterList()) {
        code.u1(load(parameter)).u1(variable);
        variable += size(parameter);
      }
      // an object of any type may be the target of an interface's method, and is looked at then
      code.u1(INVOKEINTERFACE)
          .u2(file.interfaceMethod(name(iface), method.name, method.type.descriptorString()))
          .u1(variable)
          .u1(0);
    }

    /** The variables of this and the arguments. */
    private static int variables(Signature method) {
      return 1 + method.type.parameterList().stream().mapToInt(Writer::size).sum();
    }

    private static int size(Class<?> type) {
      return type == long.class || type == double.class ? 2 : 1;
    }

    // of the instructions that differ by type there are five in a row

    private static int load(Class<?> type) {
      return ILOAD + kind(type);
    }

    private static int store(Class<?> type) {
      return ISTORE + kind(type);
    }

    private static int returning(Class<?> type) {
      return type == void.class ? RETURN : IRETURN + kind(type);
    }

    private static int kind(Class<?> type) {
      if (!type.isPrimitive()) {
        return 4;
      }
      return type == long.class ? 1 : type == float.class ? 2 : type == double.class ? 3 : 0;
    }

    private static String name(Class<?> type) {
      return type.getName().replace('.', '/');
    }
  }
}
