package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * The cells of one breaker, found by thread.
 *
 * <p>Concurrency: which cells there are, and whose they are, is one immutable {@link Table},
 * replaced by compare-and-set when a thread comes for the first time and when dead threads are
 * swept out; so a cell has at most one owner at a time. Cells are never removed: what a dead thread
 * counted stays counted. A thread beyond {@value #MOST}, and a virtual thread always, gets none and
 * uses the shared counters instead.
 */
final class CellTable {

  static final int MOST = 256;

  private static final MethodHandle IS_VIRTUAL = isVirtual(MethodHandles.lookup());
  private static final VarHandle OWNER;

  static {
    try {
      OWNER = MethodHandles.lookup().findVarHandle(Cell.class, "owner", Thread.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /**
   * A hash table with linear probing, at most half full.
   *
   * @param cells all cells, each at its place
   * @param threads the owners
   * @param owned what they own, each at its owner's index
   * @param shift how far a hash is shifted to be an index
   */
  private record Table(Cell[] cells, Thread[] threads, Cell[] owned, int shift) {

    static Table ofSize(Cell[] cells) {
      int bits = 1;
      while (1 << bits < 2 * cells.length) {
        bits++;
      }
      return new Table(cells, new Thread[1 << bits], new Cell[1 << bits], Long.SIZE - bits);
    }

    /** The index at which a thread is, or where it would be. */
    int index(Thread thread) {
      // Fibonacci hashing: threads made one after the other lie far apart
      int index = (int) (thread.getId() * 0x9E3779B97F4A7C15L >>> shift);
      while (threads[index] != thread && threads[index] != null) {
        index = index + 1 & threads.length - 1;
      }
      return index;
    }

    private void put(Thread thread, Cell cell) {
      int index = index(thread);
      threads[index] = thread;
      owned[index] = cell;
    }

    /** The same with one owner more, of a free cell or a new one; null if there is none left. */
    Table with(Thread thread) {
      boolean[] taken = new boolean[cells.length];
      for (Cell cell : owned) {
        if (cell != null) {
          taken[cell.place] = true;
        }
      }
      int place = 0;
      while (place < taken.length && taken[place]) {
        place++;
      }
      if (place == MOST) {
        return null;
      }
      Cell[] all = cells;
      if (place == all.length) {
        all = Arrays.copyOf(cells, place + 1);
        all[place] = new Cell(place);
      }
      Table fresh = copy(all, false);
      fresh.put(thread, all[place]);
      return fresh;
    }

    Table withoutTheDead() {
      return copy(cells, true);
    }

    private Table copy(Cell[] all, boolean aliveOnly) {
      Table copy = ofSize(all);
      for (int i = 0; i < threads.length; i++) {
        if (threads[i] != null && (!aliveOnly || threads[i].isAlive())) {
          copy.put(threads[i], owned[i]);
        }
      }
      return copy;
    }
  }

  private final AtomicReference<Table> table = new AtomicReference<>(Table.ofSize(new Cell[0]));

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
    Table now = table.getAcquire();
    int index = now.index(me);
    return now.threads[index] == me ? now.owned[index] : claim(me);
  }

  /** The cell of a place where one was made. */
  Cell at(int place) {
    return table.getAcquire().cells[place];
  }

  /** Gets a thread a cell, or null if it must go without. */
  Cell claim(Thread me) {
    if (virtual(me)) {
      return null;
    }
    while (true) {
      Table old = table.get();
      Table fresh = old.with(me);
      if (fresh == null) {
        return null;
      }
      if (table.compareAndSet(old, fresh)) {
        Cell mine = fresh.owned[fresh.index(me)];
        mine.owner = me;
        return mine;
      }
    }
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
    Table old = table.get();
    boolean anyDead = false;
    for (int i = 0; i < old.threads.length; i++) {
      Thread thread = old.threads[i];
      if (thread != null && !thread.isAlive()) {
        OWNER.compareAndSet(old.owned[i], thread, (Thread) null); // before anyone can claim it
        anyDead = true;
      }
    }
    if (anyDead) {
      // a thread that came meanwhile was faster: the next sweep does it
      table.compareAndSet(old, old.withoutTheDead());
    }
  }

  void forEach(Consumer<Cell> action) {
    for (Cell cell : table.getAcquire().cells) {
      action.accept(cell);
    }
  }

  /** How many calls are in flight in cells. */
  int inFlight() {
    int count = 0;
    for (Cell cell : table.getAcquire().cells) {
      count += cell.inFlight();
    }
    return count;
  }

  /** The calls that all threads counted in one slice of a window. */
  long calls(int place, long tag) {
    long calls = 0;
    for (Cell cell : table.getAcquire().cells) {
      calls += cell.calls(place, tag);
    }
    return calls;
  }
}
