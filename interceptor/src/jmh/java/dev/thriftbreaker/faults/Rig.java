package dev.thriftbreaker.faults;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One server under test with its dependencies and its load. */
final class Rig implements AutoCloseable {

  /** As many as the workers of the larger server: a TThreadPoolServer gives each a worker. */
  static final int CONNECTIONS = 32;

  private static final int TRIP_LIMIT_MILLIS = 12_000;

  final Variant variant;
  final Recorder recorder = new Recorder();
  final List<Downstream> dependencies = new ArrayList<>();
  final ServerProcess server;
  final Load load;

  /**
   * What is the same for all variants of a scenario.
   *
   * @param kind of the server
   * @param workers of the server
   * @param dependencies how many the server uses
   * @param timeoutMillis of the sockets to the dependencies; 0 is none
   * @param rates of the load
   */
  record Setup(
      ServerUnderTest.Kind kind,
      int workers,
      int dependencies,
      int timeoutMillis,
      Load.Rates rates) {

    static final Setup POOL_32 =
        new Setup(ServerUnderTest.Kind.THREAD_POOL, 32, 1, 2000, Load.Rates.FULL);

    Setup times(double factor) {
      return new Setup(kind, workers, dependencies, timeoutMillis, rates.times(factor));
    }

    Setup dependencies(int number) {
      return new Setup(kind, workers, number, timeoutMillis, rates);
    }

    Setup timeoutMillis(int millis) {
      return new Setup(kind, workers, dependencies, millis, rates);
    }
  }

  Rig(Variant variant, Setup setup, Path logs) throws IOException {
    this.variant = variant;
    List<Integer> ports = new ArrayList<>();
    for (int i = 0; i < setup.dependencies; i++) {
      Downstream dependency = new Downstream(recorder);
      dependencies.add(dependency);
      ports.add(dependency.port());
    }
    server =
        new ServerProcess(
            variant,
            setup.kind,
            setup.workers,
            setup.timeoutMillis,
            ports,
            logs.resolve(variant.label() + ".log"));
    load = new Load(recorder, server.port(), setup.dependencies, CONNECTIONS, setup.rates);
  }

  void fail(Downstream.Fault fault) throws IOException {
    for (Downstream dependency : dependencies) {
      dependency.fail(fault);
    }
  }

  void heal() throws IOException {
    for (Downstream dependency : dependencies) {
      dependency.heal();
    }
  }

  /** When breakers opened, as positions of the recorder, from {@code position} on. */
  List<Integer> tripsFrom(int position) throws IOException {
    return server.counts().trips().stream()
        .map(trip -> recorder.position(trip.nanos()))
        .filter(trip -> trip >= position)
        .sorted()
        .toList();
  }

  /** Waits until a breaker has opened since {@code position}, where there is one. */
  void awaitTrip(int position) throws IOException, InterruptedException {
    boolean hasBreaker = variant != Variant.NONE && variant != Variant.BULKHEAD;
    while (hasBreaker
        && tripsFrom(position).isEmpty()
        && recorder.now() - position < TRIP_LIMIT_MILLIS) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  /** The processor time of this JVM and the server's. */
  Duration cpuTime() {
    Duration own = ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    return own.plus(server.cpuTime());
  }

  @Override
  public void close() throws IOException {
    load.close();
    server.close();
    for (Downstream dependency : dependencies) {
      dependency.close();
    }
  }
}
