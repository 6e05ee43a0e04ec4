package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.Trial.Link;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Valid messages, damaged at random, are answered by a wrapped processor as by a bare one, and no
 * worse while they are shed; see {@link Trial}. The number of messages bounds a run, not the time,
 * and each is made from the seed and its own number alone. A longer run, or the one that failed:
 *
 * <pre>
 * mvn -pl interceptor test -Dtest=HostileMutationsTest -Dhostile.mutations=5000000 -Dhostile.seed=7
 * mvn -pl interceptor test -Dtest=HostileMutationsTest -Dhostile.mutations=1 -Dhostile.seed=7 \
 *     -Dhostile.first=4711
 * </pre>
 */
class HostileMutationsTest {

  private static final long SEED = Long.getLong("hostile.seed", 20_250);
  private static final long FIRST = Long.getLong("hostile.first", 0);
  private static final long MUTATIONS = Long.getLong("hostile.mutations", 60_000);

  /** After so many, nothing may be left, and another thread goes on. */
  private static final int BATCH = 2_000;

  /** None takes a millisecond, but the machine may be busy. */
  private static final long MAX_SECONDS_EACH = 20;

  private final List<HostileServices> services =
      List.of(new HostileServices(false), new HostileServices(true));
  private final Map<Language, List<List<byte[]>>> valid = new EnumMap<>(Language.class);
  private volatile long current;
  private volatile Throwable failure;

  @Test
  void answersDamagedMessagesLikeTheBareProcessorAndShedsThemWithoutHarm() throws Exception {
    for (Language language : Language.values()) {
      valid.put(language, services.stream().map(s -> s.validMessages(language)).toList());
    }
    for (long from = FIRST; from < FIRST + MUTATIONS; from += BATCH) {
      runWatched(from, Math.min(from + BATCH, FIRST + MUTATIONS));
      services.forEach(HostileServices::assertNothingIsLeft);
    }
    assertThat(services.get(0).sheds()).isPositive();
  }

  private void runWatched(long from, long to) throws InterruptedException {
    current = from;
    Thread worker = new Thread(() -> run(from, to), "hostile mutations");
    worker.setDaemon(true);
    worker.start();
    long watched = from;
    long sinceNanos = System.nanoTime();
    while (worker.isAlive()) {
      worker.join(50);
      long now = System.nanoTime();
      if (current != watched) {
        watched = current;
        sinceNanos = now;
      } else if (now - sinceNanos > MAX_SECONDS_EACH * 1_000_000_000 && worker.isAlive()) {
        fail("%s does not end:%n%s", name(watched), Arrays.toString(worker.getStackTrace()));
      }
    }
    if (failure != null) {
      throw new AssertionError(name(current), failure);
    }
  }

  private void run(long from, long to) {
    try {
      for (long i = from; i < to; i++) {
        current = i;
        tryOne(i);
      }
    } catch (Throwable thrown) {
      failure = thrown;
    }
  }

  private static String name(long mutation) {
    return "-Dhostile.seed=" + SEED + " -Dhostile.first=" + mutation + " -Dhostile.mutations=1";
  }

  private void tryOne(long number) {
    Random random = new Random(SEED * 1_000_003 + number * 7_919);
    random.nextInt(); // seeds that are near one another begin alike
    Mutator mutator = new Mutator(random);
    Wire wire = pick(random, Wire.values());
    Language language = pick(random, Language.values());
    Link link = wire == Wire.PLAIN ? Link.STREAM : pick(random, Link.values());
    int which = random.nextInt(services.size());
    List<byte[]> messages = valid.get(language).get(which);
    Trial trial = new Trial(services.get(which), wire, language, link);
    byte[] message = messages.get(random.nextInt(messages.size()));
    if (random.nextInt(5) > 0) {
      trial.check(mutator.mutate(message, messages), messages.get(0));
    } else {
      byte[] another = messages.get(random.nextInt(messages.size()));
      List<byte[]> streams = new ArrayList<>();
      messages.forEach(m -> streams.add(trial.framed(m)));
      trial.checkStream(mutator.mutate(trial.framed(message, another, message), streams));
    }
  }

  private static <T> T pick(Random random, T[] values) {
    return values[random.nextInt(values.length)];
  }
}
