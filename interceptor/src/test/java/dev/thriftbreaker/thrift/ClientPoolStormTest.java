package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerSnapshot;
import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.thrift.gen.Stock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;
import org.junit.jupiter.api.Test;

/** Many threads call a server that answers, hangs, cuts, and answers just when the time is over. */
class ClientPoolStormTest {

  private static final int THREADS = 64;
  private static final int CALLS = 2_000;
  private static final int CONNECTIONS = 48;
  private static final Duration TIMEOUT = Duration.ofMillis(60);
  private static final Duration BOUND = Duration.ofSeconds(10);

  /** What a server does to a call, told by the call's number. */
  private enum Fate {
    ANSWER,
    HANG,
    CUT,
    JUST_IN_TIME_OR_NOT;

    static Fate of(long number) {
      int dice = (int) (number & 1023);
      return dice == 0 ? HANG : dice == 1 ? CUT : dice < 6 ? JUST_IN_TIME_OR_NOT : ANSWER;
    }
  }

  private static final class Hang extends Error {
    private static final long serialVersionUID = 1L;
  }

  private static final class Handler extends LoopbackServer.Answering {
    @Override
    public long ping(long number) throws TException {
      switch (Fate.of(number)) {
        case HANG -> throw new Hang();
        case CUT -> throw new TTransportException("cut");
        case JUST_IN_TIME_OR_NOT ->
            LockSupport.parkNanos(TIMEOUT.toNanos() - (number >>> 10) % 2_000_000);
        default -> {}
      }
      return answer(number);
    }
  }

  private static long answer(long number) {
    return number * 31 + 7;
  }

  @Test
  void noAnswerGoesWrongNoConnectionIsLostAndNoThreadIsHeld() throws Exception {
    // given
    CircuitBreaker breaker =
        Breakers.closed(
            "stock",
            BreakerConfig.builder()
                .callTimeout(TIMEOUT)
                .minimumCalls(1_000_000)
                .consecutiveFailures(0)
                .build());
    LoopbackServer.Behaviour serve =
        socket -> {
          TFramedTransport transport = new TFramedTransport(new TSocket(socket));
          TProtocol protocol = new TBinaryProtocol(transport);
          Stock.Processor<Handler> processor = new Stock.Processor<>(new Handler());
          try {
            while (true) {
              processor.process(protocol, protocol);
            }
          } catch (Hang hang) {
            LoopbackServer.HANG.serve(socket);
          }
        };
    AtomicLong answered = new AtomicLong();
    AtomicLong timedOut = new AtomicLong();
    AtomicLong unserved = new AtomicLong();
    AtomicLong longest = new AtomicLong();
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong most = new AtomicLong();
    ExecutorService workers = Executors.newCachedThreadPool();
    try (LoopbackServer server = new LoopbackServer(serve);
        ClientPools pools = new ClientPools("storm")) {
      Stock.Iface stock =
          pools.guard(
              new Downstream(breaker),
              Stock.Iface.class,
              ClientPool.builder(Stock.Client::new, () -> new TSocket("127.0.0.1", server.port()))
                  .transportFactory(new TFramedTransport.Factory())
                  .borrowTimeout(Duration.ofMillis(20))
                  .maxConnections(CONNECTIONS));

      // when
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        SplittableRandom random = new SplittableRandom(i);
        running.add(
            workers.submit(
                () -> {
                  for (int call = 0; call < CALLS; call++) {
                    long number = random.nextLong() >>> 8;
                    long start = System.nanoTime();
                    try {
                      assertThat(stock.ping(number)).isEqualTo(answer(number));
                      answered.incrementAndGet();
                    } catch (NoConnectionException e) {
                      unserved.incrementAndGet();
                    } catch (TTransportException e) {
                      if (e.getType() == TTransportException.TIMED_OUT) {
                        timedOut.incrementAndGet();
                      } else {
                        assertThat(Fate.of(number)).as("%s", e).isEqualTo(Fate.CUT);
                      }
                    }
                    longest.accumulateAndGet(System.nanoTime() - start, Math::max);
                  }
                  return null;
                }));
      }
      Future<?> watcher =
          workers.submit(
              () -> {
                while (!over.get()) {
                  ClientPools.Numbers now = pools.numbers("stock");
                  most.accumulateAndGet(now.active(), Math::max);
                  LockSupport.parkNanos(1_000_000);
                }
              });
      for (Future<?> worker : running) {
        worker.get(120, TimeUnit.SECONDS);
      }
      over.set(true);
      watcher.get(10, TimeUnit.SECONDS);

      // then
      ClientPools.Numbers numbers = pools.numbers("stock");
      assertThat(answered.get()).isGreaterThan(THREADS * CALLS / 2);
      assertThat(timedOut.get()).isEqualTo(numbers.timeouts()).isPositive();
      assertThat(unserved.get()).isEqualTo(numbers.unserved());
      assertThat(Duration.ofNanos(longest.get())).isLessThan(TIMEOUT.plus(BOUND));
      assertThat(most.get()).isLessThanOrEqualTo(CONNECTIONS);
      assertThat(numbers.active()).isZero();
      assertThat(numbers.idle()).isEqualTo(numbers.opened() - numbers.discarded());
      await().until(() -> server.connections() == numbers.idle());
      BreakerSnapshot counted = breaker.snapshot();
      assertThat(counted.inFlight()).isZero();
      assertThat(counted.acquired()).isEqualTo(THREADS * CALLS);
      assertThat(counted.successes()).isEqualTo(answered.get());
    } finally {
      workers.shutdownNow();
    }
    await().until(() -> threads("storm") == 0);
  }

  private static long threads(String server) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().endsWith("-" + server))
        .count();
  }
}
