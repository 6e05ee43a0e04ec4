package dev.thriftbreaker;

import dev.thriftbreaker.breaker.CircuitBreaker;
import dev.thriftbreaker.management.InterceptorMXBean;
import java.time.Instant;
import java.util.Collection;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The operator's view of the interceptor.
 *
 * @param server the server's name
 * @param instance the name of this instance in the fleet
 * @param startTime when it was built
 * @param serverThreads how many threads serve requests, 0 while it is not known
 * @param serverThreadsTold whether that number is told, or else observed
 * @param redisConfigured whether the state is kept in Redis
 * @param breakers its breakers; safe to read while one is added
 * @param methods the names of the methods known so far
 * @param requests requests whose header was read
 * @param sheds requests shed at the door
 */
record InterceptorBean(
    String server,
    String instance,
    Instant startTime,
    IntSupplier serverThreads,
    boolean serverThreadsTold,
    boolean redisConfigured,
    Collection<CircuitBreaker> breakers,
    Supplier<? extends Collection<String>> methods,
    LongSupplier requests,
    LongSupplier sheds)
    implements InterceptorMXBean {

  @Override
  public String getServer() {
    return server;
  }

  @Override
  public String getVersion() {
    String version = InterceptorBean.class.getPackage().getImplementationVersion();
    return version == null ? "" : version;
  }

  @Override
  public String getInstance() {
    return instance;
  }

  @Override
  public String getStartTime() {
    return startTime.toString();
  }

  @Override
  public String[] getBreakers() {
    return breakers.stream().map(CircuitBreaker::name).sorted().toArray(String[]::new);
  }

  @Override
  public String[] getOpenBreakers() {
    return breakers.stream()
        .filter(breaker -> breaker.snapshot().refusesSome() || breaker.refuses(breaker.now()))
        .map(CircuitBreaker::name)
        .sorted()
        .toArray(String[]::new);
  }

  @Override
  public String[] getMethods() {
    return methods.get().stream().sorted().toArray(String[]::new);
  }

  @Override
  public long getRequestCount() {
    return requests.getAsLong();
  }

  @Override
  public long getShedCount() {
    return sheds.getAsLong();
  }

  @Override
  public int getServerThreads() {
    return serverThreads.getAsInt();
  }

  @Override
  public boolean isServerThreadsTold() {
    return serverThreadsTold;
  }

  @Override
  public boolean isRedisConfigured() {
    return redisConfigured;
  }
}
