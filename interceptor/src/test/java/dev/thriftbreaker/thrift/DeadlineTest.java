package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.HeadOn;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DeadlineTest {

  private static final class Counting extends Deadline {
    final AtomicInteger aborted = new AtomicInteger();

    @Override
    void abort() {
      aborted.incrementAndGet();
    }
  }

  private final Counting deadline = new Counting();

  @Test
  void aCallThatEndsBeforeItsDeadlineIsLeftAlone() {
    deadline.arm(100);
    assertThat(deadline.expire(99)).isEqualTo(100);
    assertThat(deadline.end(100)).isTrue();
    assertThat(deadline.expire(500)).isEqualTo(Deadline.NEVER);
    assertThat(deadline.aborted).hasValue(0);
  }

  @Test
  void aCallWhoseDeadlinePassesIsAbortedOnceAndTheConnectionIsDoneFor() {
    deadline.arm(100);
    assertThat(deadline.expire(100)).isEqualTo(Deadline.NEVER);
    assertThat(deadline.expire(200)).isEqualTo(Deadline.NEVER);
    assertThat(deadline.aborted).hasValue(1);
    assertThat(deadline.isPassed()).isTrue();
    assertThat(deadline.end(100)).isFalse();
    assertThat(deadline.isPassed()).isTrue();
  }

  @Test
  void aCallWithoutADeadlineIsNeverAborted() {
    deadline.arm(Deadline.NEVER);
    assertThat(deadline.expire(Long.MAX_VALUE)).isEqualTo(Deadline.NEVER);
    assertThat(deadline.end(Deadline.NEVER)).isTrue();
    assertThat(deadline.aborted).hasValue(0);
  }

  @Test
  void eitherTheCallEndsOrItsDeadlinePasses() throws InterruptedException {
    HeadOn.run(
        20_000,
        () ->
            new HeadOn.Round() {
              final Counting contested = new Counting();
              boolean ended;

              {
                contested.arm(100);
              }

              @Override
              public void first() {
                ended = contested.end(100);
              }

              @Override
              public void second() {
                contested.expire(100);
              }

              @Override
              public void check() {
                assertThat(contested.aborted).hasValue(ended ? 0 : 1);
                assertThat(contested.isPassed()).isEqualTo(!ended);
              }
            });
  }

  @Test
  void aLateKeeperNeverHitsTheNextCallOnTheConnection() throws InterruptedException {
    HeadOn.run(
        20_000,
        () ->
            new HeadOn.Round() {
              final Counting contested = new Counting();
              boolean firstEnded;
              boolean secondEnded;

              {
                contested.arm(100);
              }

              @Override
              public void first() {
                firstEnded = contested.end(100);
                if (firstEnded) {
                  contested.arm(200);
                  secondEnded = contested.end(200);
                }
              }

              @Override
              public void second() {
                contested.expire(150);
              }

              @Override
              public void check() {
                assertThat(contested.aborted).hasValue(firstEnded ? 0 : 1);
                assertThat(secondEnded).isEqualTo(firstEnded);
              }
            });
  }

  @Test
  void aDeadlineArmedWhileTheKeeperGoesToSleepIsKept() {
    // given calls that meet a keeper which has just closed the one before, and will go to sleep
    try (DeadlineKeeper keeper = new DeadlineKeeper("test")) {
      for (int i = 0; i < 2_000; i++) {
        keeper.add(new Counting()); // so many that the keeper is under way for a while
      }
      for (int i = 0; i < 500; i++) {
        Counting call = new Counting();
        keeper.add(call);
        for (int spin = 0; spin < i % 200; spin++) {
          Thread.onSpinWait();
        }

        // when
        keeper.arm(call, keeper.now() + 2_000_000);

        // then
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (call.aborted.get() == 0 && System.nanoTime() < patience) {
          Thread.onSpinWait();
        }
        assertThat(call.aborted).as("call %s", i).hasValue(1);
        keeper.remove(call);
      }
    }
  }

  @Test
  void anEarlierDeadlineWakesAKeeperThatSleepsUntilALaterOne() {
    try (DeadlineKeeper keeper = new DeadlineKeeper("test")) {
      Counting late = new Counting();
      Counting early = new Counting();
      keeper.add(late);
      keeper.add(early);
      keeper.arm(late, keeper.now() + TimeUnit.HOURS.toNanos(1));
      keeper.arm(early, keeper.now() + TimeUnit.MILLISECONDS.toNanos(50));

      await().until(() -> early.aborted.get() == 1);
      assertThat(late.aborted).hasValue(0);
      keeper.remove(late);
      keeper.remove(early);
    }
  }

  @Test
  void callsThatEndBeforeTheKeeperIsUpDoNotWakeItAgain() {
    try (DeadlineKeeper keeper = new DeadlineKeeper("short-calls")) {
      // given a call that the keeper does not find
      long first = keeper.now() + TimeUnit.HOURS.toNanos(1);
      keeper.arm(deadline, first);
      await().until(() -> state("short-calls") == Thread.State.TIMED_WAITING);

      // when
      keeper.arm(deadline, first + 1);

      // then
      assertThat(keeper.wakeAt()).isEqualTo(first);
    }
  }

  @Test
  void aKeeperThatFindsNoCallWhenItLooksSleepsUntilThereIsOne() {
    try (DeadlineKeeper keeper = new DeadlineKeeper("test")) {
      // given
      keeper.add(deadline);
      long first = keeper.now() + 1;
      keeper.arm(deadline, Deadline.NEVER); // wakes nobody
      assertThat(keeper.wakeAt()).isEqualTo(Deadline.NEVER);
      keeper.arm(deadline, first);
      deadline.end(first);

      // when / then
      await().until(() -> keeper.wakeAt() == Deadline.NEVER);
      keeper.remove(deadline);
    }
  }

  @Test
  void aConnectionThatDoesNotCloseKeepsNoOtherFromIt() {
    try (DeadlineKeeper keeper = new DeadlineKeeper("test")) {
      List<Deadline> all = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        boolean breaks = i % 2 == 0;
        AtomicInteger aborted = new AtomicInteger();
        Deadline one =
            new Deadline() {
              @Override
              void abort() {
                aborted.incrementAndGet();
                if (breaks) {
                  throw new IllegalStateException("no");
                }
              }
            };
        all.add(one);
        keeper.add(one);
      }
      all.forEach(one -> keeper.arm(one, keeper.now() + 1));

      await().until(() -> all.stream().allMatch(Deadline::isPassed));
      all.forEach(keeper::remove);
    }
  }

  @Test
  void aClosedKeeperKeepsTheLastDeadlineAndEnds() {
    // given
    DeadlineKeeper keeper = new DeadlineKeeper("closing-keeper");
    keeper.add(deadline);
    keeper.arm(deadline, keeper.now() + TimeUnit.MILLISECONDS.toNanos(100));

    // when
    keeper.close();

    // then
    await().until(deadline::isPassed);
    assertThatIllegalStateException().isThrownBy(() -> keeper.add(new Counting()));
    keeper.remove(deadline);
    await().until(() -> threads("closing-keeper") == 0);
  }

  private static Thread.State state(String server) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("thrift-breaker-deadlines-" + server))
        .findAny()
        .orElseThrow()
        .getState();
  }

  private static long threads(String server) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().endsWith("-" + server))
        .count();
  }
}
