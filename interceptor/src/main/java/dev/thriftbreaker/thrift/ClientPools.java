package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.CircuitBreaker;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToLongFunction;

/**
 * The pools of clients of one interceptor, and the thread that keeps their deadlines. The thread
 * exists from the first pool on. Thread-safe.
 */
public final class ClientPools implements AutoCloseable {

  private record Owned(String dependency, ClientPool pool) {}

  /**
   * The numbers of all pools of a dependency together.
   *
   * @param active connections that serve a call now
   * @param idle connections that wait for a call
   * @param opened connections opened since the start
   * @param discarded connections closed because they were broken, stale or too slow
   * @param timeouts calls that did not end within the callTimeout
   * @param unserved calls that got no connection
   */
  public record Numbers(
      long active, long idle, long opened, long discarded, long timeouts, long unserved) {}

  private final String server;
  private final List<Owned> pools = new CopyOnWriteArrayList<>();
  private DeadlineKeeper keeper;
  private boolean closed;

  /**
   * No pools yet, no thread.
   *
   * @param server the server's name, for the names of the threads
   */
  public ClientPools(String server) {
    this.server = server;
  }

  /**
   * Makes a pool and puts a breaker in front of it.
   *
   * @param <T> the interface
   * @param dependency the dependency, whose settings have the callTimeout; the same object for all
   *     its guards
   * @param iface the interface, a generated {@code Iface}
   * @param settings describes the pool
   * @return the guarded pool
   * @throws IllegalArgumentException if the interface is not one that can be guarded
   * @throws IllegalStateException if the pools are closed
   */
  public synchronized <T> T guard(
      Downstream dependency, Class<T> iface, ClientPool.Builder<? extends T> settings) {
    if (closed) {
      throw new IllegalStateException("the interceptor is closed");
    }
    CircuitBreaker breaker = dependency.breaker();
    if (keeper == null) {
      keeper = new DeadlineKeeper(server);
    }
    ClientPool pool =
        new ClientPool(
            breaker.name(), settings, () -> breaker.config().callTimeout().toNanos(), keeper);
    pools.add(new Owned(breaker.name(), pool));
    return Guard.of(dependency, iface, pool.client(iface), null, FallbackOn.REFUSAL);
  }

  /**
   * Counts.
   *
   * @param dependency the dependency's name
   * @return the numbers of its pools, at about the same moment
   */
  public Numbers numbers(String dependency) {
    return new Numbers(
        sum(dependency, ClientPool::active),
        sum(dependency, ClientPool::idle),
        sum(dependency, ClientPool::opened),
        sum(dependency, ClientPool::discarded),
        sum(dependency, ClientPool::timeouts),
        sum(dependency, ClientPool::unserved));
  }

  private long sum(String dependency, ToLongFunction<ClientPool> number) {
    return pools.stream()
        .filter(owned -> owned.dependency.equals(dependency))
        .mapToLong(owned -> number.applyAsLong(owned.pool))
        .sum();
  }

  /**
   * Closes the pools. Calls under way may end, and their deadlines are kept until they have; new
   * ones get a {@link NoConnectionException}. The thread ends with the last of them.
   */
  @Override
  public synchronized void close() {
    closed = true;
    pools.forEach(owned -> owned.pool.close());
    if (keeper != null) {
      keeper.close();
    }
  }
}
