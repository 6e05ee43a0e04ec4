package dev.thriftbreaker.faults;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * The calls to all dependencies that have not come back, and how long threads were stuck in them.
 */
final class CallsInFlight {

  /** From this age on a call's thread is called stuck. */
  static final long STUCK_NANOS = 100_000_000;

  private static final long SAMPLE_NANOS = 20_000_000;

  private final Set<Call> inFlight = ConcurrentHashMap.newKeySet();
  private final LongAdder begun = new LongAdder();
  private volatile long stuckNanos;
  private volatile int stuckMost;

  CallsInFlight() {
    Thread sampler = new Thread(this::sample, "stuck-calls");
    sampler.setDaemon(true);
    sampler.start();
  }

  Call begin() {
    count();
    return enter();
  }

  /** Counts a call of which nothing else is known. */
  void count() {
    begun.increment();
  }

  /** What holds a thread and is not counted as a call. */
  Call enter() {
    Call call = new Call(System.nanoTime());
    inFlight.add(call);
    return call;
  }

  void end(Call call) {
    inFlight.remove(call);
  }

  long begun() {
    return begun.sum();
  }

  /** Summed over all threads. */
  long stuckNanos() {
    return stuckNanos;
  }

  int stuckMost() {
    return stuckMost;
  }

  private void sample() {
    long last = System.nanoTime();
    while (true) {
      LockSupport.parkNanos(SAMPLE_NANOS);
      long now = System.nanoTime();
      int stuck = 0;
      for (Call call : inFlight) {
        if (now - call.startNanos >= STUCK_NANOS) {
          stuck++;
        }
      }
      stuckNanos += stuck * (now - last);
      stuckMost = Math.max(stuckMost, stuck);
      last = now;
    }
  }

  /** One call; each is itself and no other. */
  static final class Call {
    private final long startNanos;

    private Call(long startNanos) {
      this.startNanos = startNanos;
    }
  }
}
