package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;

/**
 * The cells of one breaker, found by thread.
 *
 * <p>Concurrency: a cell is made, taken and set free by compare-and-set on its place or its owner,
 * so it has at most one owner at a time. Cells are never removed: what a dead thread counted stays
 * counted. The table does not grow; a thread that finds no free place among a few, and a virtual
 * thread always, gets none and uses the shared counters instead.
 */
final class CellTable {

  static final int PLACES = 64;
  private static final int TRIES = 4;
  private static final VarHandle OWNER;
  private static final MethodHandle IS_VIRTUAL;

  static {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try {
      OWNER = lookup.findVarHandle(Cell.class, "owner", Thread.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
    IS_VIRTUAL = isVirtual(lookup);
  }

  private final AtomicReferenceArray<Cell> places = new AtomicReferenceArray<>(PLACES);

  /** {@code Thread.isVirtual}, or false for every thread before Java 21. */
  private static MethodHandle isVirtual(MethodHandles.Lookup lookup) {
    try {
      return lookup.findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
    } catch (ReflectiveOperationException e) {
      return MethodHandles.dropArguments(
          MethodHandles.constant(boolean.class, false), 0, Thread.class);
    }
  }

  /** The cell of the current thread, or null if it has to use the shared counters. */
  Cell mine() {
    Thread me = Thread.currentThread();
    int home = home(me);
    Cell cell = places.get(home);
    return cell != null && cell.owner == me ? cell : find(me, home);
  }

  /** The cell of a place where one was made. */
  Cell at(int place) {
    return places.get(place);
  }

  private static int home(Thread thread) {
    // Fibonacci hashing: threads made one after the other lie far apart
    return (int) (thread.getId() * 0x9E3779B97F4A7C15L >>> 58);
  }

  /** The cell of a thread, looked for from a place of the table on. */
  Cell find(Thread me, int home) {
    for (int i = 0; i < TRIES; i++) {
      Cell cell = places.get((home + i) % PLACES);
      if (cell != null && cell.owner == me) {
        return cell;
      }
    }
    if (virtual(me)) {
      return null;
    }
    for (int i = 0; i < TRIES; i++) {
      int place = (home + i) % PLACES;
      Cell cell = places.get(place);
      if (cell == null) {
        Cell fresh = new Cell(me, place);
        if (places.compareAndSet(place, null, fresh)) {
          return fresh;
        }
      } else if (cell.owner == null && OWNER.compareAndSet(cell, (Thread) null, me)) {
        return cell;
      }
    }
    return null;
  }

  private static boolean virtual(Thread thread) {
    try {
      return (boolean) IS_VIRTUAL.invokeExact(thread);
    } catch (Throwable e) {
      throw new IllegalStateException("Thread.isVirtual threw", e);
    }
  }

  /**
   * Sets the cells of dead threads free. What such a thread wrote happened before it was seen dead.
   */
  void sweep() {
    forEach(
        cell -> {
          Thread owner = cell.owner;
          if (owner != null && !owner.isAlive()) {
            OWNER.compareAndSet(cell, owner, (Thread) null);
          }
        });
  }

  void forEach(Consumer<Cell> action) {
    for (int i = 0; i < PLACES; i++) {
      Cell cell = places.get(i);
      if (cell != null) {
        action.accept(cell);
      }
    }
  }

  /** The calls that all threads counted in one slice of a window. */
  long calls(int place, long tag) {
    long calls = 0;
    for (int i = 0; i < PLACES; i++) {
      Cell cell = places.get(i);
      if (cell != null) {
        calls += cell.calls(place, tag);
      }
    }
    return calls;
  }
}
