package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.gen.Stock;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.thrift.TException;
import org.junit.jupiter.api.Test;

/** Guards of interfaces of all shapes that Java knows, not only of those that Thrift generates. */
class GuardClassTest {

  private final CircuitBreaker breaker = Breakers.closed("stock");

  private <T> T guard(Class<T> iface, T client) {
    T guarded = Guard.of(breaker, iface, client);
    assertThat(guarded.getClass().isHidden()).isTrue();
    return guarded;
  }

  private void assertCalls(int calls) {
    assertThat(breaker.snapshot().acquired()).isEqualTo(calls);
    assertThat(breaker.snapshot().successes()).isEqualTo(calls);
    assertThat(breaker.snapshot().inFlight()).isZero();
  }

  // ---- arguments and results

  interface Kinds {
    boolean not(boolean it);

    byte next(byte it);

    char next(char it);

    short next(short it);

    int next(int it);

    long next(long it);

    float next(float it);

    double next(double it);

    String next(String it);

    int[] next(int[] it);

    String[][] next(String[][] it);

    void nothing();

    double all(long a, String b, double c, byte d, int[] e, float f, boolean g, short h, char i);
  }

  private static final class Real implements Kinds {
    @Override
    public boolean not(boolean it) {
      return !it;
    }

    @Override
    public byte next(byte it) {
      return (byte) (it + 1);
    }

    @Override
    public char next(char it) {
      return (char) (it + 1);
    }

    @Override
    public short next(short it) {
      return (short) (it + 1);
    }

    @Override
    public int next(int it) {
      return it + 1;
    }

    @Override
    public long next(long it) {
      return it + 1;
    }

    @Override
    public float next(float it) {
      return it + 1;
    }

    @Override
    public double next(double it) {
      return it + 1;
    }

    @Override
    public String next(String it) {
      return it + 1;
    }

    @Override
    public int[] next(int[] it) {
      return it;
    }

    @Override
    public String[][] next(String[][] it) {
      return it;
    }

    @Override
    public void nothing() {}

    @Override
    public double all(
        long a, String b, double c, byte d, int[] e, float f, boolean g, short h, char i) {
      return a + b.length() + c + d + e.length + f + (g ? 1 : 0) + h + i;
    }
  }

  @Test
  void passesArgumentsAndResultsOfEveryKind() {
    Kinds kinds = guard(Kinds.class, new Real());
    int[] numbers = {1, 2};
    String[][] texts = {{"plum"}};

    assertThat(kinds.not(false)).isTrue();
    assertThat(kinds.next((byte) -128)).isEqualTo((byte) -127);
    assertThat(kinds.next('a')).isEqualTo('b');
    assertThat(kinds.next((short) -32_768)).isEqualTo((short) -32_767);
    assertThat(kinds.next(-1)).isZero();
    assertThat(kinds.next(1L << 40)).isEqualTo((1L << 40) + 1);
    assertThat(kinds.next(1.5f)).isEqualTo(2.5f);
    assertThat(kinds.next(1.5)).isEqualTo(2.5);
    assertThat(kinds.next("plum")).isEqualTo("plum1");
    assertThat(kinds.next((String) null)).isEqualTo("null1");
    assertThat(kinds.next(numbers)).isSameAs(numbers);
    assertThat(kinds.next(texts)).isSameAs(texts);
    kinds.nothing();
    assertThat(kinds.all(1L << 40, "ab", 0.5, (byte) 3, numbers, 4f, true, (short) 5, (char) 6))
        .isEqualTo((1L << 40) + 2 + 0.5 + 3 + 2 + 4 + 1 + 5 + 6);
    assertCalls(14);
  }

  @Test
  void showsResultsOfEveryKindToThePredicate() {
    // given
    List<Object> seen = new ArrayList<>();
    CircuitBreaker judging =
        Breakers.closed(
            "stock",
            BreakerConfig.builder()
                .failureResult(
                    result -> {
                      seen.add(result);
                      return Integer.valueOf(13).equals(result);
                    })
                .build());
    Kinds kinds = Guard.of(judging, Kinds.class, new Real());

    // when
    kinds.not(true);
    kinds.next((byte) 1);
    kinds.next('a');
    kinds.next((short) 2);
    kinds.next(12);
    kinds.next(4L);
    kinds.next(5f);
    kinds.next(6d);
    kinds.next("plum");
    kinds.nothing();

    // then
    assertThat(seen)
        .containsExactly(false, (byte) 2, 'b', (short) 3, 13, 5L, 6f, 7d, "plum1", null);
    assertThat(judging.snapshot().failures()).isEqualTo(1);
    assertThat(judging.snapshot().successes()).isEqualTo(9);
  }

  /** As many as its class can hold. */
  interface Many {
    long last(
        int a0,
        long a1,
        long a2,
        long a3,
        long a4,
        long a5,
        long a6,
        long a7,
        long a8,
        long a9,
        long a10,
        long a11,
        long a12,
        long a13,
        long a14,
        long a15,
        long a16,
        long a17,
        long a18,
        long a19,
        long a20,
        long a21,
        long a22,
        long a23,
        long a24,
        long a25,
        long a26,
        long a27,
        long a28,
        long a29,
        long a30,
        long a31,
        long a32,
        long a33,
        long a34,
        long a35,
        long a36,
        long a37,
        long a38,
        long a39,
        long a40,
        long a41,
        long a42,
        long a43,
        long a44,
        long a45,
        long a46,
        long a47,
        long a48,
        long a49,
        long a50,
        long a51,
        long a52,
        long a53,
        long a54,
        long a55,
        long a56,
        long a57,
        long a58,
        long a59,
        long a60,
        long a61,
        long a62,
        long a63,
        long a64,
        long a65,
        long a66,
        long a67,
        long a68,
        long a69,
        long a70,
        long a71,
        long a72,
        long a73,
        long a74,
        long a75,
        long a76,
        long a77,
        long a78,
        long a79,
        long a80,
        long a81,
        long a82,
        long a83,
        long a84,
        long a85,
        long a86,
        long a87,
        long a88,
        long a89,
        long a90,
        long a91,
        long a92,
        long a93,
        long a94,
        long a95,
        long a96,
        long a97,
        long a98,
        long a99,
        long a100,
        long a101,
        long a102,
        long a103,
        long a104,
        long a105,
        long a106,
        long a107,
        long a108,
        long a109,
        long a110,
        long a111,
        long a112,
        long a113,
        long a114,
        long a115,
        long a116,
        long a117,
        long a118,
        long a119,
        long a120,
        long a121,
        long a122,
        long a123,
        long a124);
  }

  /** As many as there may be. */
  interface TooMany {
    long last(
        long a0,
        long a1,
        long a2,
        long a3,
        long a4,
        long a5,
        long a6,
        long a7,
        long a8,
        long a9,
        long a10,
        long a11,
        long a12,
        long a13,
        long a14,
        long a15,
        long a16,
        long a17,
        long a18,
        long a19,
        long a20,
        long a21,
        long a22,
        long a23,
        long a24,
        long a25,
        long a26,
        long a27,
        long a28,
        long a29,
        long a30,
        long a31,
        long a32,
        long a33,
        long a34,
        long a35,
        long a36,
        long a37,
        long a38,
        long a39,
        long a40,
        long a41,
        long a42,
        long a43,
        long a44,
        long a45,
        long a46,
        long a47,
        long a48,
        long a49,
        long a50,
        long a51,
        long a52,
        long a53,
        long a54,
        long a55,
        long a56,
        long a57,
        long a58,
        long a59,
        long a60,
        long a61,
        long a62,
        long a63,
        long a64,
        long a65,
        long a66,
        long a67,
        long a68,
        long a69,
        long a70,
        long a71,
        long a72,
        long a73,
        long a74,
        long a75,
        long a76,
        long a77,
        long a78,
        long a79,
        long a80,
        long a81,
        long a82,
        long a83,
        long a84,
        long a85,
        long a86,
        long a87,
        long a88,
        long a89,
        long a90,
        long a91,
        long a92,
        long a93,
        long a94,
        long a95,
        long a96,
        long a97,
        long a98,
        long a99,
        long a100,
        long a101,
        long a102,
        long a103,
        long a104,
        long a105,
        long a106,
        long a107,
        long a108,
        long a109,
        long a110,
        long a111,
        long a112,
        long a113,
        long a114,
        long a115,
        long a116,
        long a117,
        long a118,
        long a119,
        long a120,
        long a121,
        long a122,
        long a123,
        long a124,
        long a125,
        long a126);
  }

  @Test
  void guardsMethodsOfAsManyArgumentsAsThereMayBe() throws Exception {
    Many many = guard(Many.class, last(Many.class));
    TooMany tooMany = Guard.of(breaker, TooMany.class, last(TooMany.class));

    assertThat(call(many, Many.class)).isEqualTo(8L);
    assertThat(call(tooMany, TooMany.class)).isEqualTo(8L);
    assertThat(Proxy.isProxyClass(tooMany.getClass())).isTrue();
    assertCalls(2);
  }

  private static Object call(Object guarded, Class<?> iface) throws Exception {
    Method method = iface.getMethods()[0];
    Object[] arguments = new Object[method.getParameterCount()];
    Arrays.fill(arguments, 7L);
    if (method.getParameterTypes()[0] == int.class) {
      arguments[0] = 7;
    }
    arguments[arguments.length - 1] = 8L;
    return method.invoke(guarded, arguments);
  }

  private static <T> T last(Class<T> iface) {
    return iface.cast(
        Proxy.newProxyInstance(
            iface.getClassLoader(),
            new Class<?>[] {iface},
            (proxy, method, arguments) -> arguments[arguments.length - 1]));
  }

  // ---- interfaces

  interface Source<T> {
    T get(T key) throws TException;
  }

  interface Names extends Source<String> {
    @Override
    String get(String key) throws TException;
  }

  @Test
  void guardsACallOnceThoughItComesByABridge() throws TException {
    Names names = guard(Names.class, key -> key + "!");
    Source<String> source = names;

    assertThat(names.get("plum")).isEqualTo("plum!");
    assertThat(source.get("plum")).isEqualTo("plum!");
    assertCalls(2);
  }

  interface Greeting {
    String name();

    default String greet() {
      return "hello " + name();
    }

    static String unused() {
      return "";
    }
  }

  @Test
  void guardsADefaultMethodAsOneCallOfTheClients() {
    Greeting greeting = guard(Greeting.class, () -> "plum");

    assertThat(greeting.greet()).isEqualTo("hello plum");
    assertCalls(1);
  }

  interface Child extends Stock.Iface {
    int more() throws TException;
  }

  @Test
  void guardsWhatAServiceInherits() throws TException {
    class Both implements Child {
      @Override
      public int reserve(String sku, int quantity) {
        return quantity;
      }

      @Override
      public long ping(long number) {
        return number + 1;
      }

      @Override
      public void touch() {}

      @Override
      public int more() {
        return 1;
      }
    }

    Child child = guard(Child.class, new Both());

    assertThat(child.more()).isEqualTo(1);
    assertThat(child.ping(5)).isEqualTo(6);
    assertCalls(2);
  }

  interface Order extends Comparator<String> {
    @Override
    boolean equals(Object other);

    @Override
    int hashCode();

    @Override
    String toString();
  }

  @Test
  void leavesMethodsOfObjectAloneThoughTheInterfaceNamesThem() {
    Order order = guard(Order.class, String::compareTo);
    assertThat(order.compare("a", "b")).isNegative();
    Breakers.open(breaker);

    assertThat(order).isEqualTo(order).hasSameHashCodeAs(order);
    assertThat(order).isNotEqualTo(Guard.of(breaker, Order.class, String::compareTo));
    assertThat(order.toString()).endsWith(" guarded by breaker stock");
    assertCalls(1);
  }

  interface Closable extends AutoCloseable {
    @Override
    void close() throws IOException;

    void close(int how);
  }

  interface Shop {
    void close() throws TException;
  }

  @Test
  void leavesCloseAloneOnlyWhereItIsThatOfAnAutoCloseable() throws Exception {
    // given
    AtomicInteger closed = new AtomicInteger();
    Closable closable =
        guard(
            Closable.class,
            new Closable() {
              @Override
              public void close() throws IOException {
                closed.getAndIncrement();
                throw new IOException("broken");
              }

              @Override
              public void close(int how) {}
            });
    Shop shop = guard(Shop.class, closed::getAndIncrement);
    Breakers.open(breaker);

    // when / then
    assertThatThrownBy(closable::close).isInstanceOf(IOException.class);
    assertThat(closed).hasValue(1);
    assertThatThrownBy(() -> closable.close(1)).hasCauseInstanceOf(BreakerOpenException.class);
    assertThatThrownBy(shop::close).isInstanceOf(BreakerOpenException.class);
    assertThat(breaker.snapshot().failures()).isZero();
  }

  @Test
  void hasOneClassForAllGuardsOfAnInterfaceWhichStackTracesName() {
    Names one = guard(Names.class, key -> key);
    Names other = Guard.of(Breakers.closed("other"), Names.class, key -> key);

    assertThat(one.getClass()).isSameAs(other.getClass());
    assertThat(one.getClass().getName())
        .startsWith("dev.thriftbreaker.thrift.GuardOf$GuardClassTest$Names/");
    assertThat(one.getClass()).isNotSameAs(guard(Shop.class, () -> {}).getClass());
  }

  // ---- exceptions

  interface Throwing {
    void nothing();

    void io() throws IOException;

    void any() throws Exception;

    void thrift() throws TException, IOException;
  }

  private record Failing(Throwable thrown) implements Throwing {
    @Override
    public void nothing() {
      throw AsyncGuardTest.<RuntimeException>sneaked(thrown);
    }

    @Override
    public void io() {
      nothing();
    }

    @Override
    public void any() {
      nothing();
    }

    @Override
    public void thrift() {
      nothing();
    }
  }

  @Test
  void throwsARefusalAsItIsWhereItIsDeclared() {
    Throwing guarded = guard(Throwing.class, new Failing(null));
    Breakers.open(breaker);

    assertThat(catchThrowable(guarded::any)).isInstanceOf(BreakerOpenException.class);
    assertThat(catchThrowable(guarded::thrift)).isInstanceOf(BreakerOpenException.class);
    assertThat(catchThrowable(guarded::nothing))
        .isInstanceOf(UndeclaredThrowableException.class)
        .hasCauseInstanceOf(BreakerOpenException.class);
    assertThat(catchThrowable(guarded::io))
        .isInstanceOf(UndeclaredThrowableException.class)
        .hasCauseInstanceOf(BreakerOpenException.class);
    assertThat(breaker.snapshot().refused()).isEqualTo(4);
  }

  @Test
  void throwsWhatTheClientThrowsUnlessNoMethodMayThrowIt() {
    IOException io = new IOException("broken");
    Throwing guarded = guard(Throwing.class, new Failing(io));

    assertThat(catchThrowable(guarded::io)).isSameAs(io);
    assertThat(catchThrowable(guarded::any)).isSameAs(io);
    assertThat(catchThrowable(guarded::thrift)).isSameAs(io);
    assertThat(catchThrowable(guarded::nothing))
        .isInstanceOf(UndeclaredThrowableException.class)
        .hasCause(io);
    for (Throwable unchecked :
        new Throwable[] {new IllegalStateException(), new AssertionError()}) {
      Failing failing = new Failing(unchecked);
      Throwing other = Guard.of(Breakers.closed("other"), Throwing.class, failing);
      assertThat(catchThrowable(other::nothing)).isSameAs(unchecked);
    }
    assertThat(breaker.snapshot().failures()).isEqualTo(4);
    assertThat(breaker.snapshot().inFlight()).isZero();
  }

  interface One {
    void act() throws TException;
  }

  interface Other {
    void act();
  }

  interface Two extends One, Other {
    @Override
    void act();
  }

  @Test
  void declaresWhatAllOfTheInterfacesDeclareThatAMethodComesFrom() {
    Two two = guard(Two.class, () -> {});
    One one = two;
    Breakers.open(breaker);

    assertThat(catchThrowable(one::act)).isInstanceOf(UndeclaredThrowableException.class);
  }

  // ---- interfaces that cannot be seen from here

  interface Far {
    String read(int number) throws TException;
  }

  /** Knows the interface by itself, not by its parent. */
  private static final class FarLoader extends ClassLoader {

    FarLoader() {
      super(GuardClassTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.equals(Far.class.getName())) {
        return super.loadClass(name, resolve);
      }
      String file = name.replace('.', '/') + ".class";
      try (InputStream in = getParent().getResourceAsStream(file)) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  @Test
  void guardsAnInterfaceOfAnotherClassLoaderByAProxy() throws Exception {
    // given
    @SuppressWarnings("unchecked") // of which nothing is known here
    Class<Object> far = (Class<Object>) new FarLoader().loadClass(Far.class.getName());
    Object client =
        Proxy.newProxyInstance(
            far.getClassLoader(),
            new Class<?>[] {far},
            (proxy, method, arguments) -> "read " + arguments[0]);
    Object guarded = Guard.of(breaker, far, client);
    Method read = far.getMethod("read", int.class);
    read.setAccessible(true);

    // when / then
    assertThat(Proxy.isProxyClass(guarded.getClass())).isTrue();
    assertThat(read.invoke(guarded, 7)).isEqualTo("read 7");
    assertCalls(1);
    Breakers.open(breaker);
    assertThatThrownBy(() -> read.invoke(guarded, 7))
        .isInstanceOf(InvocationTargetException.class)
        .hasCauseInstanceOf(BreakerOpenException.class);
  }

  @Test
  void guardsInterfacesOfTheJdk() throws Exception {
    @SuppressWarnings("unchecked")
    Callable<String> guarded = guard(Callable.class, () -> "called");

    assertThat(guarded.call()).isEqualTo("called");
    assertCalls(1);
  }
}
