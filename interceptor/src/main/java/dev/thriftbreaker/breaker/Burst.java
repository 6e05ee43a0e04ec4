package dev.thriftbreaker.breaker;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * When the latest failures were, and how many calls had gone well by then: enough to tell the rate
 * of the very last calls, where a window still holds mostly what was before.
 *
 * <p>Concurrency: a ticket names the place, and what a failure finds there was put by the one
 * {@link TripRule#BURST} failures earlier. Threads that fail at the same time may find each other's
 * marks, which moves a rate by as many calls as there are threads.
 */
final class Burst {

  private final AtomicLong failures = new AtomicLong();
  private final AtomicLongArray goods = new AtomicLongArray(TripRule.BURST);
  private final AtomicLongArray times = new AtomicLongArray(TripRule.BURST);

  /**
   * Notes a failure.
   *
   * @param goodsNow calls that have gone well up to now
   * @return why the breaker must open, or null if it must not
   */
  String judge(BreakerConfig config, long goodsNow, long now) {
    long number = failures.getAndIncrement();
    int place = (int) (number % TripRule.BURST);
    long goodsThen = goods.getAndSet(place, goodsNow);
    long then = times.getAndSet(place, now);
    return number < TripRule.BURST
        ? null
        : TripRule.judgeBurst(config, goodsNow - goodsThen, now - then);
  }
}
