package dev.thriftbreaker.demo.downstream;

import dev.thriftbreaker.demo.control.FaultKind;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Stands in front of a healthy handler and makes it fail as asked. Thread-safe: calls read the
 * fault of the moment; a change lets go of all calls that the fault before it held up.
 */
final class FaultSwitch {

  /** What the work of a healthy call takes. */
  private static final long WORK_MILLIS = 2;

  private record Fault(FaultKind kind, double amount, CountDownLatch over) {}

  private volatile Fault fault = new Fault(FaultKind.NONE, 0, new CountDownLatch(1));

  void set(FaultKind kind, double amount) {
    Fault before = fault;
    fault = new Fault(kind, amount, new CountDownLatch(1));
    before.over.countDown();
  }

  <T> T inFrontOf(Class<T> type, T handler) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              suffer();
              try {
                return method.invoke(handler, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  private void suffer() throws InterruptedException {
    Thread.sleep(WORK_MILLIS);
    Fault now = fault;
    switch (now.kind) {
      case ERRORS -> {
        if (ThreadLocalRandom.current().nextDouble() < now.amount) {
          throw new IllegalStateException("injected");
        }
      }
      case SLOW -> now.over.await((long) now.amount, TimeUnit.MILLISECONDS);
      case HANG -> now.over.await();
      case NONE, DOWN -> {}
    }
  }
}
