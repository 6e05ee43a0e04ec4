package dev.thriftbreaker.breaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class CellTableTest {

  /** A thread that is not alive, as a dead one is not. */
  private static final Thread NEVER_STARTED = new Thread(() -> {});

  private static Cell inANewThread(CellTable cells) throws InterruptedException {
    AtomicReference<Cell> found = new AtomicReference<>();
    Thread thread = new Thread(() -> found.set(cells.find(Thread.currentThread())));
    thread.start();
    thread.join();
    return found.get();
  }

  @Test
  void aThreadKeepsItsCellAndSharesItWithNobody() throws Exception {
    CellTable cells = new CellTable(owned -> {});
    Cell mine = cells.find(Thread.currentThread());
    for (int i = 0; i < 100; i++) {
      assertThat(inANewThread(cells)).isNotSameAs(mine);
    }
    assertThat(cells.find(Thread.currentThread())).isSameAs(mine);
  }

  @Test
  void theCellOfADeadThreadGoesToAnotherWithItsCounts() throws Exception {
    CellTable cells = new CellTable(owned -> {});
    int threads = 1_000;
    int withACell = 0;
    for (int i = 0; i < threads; i++) {
      AtomicReference<Cell> found = new AtomicReference<>();
      Thread thread =
          new Thread(
              () -> {
                found.set(cells.find(Thread.currentThread()));
                found.get().countOtherSuccess();
              });
      thread.start();
      thread.join();
      withACell += found.get() != null ? 1 : 0;
      cells.sweep();
    }
    assertThat(withACell).isEqualTo(threads);
    long[] sum = new long[1];
    cells.forEach(cell -> sum[0] += cell.successes());
    assertThat(sum[0]).isEqualTo(threads);
  }

  @Test
  void aSweepLeavesTheLivingTheirCells() {
    CellTable cells = new CellTable(owned -> {});
    Cell mine = cells.find(Thread.currentThread());
    cells.sweep();
    assertThat(mine.owner).isSameAs(Thread.currentThread());
  }

  @Test
  void theTickSweepsEveryFewSeconds() throws Exception {
    Bench bench = Bench.withDefaults();
    Thread thread = new Thread(() -> bench.call(Outcome.SUCCESS));
    thread.start();
    thread.join();
    List<Cell> all = new ArrayList<>();
    bench.breaker.cells().forEach(all::add);
    bench.breaker.tick();
    assertThat(all).singleElement().matches(cell -> cell.owner == thread);

    bench.pass(Duration.ofSeconds(5));
    bench.breaker.tick();

    assertThat(all.get(0).owner).isNull();
    assertThat(bench.breaker.snapshot().successes()).isEqualTo(1);
  }

  @Test
  void threadsBeyondTheTableGoWithout() throws Exception {
    CellTable cells = new CellTable(owned -> {});
    CountDownLatch end = new CountDownLatch(1);
    ExecutorService pool = Executors.newCachedThreadPool();
    try {
      List<Future<Cell>> found = new ArrayList<>();
      CountDownLatch all = new CountDownLatch(300);
      for (int i = 0; i < 300; i++) {
        found.add(
            pool.submit(
                () -> {
                  Cell mine = cells.find(Thread.currentThread());
                  all.countDown();
                  end.await();
                  assertThat(cells.find(Thread.currentThread())).isSameAs(mine);
                  return mine;
                }));
      }
      all.await();
      end.countDown();
      List<Cell> owned = new ArrayList<>();
      for (Future<Cell> future : found) {
        if (future.get() != null) {
          owned.add(future.get());
        }
      }
      assertThat(owned).doesNotHaveDuplicates().hasSize(CellTable.MOST);
    } finally {
      pool.shutdownNow();
    }
  }

  /** Two threads that come for a cell at once. */
  private static final class AtOnce implements HeadOn.Round {
    private final CellTable cells;
    private Cell one;
    private Cell two;

    AtOnce(CellTable cells) {
      this.cells = cells;
    }

    @Override
    public void first() {
      one = cells.find(Thread.currentThread());
    }

    @Override
    public void second() {
      two = cells.find(Thread.currentThread());
    }

    @Override
    public void check() {
      assertThat(one).isNotNull().isNotSameAs(two);
      assertThat(two).isNotNull();
      List<Cell> inTable = new ArrayList<>();
      cells.forEach(inTable::add);
      assertThat(inTable).contains(one, two);
    }
  }

  @Test
  void twoThreadsThatComeAtOnceGetACellEach() throws Exception {
    HeadOn.run(8_000, () -> new AtOnce(new CellTable(owned -> {})));
  }

  @Test
  void twoThreadsRacingForAFreedCellNeverBothGetIt() throws Exception {
    HeadOn.run(
        8_000,
        () -> {
          CellTable cells = new CellTable(owned -> {});
          cells.claim(NEVER_STARTED);
          cells.sweep();
          return new AtOnce(cells);
        });
  }

  @Test
  void aVirtualThreadUsesTheSharedCounters() throws Exception {
    ExecutorService virtual;
    try {
      virtual =
          (ExecutorService)
              Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (NoSuchMethodException e) {
      assumeThat(true).as("this JDK has no virtual threads").isFalse();
      return;
    }
    try {
      Bench bench = Bench.withDefaults();
      CellTable cells = bench.breaker.cells();
      List<Future<Cell>> found = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        found.add(
            virtual.submit(
                () -> {
                  bench.call(Outcome.SUCCESS);
                  return cells.find(Thread.currentThread());
                }));
      }
      for (Future<Cell> future : found) {
        assertThat(future.get()).isNull();
      }
      BreakerSnapshot snapshot = bench.breaker.snapshot();
      assertThat(snapshot.acquired()).isEqualTo(500);
      assertThat(snapshot.successes()).isEqualTo(500);
      assertThat(snapshot.window().calls()).isEqualTo(500);
      assertThat(bench.breaker.latency().count()).isEqualTo(500);
    } finally {
      virtual.shutdown();
    }
  }

  @Test
  void manyThreadsLoseNoCount() throws Exception {
    Bench bench = Bench.withDefaults();
    int threads = 100;
    int calls = 2_000;
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      Thread thread =
          new Thread(
              () -> {
                for (int n = 0; n < calls; n++) {
                  bench.call(Outcome.SUCCESS);
                }
              });
      all.add(thread);
      thread.start();
    }
    for (Thread thread : all) {
      thread.join();
    }
    BreakerSnapshot snapshot = bench.breaker.snapshot();
    assertThat(snapshot.acquired()).isEqualTo(threads * calls);
    assertThat(snapshot.successes()).isEqualTo(threads * calls);
    assertThat(snapshot.window().calls()).isEqualTo(threads * calls);
    assertThat(bench.breaker.latency().count()).isEqualTo(threads * calls);
  }
}
