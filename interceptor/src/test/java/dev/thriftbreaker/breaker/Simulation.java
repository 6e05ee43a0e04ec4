package dev.thriftbreaker.breaker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;

/**
 * A server's threads and the dependencies behind its breakers, in a time that is only counted:
 * requests come at random, each needs a thread, calls one dependency or none, and ends when it has
 * its answer. A request that finds no thread is lost.
 */
final class Simulation {

  private static final long TICK = Duration.ofMillis(50).toNanos();

  /** Of requests that call nobody. */
  private static final double OWN_MILLIS = 0.2;

  private record Request(Dependency dependency, long permit, long startNanos, long endNanos) {}

  /** One dependency, and what became of the calls to it since the last {@link #run}. */
  final class Dependency {
    final Bench bench;

    /** How long it takes; below 0 for never. */
    DoubleSupplier latencyMillis = logNormal(2);

    double callsPerSecond = 1_000;
    double errorRate;
    long calls;
    long full;
    long refused;
    long starved;
    long firstFullNanos;
    long running;
    long mostRunning;

    Dependency(UnaryOperator<BreakerConfig.Builder> settings) {
      bench = new Bench(settings, workers);
    }

    private void forget() {
      calls = 0;
      full = 0;
      refused = 0;
      starved = 0;
      firstFullNanos = -1;
      mostRunning = running;
    }

    private void call(long now) {
      calls++;
      if (isBusy()) {
        starved++;
        return;
      }
      acquiring++;
      long permit = bench.breaker.tryAcquire(now);
      acquiring--;
      if (permit < 0) {
        refused++;
        if (permit == CircuitBreaker.FULL) {
          full++;
          firstFullNanos = firstFullNanos < 0 ? now - from : firstFullNanos;
        }
        return;
      }
      double millis = latencyMillis.getAsDouble();
      long takes = millis < 0 ? Duration.ofDays(1).toNanos() : (long) (millis * 1e6);
      requests.add(new Request(this, permit, now, now() + takes));
      running++;
      mostRunning = Math.max(mostRunning, running);
    }

    private void end(Request call) {
      running--;
      Outcome outcome = random.nextDouble() < errorRate ? Outcome.FAILURE : Outcome.SUCCESS;
      bench.breaker.complete(call.permit, outcome, call.startNanos, null);
    }
  }

  final SplittableRandom random = new SplittableRandom(7);
  final Workers workers;
  final List<Dependency> dependencies = new ArrayList<>();

  /** Requests that call nobody, and those of them that found a thread, since the last run. */
  double ownPerSecond = 1_000;

  long own;
  long ownServed;

  private final int threads;
  private final PriorityQueue<Request> requests;

  /** Threads that ask for a permit, which may take a moment. */
  private int acquiring;

  private long tickNanos;
  private long from;
  private long next;

  Simulation(int threads, int dependencies, UnaryOperator<BreakerConfig.Builder> settings) {
    this.threads = threads;
    workers = new Workers(() -> threads, this::pause);
    for (int i = 0; i < dependencies; i++) {
      this.dependencies.add(new Dependency(settings));
    }
    workers.look();
    long origin = now();
    tickNanos = origin;
    requests = new PriorityQueue<>(Comparator.comparingLong(request -> request.endNanos - origin));
  }

  Dependency dependency() {
    return dependencies.get(0);
  }

  /** A mean in milliseconds, and a tail: one in a hundred takes about four times as long. */
  DoubleSupplier logNormal(double mean) {
    return () -> {
      double gauss =
          Math.sqrt(-2 * Math.log(1 - random.nextDouble()))
              * Math.cos(2 * Math.PI * random.nextDouble());
      double sigma = 0.6;
      return mean * Math.exp(sigma * gauss - sigma * sigma / 2);
    };
  }

  long now() {
    return dependencies.get(0).bench.clock.get();
  }

  private void now(long nanos) {
    dependencies.forEach(dependency -> dependency.bench.clock.set(nanos));
  }

  /** Lets time pass. The counts begin anew. */
  void run(Duration time) {
    dependencies.forEach(Dependency::forget);
    own = 0;
    ownServed = 0;
    from = now();
    next = from + gap(perSecond());
    runUpTo(from + time.toNanos());
  }

  /** What a thread does that waits: the others go on. */
  private void pause(long nanos) {
    runUpTo(now() + nanos);
  }

  private void runUpTo(long end) {
    double perSecond = perSecond();
    while (next - end < 0) {
      long at = next;
      endUpTo(at);
      now(at);
      next += gap(perSecond);
      begin(random.nextDouble() * perSecond, at);
    }
    if (now() - end < 0) {
      endUpTo(end);
      now(end);
    }
  }

  private boolean isBusy() {
    return requests.size() + acquiring >= threads;
  }

  /**
   * No thread runs for a time; what comes meanwhile begins right after it, and so does what ends.
   */
  void standStill(Duration time) {
    long end = now() + time.toNanos();
    int waiting = 0;
    for (long at = now() + gap(perSecond()); at - end < 0; at += gap(perSecond())) {
      waiting++;
    }
    now(end);
    for (int i = 0; i < waiting; i++) {
      begin(random.nextDouble() * perSecond(), end + i);
    }
  }

  private double perSecond() {
    double perSecond = ownPerSecond;
    for (Dependency dependency : dependencies) {
      perSecond += dependency.callsPerSecond;
    }
    return perSecond;
  }

  private long gap(double perSecond) {
    return (long) (-Math.log(1 - random.nextDouble()) * 1e9 / perSecond) + 1;
  }

  private void begin(double which, long now) {
    double rest = which;
    for (Dependency dependency : dependencies) {
      rest -= dependency.callsPerSecond;
      if (rest < 0) {
        dependency.call(now);
        return;
      }
    }
    own++;
    if (!isBusy()) {
      ownServed++;
      requests.add(new Request(null, 0, now, now + (long) (OWN_MILLIS * 1e6)));
    }
  }

  private void endUpTo(long now) {
    while (true) {
      Request first = requests.peek();
      boolean ends = first != null && first.endNanos - now <= 0;
      if (tickNanos + TICK - (ends ? first.endNanos : now) <= 0) {
        tickNanos += TICK;
        now(tickNanos);
        workers.look();
        dependencies.forEach(dependency -> dependency.bench.breaker.tick());
      } else if (ends) {
        now(first.endNanos);
        requests.poll();
        if (first.dependency != null) {
          first.dependency.end(first);
        }
      } else {
        return;
      }
    }
  }
}
