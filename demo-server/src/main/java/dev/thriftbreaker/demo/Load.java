package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.control.BreakerView;
import dev.thriftbreaker.demo.load.LoadClient;
import dev.thriftbreaker.demo.load.Tally;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.thrift.transport.TTransportException;

/** {@code load}: customers for a shop that runs in another process. */
final class Load {

  private Load() {}

  static void run(List<String> arguments) throws InterruptedException {
    Flags flags =
        new Flags(
            arguments,
            "--port",
            "--seconds",
            "--concurrency",
            "--rate",
            "--transport",
            "--protocol");
    int port = flags.number("--port", Demo.PORT, 1, 65535);
    int seconds = flags.number("--seconds", 30, 1, 86_400);
    int connections = flags.number("--concurrency", 8, 1, 1000);
    int perSecond = flags.number("--rate", 300, 0, 1_000_000);
    Wire wire = Wire.of(flags);
    try {
      wire.connect(port, 1000).getOutputProtocol().getTransport().close();
    } catch (TTransportException e) {
      throw new CannotRun("nothing listens on 127.0.0.1:" + port + " (expected: run.sh serve)");
    }

    RunningDemo running = RunningDemo.find(port);
    BreakerWatch watch = running == null ? null : new BreakerWatch(running.controlPort());
    Screen screen = new Screen();
    Tally all = Tally.nothing();
    try (LoadClient load = new LoadClient(wire, port, connections, perSecond)) {
      long before = System.nanoTime();
      for (int second = 0; second < seconds; second++) {
        if (second % 20 == 0) {
          screen.head();
        }
        TimeUnit.SECONDS.sleep(1);
        Tally tally = load.take();
        long now = System.nanoTime();
        List<BreakerView> breakers = watch == null ? List.of() : watch.read();
        screen.row("load", tally, (now - before) / 1e9, breakers);
        before = now;
        all = all.plus(tally);
      }
    }
    screen.line(
        String.format(
            Locale.ROOT,
            "%d s, %d connections: %d ok, %d failed, %d shed; p50 %.1f ms, p99 %.1f ms, max %.1f ms",
            seconds,
            connections,
            all.ok(),
            all.failed(),
            all.shed(),
            all.millis(50),
            all.millis(99),
            all.millis(100)));
    if (all.ok() + all.shed() == 0) {
      throw new CannotRun(
          "no request was answered (expected: the server's own --transport and --protocol)");
    }
  }
}
