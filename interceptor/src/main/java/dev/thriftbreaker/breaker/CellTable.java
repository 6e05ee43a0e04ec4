package dev.thriftbreaker.breaker;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * The cells of one breaker, found by thread.
 *
 * <p>Concurrency: a cell is taken and set free by compare-and-set on its owner, so it has at most
 * one at a time. Which cells there are, and where each thread finds its own, is one immutable
 * {@link Table}, made anew when a thread comes for the first time and when dead threads are swept
 * out. Cells are never removed: what a dead thread counted stays counted. A thread beyond {@value
 * #MOST}, and a virtual thread always, gets none and uses the shared counters instead.
 */
final class CellTable {

  static final int MOST = 256;

  /** {@code Thread.isVirtual}, or null before Java 21. */
  private static final MethodHandle IS_VIRTUAL;

  private static final VarHandle OWNER;
  private static final VarHandle TABLE;

  static {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try {
      OWNER = lookup.findVarHandle(Cell.class, "owner", Thread.class);
      TABLE = lookup.findVarHandle(CellTable.class, "table", Table.class);
      IS_VIRTUAL =
          Runtime.version().feature() < 21
              ? null
              : lookup.findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /**
   * All cells, each at its place, and a hash table with linear probing of those that have an owner.
   * Threads made one after the other have ids in a row, so the id is a good hash as it is.
   */
  private static final class Table {
    final Cell[] cells;
    final Cell[] owned;

    Table(Cell[] cells) {
      this.cells = cells;
      this.owned = new Cell[Math.max(2, 4 * Integer.highestOneBit(cells.length))];
      for (Cell cell : cells) {
        Thread owner = cell.owner;
        if (owner != null) {
          int index = (int) owner.getId() & owned.length - 1;
          while (owned[index] != null) {
            index = index + 1 & owned.length - 1;
          }
          owned[index] = cell;
        }
      }
    }

    Cell of(Thread thread) {
      int index = (int) thread.getId() & owned.length - 1;
      while (owned[index] != null && owned[index].owner != thread) {
        index = index + 1 & owned.length - 1;
      }
      return owned[index];
    }

    /** Takes a free cell; null if there is none. */
    Cell take(Thread thread) {
      for (Cell cell : cells) {
        if (cell.owner == null && OWNER.compareAndSet(cell, (Thread) null, thread)) {
          return cell;
        }
      }
      return null;
    }
  }

  private volatile Table table = new Table(new Cell[0]);

  /** Where calls look for their cells: the table's own, a few steps nearer to them. */
  private final Consumer<Cell[]> near;

  CellTable(Consumer<Cell[]> near) {
    this.near = near;
    publish();
  }

  /**
   * The cell of the current thread, or null if it has to use the shared counters. Calls look among
   * those that are {@code near} first.
   */
  Cell find(Thread me) {
    Cell cell = table.of(me);
    return cell == null ? claim(me) : cell;
  }

  /** The cell of a place where one was made. */
  Cell at(int place) {
    return table.cells[place];
  }

  /** Gets a thread a cell; null if it must go without. */
  Cell claim(Thread thread) {
    if (virtual(thread)) {
      return null;
    }
    while (true) {
      Table old = table;
      Cell free = old.take(thread);
      if (free != null) {
        tabulate();
        return free;
      }
      if (old.cells.length == MOST) {
        return null;
      }
      Cell[] more = Arrays.copyOf(old.cells, old.cells.length + 1);
      Cell fresh = new Cell(old.cells.length);
      fresh.owner = thread;
      more[fresh.place] = fresh;
      if (TABLE.compareAndSet(this, old, new Table(more))) {
        publish();
        return fresh;
      }
    }
  }

  /** Makes the table anew, from the owners as they are now. */
  private void tabulate() {
    Table old;
    do {
      old = table;
    } while (!TABLE.compareAndSet(this, old, new Table(old.cells)));
    publish();
  }

  /** Whoever is overtaken looks again, so that the newest table's stays. */
  private void publish() {
    Table newest;
    do {
      newest = table;
      near.accept(newest.owned);
    } while (newest != table);
  }

  private static boolean virtual(Thread thread) {
    try {
      return IS_VIRTUAL != null && (boolean) IS_VIRTUAL.invokeExact(thread);
    } catch (Throwable e) {
      throw new IllegalStateException("Thread.isVirtual threw", e);
    }
  }

  /**
   * Sets the cells of dead threads free. What such a thread wrote happened before it was seen dead.
   */
  void sweep() {
    boolean anyDead = false;
    for (Cell cell : table.cells) {
      Thread owner = cell.owner;
      if (owner != null && !owner.isAlive()) {
        anyDead |= OWNER.compareAndSet(cell, owner, (Thread) null);
      }
    }
    if (anyDead) {
      tabulate();
    }
  }

  void forEach(Consumer<Cell> action) {
    for (Cell cell : table.cells) {
      action.accept(cell);
    }
  }

  /** How many calls are in flight in cells. */
  int inFlight() {
    int count = 0;
    for (Cell cell : table.cells) {
      count += cell.inFlight();
    }
    return count;
  }

  /** The calls that all threads counted in one slice of a window. */
  long calls(int place, long tag) {
    long calls = 0;
    for (Cell cell : table.cells) {
      calls += cell.calls(place, tag);
    }
    return calls;
  }
}
