package dev.thriftbreaker.breaker;

import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Lets two threads run into each other, many times: they spin until both are there, so that in many
 * rounds both are within the same few instructions. In the manner of jcstress, inside JUnit.
 */
public final class HeadOn {

  private HeadOn() {}

  /** What the two threads do, and what must hold afterwards. */
  public interface Round {
    void first();

    void second();

    void check();
  }

  /** What the two threads do, and in a few words what came of it. */
  public interface Race {
    void first();

    void second();

    String outcome();
  }

  /** Runs a race many times, each of which must come out in one of the ways that are allowed. */
  public static void race(int rounds, Supplier<Race> prepare, String... allowed)
      throws InterruptedException {
    Set<String> ways = Set.of(allowed);
    run(
        rounds,
        () -> {
          Race race = prepare.get();
          return new Round() {
            @Override
            public void first() {
              race.first();
            }

            @Override
            public void second() {
              race.second();
            }

            @Override
            public void check() {
              String outcome = race.outcome();
              if (!ways.contains(outcome)) {
                throw new AssertionError(
                    "outcome: " + outcome + " (expected: one of " + ways + ")");
              }
            }
          };
        });
  }

  public static void run(int rounds, Supplier<Round> prepare) throws InterruptedException {
    AtomicReference<Round> current = new AtomicReference<>();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    // four steps a round: prepared, both there, one done, both done
    AtomicInteger steps = new AtomicInteger();
    Thread other =
        new Thread(
            () -> {
              for (int round = 0; round < rounds; round++) {
                await(steps, 4 * round + 1);
                steps.incrementAndGet();
                act(current.get()::second, failure);
                steps.incrementAndGet();
              }
            });
    other.setDaemon(true);
    other.start();
    for (int round = 0; round < rounds; round++) {
      Round now = prepare.get();
      current.set(now);
      steps.incrementAndGet();
      await(steps, 4 * round + 2);
      act(now::first, failure);
      steps.incrementAndGet();
      await(steps, 4 * round + 4);
      act(now::check, failure);
      if (failure.get() != null) {
        throw new AssertionError("in round " + round, failure.get());
      }
    }
    other.join();
  }

  private static void act(Runnable action, AtomicReference<Throwable> failure) {
    try {
      action.run();
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    }
  }

  private static void await(AtomicInteger steps, int step) {
    for (int spins = 0; steps.get() < step; spins++) {
      if (spins < 5_000) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }
}
