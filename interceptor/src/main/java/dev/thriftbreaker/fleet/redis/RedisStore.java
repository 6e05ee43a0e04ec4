package dev.thriftbreaker.fleet.redis;

import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.fleet.FleetOverride;
import dev.thriftbreaker.fleet.FleetState;
import dev.thriftbreaker.fleet.Reading;
import dev.thriftbreaker.fleet.StateStore;
import dev.thriftbreaker.fleet.StoreException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.UnifiedJedis;

/**
 * The fleet's state in Redis 6.2 or later.
 *
 * <p>Keys, for a namespace {@code ns}: {@code tb:{ns/dependency}} holds a breaker's state, with
 * {@code :override} an operator's decision, with {@code :audit} a stream of the latest thousand or
 * so changes; none ever expires. Changes are published on {@code tb:events:ns}. The commands used
 * are EVALSHA, EVAL, HMGET, HSET, XADD, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, TIME, PING and CLIENT
 * SETNAME; SELECT where the URI names a database; CONFIG GET where it is permitted.
 *
 * <p>Nothing is connected before the first use. A client that failed is thrown away. Thread safety:
 * as {@link StateStore} asks.
 */
public final class RedisStore implements StateStore {

  private static final int TEXT_LENGTH = 500;

  private final RedisAddress address;

  /** Guarded by this, as are the two below; never held during I/O. */
  private UnifiedJedis client;

  private Subscription subscription;
  private boolean closed;

  /**
   * Makes one; connects later.
   *
   * @param uri {@code redis://[user:password@]host[:port][/database]}; user and password
   *     percent-encoded, port 6379 and database 0 by default
   * @throws IllegalArgumentException if the URI is not of that form
   */
  public RedisStore(URI uri) {
    this.address = RedisAddress.of(uri);
  }

  @Override
  public String address() {
    return address.toString();
  }

  @Override
  public String toString() {
    return address();
  }

  // ---- reading

  @Override
  public Map<String, Kept> readAll(String namespace, Collection<String> dependencies) {
    return with(redis -> Readings.readAll(redis, namespace, dependencies));
  }

  @Override
  public List<String> warnings() {
    return with(Readings::warnings);
  }

  // ---- writing

  @Override
  public Answer<FleetState> write(String namespace, StateChange change) {
    long askedNanos = System.nanoTime();
    return run(
        Script.TRANSITION,
        namespace,
        change.dependency(),
        Layout.stateKey(namespace, change.dependency()),
        Layout::state,
        () -> {
          long passed = millisSince(askedNanos);
          return List.of(
              change.request(),
              String.valueOf(change.seenEpoch()),
              change.state() == BreakerState.RAMPING ? "CLOSED" : change.state().name(),
              String.valueOf(change.ageMillis() + passed),
              String.valueOf(Math.max(0, change.remainingMillis() - passed)),
              String.valueOf(change.consecutiveOpens()),
              change.by(),
              change.cause(),
              change.why(),
              change.instance());
        });
  }

  @Override
  public Answer<FleetState> repair(
      String namespace, String dependency, FleetState lost, String instance) {
    long askedNanos = System.nanoTime();
    return run(
        Script.REPAIR,
        namespace,
        dependency,
        Layout.stateKey(namespace, dependency),
        Layout::state,
        () -> {
          FleetState now = lost.after(millisSince(askedNanos));
          return List.of(
              String.valueOf(now.epoch()),
              now.state().name(),
              String.valueOf(now.ageMillis()),
              String.valueOf(now.remainingMillis()),
              String.valueOf(now.consecutiveOpens()),
              now.by(),
              now.cause(),
              now.why(),
              now.requests(),
              instance);
        });
  }

  @Override
  public Answer<FleetOverride> override(String namespace, OverrideChange change) {
    return run(
        Script.OVERRIDE,
        namespace,
        change.dependency(),
        Layout.overrideKey(namespace, change.dependency()),
        Layout::override,
        () ->
            List.of(
                change.request(),
                String.valueOf(change.seenVersion()),
                Layout.modeName(change.mode()),
                String.valueOf(change.lastsMillis()),
                change.by(),
                change.why(),
                change.instance()));
  }

  @Override
  public Answer<FleetOverride> repairOverride(
      String namespace, String dependency, FleetOverride lost, String instance) {
    long askedNanos = System.nanoTime();
    return run(
        Script.REPAIR_OVERRIDE,
        namespace,
        dependency,
        Layout.overrideKey(namespace, dependency),
        Layout::override,
        () -> {
          FleetOverride now = lost.after(millisSince(askedNanos));
          return List.of(
              String.valueOf(now.version()),
              Layout.modeName(now.mode()),
              String.valueOf(now.remainingMillis()),
              now.by(),
              now.why(),
              now.requests(),
              instance);
        });
  }

  /**
   * Runs a script.
   *
   * @param own its arguments after the first two, asked for right before they are sent: a
   *     connection to make or a script to load must not make a remaining time longer
   */
  private <T> Answer<T> run(
      Script script,
      String namespace,
      String dependency,
      String key,
      BiFunction<Map<String, String>, Long, Reading<T>> layout,
      Supplier<List<String>> own) {
    List<String> keys = List.of(key, Layout.auditKey(namespace, dependency));
    long[] sentNanos = new long[1];
    Supplier<List<String>> arguments =
        () -> {
          List<String> all = new ArrayList<>();
          all.add(Layout.channel(namespace));
          all.add(dependency);
          for (String argument : own.get()) {
            all.add(
                argument.length() <= TEXT_LENGTH ? argument : argument.substring(0, TEXT_LENGTH));
          }
          sentNanos[0] = System.nanoTime();
          return all;
        };
    List<?> answer = (List<?>) with(redis -> script.run(redis, keys, arguments));
    String status = text(answer.get(0));
    long now = Long.parseLong(text(answer.get(1))) + millisSince(sentNanos[0]);
    Map<String, String> fields = new HashMap<>();
    for (int i = 3; i + 1 < answer.size(); i += 2) {
      fields.put(text(answer.get(i)), text(answer.get(i + 1)));
    }
    boolean accepted = status.equals("OK") || status.equals("DONE");
    return new Answer<>(accepted, layout.apply(fields, now), text(answer.get(2)));
  }

  static long millisSince(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
  }

  static String text(Object part) {
    return part instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.UTF_8)
        : String.valueOf(part);
  }

  // ---- the subscription

  @Override
  public void subscribe(String namespace, Events events) {
    Subscription mine;
    synchronized (this) {
      if (closed) {
        throw closed();
      }
      mine = new Subscription(events);
      subscription = mine;
    }
    try {
      mine.run(
          new HostAndPort(address.host(), address.port()),
          Clients.subscription(address),
          Layout.channel(namespace));
      throw new StoreException(StoreException.Kind.UNREACHABLE, "the subscription ended", null);
    } catch (RuntimeException e) {
      throw Failure.of(e);
    } finally {
      synchronized (this) {
        subscription = null;
      }
      mine.abort();
    }
  }

  @Override
  public void pingSubscription() {
    Subscription current;
    synchronized (this) {
      current = subscription;
    }
    if (current != null) {
      current.pingIfSubscribed();
    }
  }

  // ---- the connections

  private <T> T with(Function<UnifiedJedis, T> work) {
    UnifiedJedis current = client();
    try {
      return work.apply(current);
    } catch (RuntimeException e) {
      StoreException failure = Failure.of(e);
      if (failure.kind() == StoreException.Kind.UNREACHABLE
          || failure.kind() == StoreException.Kind.DENIED) {
        discard(current);
      }
      throw failure;
    }
  }

  private UnifiedJedis client() {
    synchronized (this) {
      if (closed) {
        throw closed();
      }
      if (client != null) {
        return client;
      }
    }
    UnifiedJedis fresh;
    try {
      fresh = Clients.commands(address);
    } catch (RuntimeException e) {
      throw Failure.of(e);
    }
    synchronized (this) {
      if (!closed) {
        client = fresh;
        return fresh;
      }
    }
    fresh.close();
    throw closed();
  }

  private void discard(UnifiedJedis failed) {
    synchronized (this) {
      if (client == failed) {
        client = null;
      }
    }
    closeQuietly(failed);
  }

  private static void closeQuietly(UnifiedJedis client) {
    try {
      client.close();
    } catch (RuntimeException e) {
      // its sockets are gone all the same
    }
  }

  private static StoreException closed() {
    return new StoreException(StoreException.Kind.UNREACHABLE, "closed", null);
  }

  @Override
  public void close() {
    UnifiedJedis oldClient;
    Subscription oldSubscription;
    synchronized (this) {
      closed = true;
      oldClient = client;
      client = null;
      oldSubscription = subscription;
    }
    if (oldSubscription != null) {
      oldSubscription.abort();
    }
    if (oldClient != null) {
      closeQuietly(oldClient);
    }
  }
}
