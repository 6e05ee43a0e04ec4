package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.thrift.TestServer.Connection;
import dev.thriftbreaker.thrift.TestServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.Trial.Link;
import dev.thriftbreaker.thrift.gen.Grade;
import dev.thriftbreaker.thrift.gen.Item;
import dev.thriftbreaker.thrift.gen.Order;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.apache.thrift.TProcessor;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real servers get hostile bytes over real sockets, on a connection each, while a well-behaved
 * client goes on with its calls on a connection of its own. What the wrapped server answers is what
 * the bare one does; while it sheds, every connection is still answered or closed. When it is over,
 * nothing is under way, no thread is busy, and the server stops.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileConnectionsTest {

  private static final long SEED = Long.getLong("hostile.seed", 20_250);
  private static final int MUTATIONS = 60;
  private static final int TIMEOUT_MILLIS = 10_000;

  static Stream<Arguments> servers() {
    return Stream.of(
        Arguments.of(Kind.THREAD_POOL, Wire.PLAIN, Language.BINARY),
        Arguments.of(Kind.THREAD_POOL, Wire.PLAIN, Language.OLD_BINARY),
        Arguments.of(Kind.THREAD_POOL, Wire.PLAIN, Language.COMPACT),
        Arguments.of(Kind.THREAD_POOL, Wire.PLAIN, Language.JSON),
        Arguments.of(Kind.THREAD_POOL, Wire.FRAMED, Language.BINARY),
        Arguments.of(Kind.THREAD_POOL, Wire.FAST_FRAMED, Language.COMPACT),
        Arguments.of(Kind.THREAD_POOL, Wire.FAST_FRAMED, Language.TUPLE),
        Arguments.of(Kind.NONBLOCKING, Wire.FRAMED, Language.OLD_BINARY),
        Arguments.of(Kind.NONBLOCKING, Wire.FAST_FRAMED, Language.JSON),
        Arguments.of(Kind.HSHA, Wire.FRAMED, Language.BINARY),
        Arguments.of(Kind.HSHA, Wire.FRAMED, Language.JSON),
        Arguments.of(Kind.HSHA, Wire.FRAMED, Language.TUPLE),
        Arguments.of(Kind.THREADED_SELECTOR, Wire.FRAMED, Language.BINARY),
        Arguments.of(Kind.THREADED_SELECTOR, Wire.FAST_FRAMED, Language.COMPACT),
        Arguments.of(Kind.THREADED_SELECTOR, Wire.FRAMED, Language.OLD_BINARY));
  }

  @ParameterizedTest
  @MethodSource("servers")
  void hostileConnectionsHarmNobodyElse(Kind kind, Wire wire, Language language) throws Exception {
    HostileServices services = new HostileServices(false);
    List<byte[]> attacks = attacks(services, wire, language);
    List<List<byte[]>> answers = new ArrayList<>();
    for (TProcessor processor : List.of(services.bare, services.passing, services.shedding)) {
      ThreadGroup threads = new ThreadGroup("attacked");
      try (TestServer server = in(threads, () -> new TestServer(kind, wire, language, processor))) {
        boolean shedding = processor == services.shedding;
        Bystander bystander = new Bystander(server, shedding);
        try (bystander) {
          List<byte[]> answered = new ArrayList<>();
          for (byte[] attack : attacks) {
            answered.add(sendAndReadToTheEnd(server.port(), attack));
          }
          answers.add(answered);
          byte[] large = large(wire, language);
          for (int i = 0; i < 3; i++) {
            sendAndReset(server.port(), large);
            sendAndReset(server.port(), Arrays.copyOf(large, large.length / 2));
            sendAndReset(server.port(), attacks.get(0));
            sendAndReset(server.port(), Arrays.copyOf(attacks.get(0), 6));
          }
        }
        await().atMost(Duration.ofSeconds(10)).untilAsserted(services::assertNothingIsLeft);
        awaitQuiet(threads);
      }
      await().atMost(Duration.ofSeconds(10)).until(() -> threads.activeCount() == 0);
    }
    for (int i = 0; i < attacks.size(); i++) {
      assertThat(answers.get(1).get(i))
          .as("attack %s of seed %s: %s", i, SEED, hex(attacks.get(i)))
          .isEqualTo(answers.get(0).get(i));
    }
    // the first three are a valid message, the same twice, and the same with an end of its own
    assertThat(answers.get(2).get(0)).isNotEmpty();
    assertThat(answers.get(2).get(1)).hasSize(2 * answers.get(2).get(0).length);
  }

  private static List<byte[]> attacks(HostileServices services, Wire wire, Language language) {
    Trial trial = new Trial(services, wire, language, Link.STREAM);
    List<byte[]> messages = services.validMessages(language);
    byte[] valid = messages.get(0);
    List<byte[]> attacks = new ArrayList<>();
    attacks.add(trial.framed(valid));
    attacks.add(trial.framed(valid, valid));
    // a header and no more, a slow client that gives up
    for (int length : new int[] {1, 3, 4, 5, 8, 12, 20}) {
      attacks.add(Arrays.copyOf(trial.framed(valid), length));
    }
    // garbage behind a valid message
    for (byte[] garbage :
        List.of(new byte[50], "GET / HTTP/1.1".getBytes(StandardCharsets.US_ASCII))) {
      attacks.add(bytes(trial.framed(valid), garbage));
      attacks.add(trial.framed(bytes(valid, garbage), valid));
    }
    for (int length : new int[] {0, -1, 0x7fffffff, 0x80000000, 16_384_000, 16_384_001, 1}) {
      byte[] frame = bytes(ByteBuffer.allocate(4).putInt(length).array(), valid);
      attacks.add(frame);
      attacks.add(bytes(trial.framed(valid), frame));
    }
    Random random = new Random(SEED);
    Mutator mutator = new Mutator(random);
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] message = messages.get(random.nextInt(messages.size()));
      attacks.add(
          i % 4 == 0
              ? mutator.mutate(trial.framed(valid, message), messages)
              : trial.framed(mutator.mutate(message, messages), valid));
    }
    return attacks;
  }

  /** A request that is answered at length. */
  private static byte[] large(Wire wire, Language language) {
    Item item = new Item("a stock keeping unit", 1, 1, true, Grade.NEW);
    Order order =
        new Order("large", 1, Collections.nCopies(20_000, item), Map.of(), Set.of(), (byte) 0);
    byte[] message =
        HostileServices.message(language, "", out -> new Warehouse.Client(out).send_place(order));
    return new Trial(null, wire, language, Link.STREAM).framed(message);
  }

  private static byte[] sendAndReadToTheEnd(int port, byte[] attack) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      try {
        OutputStream out = socket.getOutputStream();
        out.write(attack);
        socket.shutdownOutput();
      } catch (SocketException closed) {
        // by the server, which has seen enough
      }
      InputStream in = socket.getInputStream();
      byte[] buffer = new byte[8_192];
      try {
        for (int got = in.read(buffer); got >= 0; got = in.read(buffer)) {
          answer.write(buffer, 0, got);
        }
      } catch (SocketException reset) {
        // as good as an end
      }
    }
    return answer.toByteArray();
  }

  private static void sendAndReset(int port, byte[] attack) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoLinger(true, 0);
      socket.getOutputStream().write(attack);
    }
  }

  private static <T> T in(ThreadGroup group, Callable<T> callable) throws Exception {
    FutureTask<T> task = new FutureTask<>(callable);
    new Thread(group, task).start();
    return task.get();
  }

  /** Waits until the threads together do next to nothing. */
  private static void awaitQuiet(ThreadGroup group) {
    long[] before = {cpuNanos(group)};
    await()
        .pollDelay(Duration.ofMillis(50))
        .pollInterval(Duration.ofMillis(50))
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> {
              long now = cpuNanos(group);
              long spent = now - before[0];
              before[0] = now;
              return spent < 10_000_000;
            });
  }

  private static long cpuNanos(ThreadGroup group) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    Thread[] members = new Thread[group.activeCount() + 16];
    int count = group.enumerate(members);
    long nanos = 0;
    for (int i = 0; i < count; i++) {
      nanos += Math.max(0, threads.getThreadCpuTime(members[i].getId()));
    }
    return nanos;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, 1_000));
  }

  private static byte[] bytes(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** A client that means no harm, and is served all the time. */
  private static final class Bystander implements AutoCloseable {
    private final TestServer server;
    private final boolean shedding;
    private final Thread thread = new Thread(this::run, "bystander");
    private volatile boolean over;
    private volatile Throwable failure;
    private int calls;

    Bystander(TestServer server, boolean shedding) {
      this.server = server;
      this.shedding = shedding;
      thread.start();
    }

    private void run() {
      failure =
          catchThrowable(
              () -> {
                try (Connection connection = server.connect()) {
                  Warehouse.Client client = new Warehouse.Client(connection.protocol);
                  while (!over || calls == 0) {
                    call(client);
                    calls++;
                  }
                }
              });
    }

    private void call(Warehouse.Client client) throws Exception {
      if (shedding) {
        assertThat(catchThrowable(() -> client.count(List.of()))).hasMessage(HostileServices.SHED);
      } else {
        assertThat(client.count(List.of(new Item().setQuantity(calls)))).isEqualTo(calls);
      }
    }

    @Override
    public void close() {
      over = true;
      await().atMost(Duration.ofSeconds(20)).until(() -> !thread.isAlive());
      assertThat(failure).as("after %s calls", calls).isNull();
    }
  }
}
