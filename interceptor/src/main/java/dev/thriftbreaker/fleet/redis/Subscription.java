package dev.thriftbreaker.fleet.redis;

import dev.thriftbreaker.fleet.FleetOverride;
import dev.thriftbreaker.fleet.FleetState;
import dev.thriftbreaker.fleet.Reading;
import dev.thriftbreaker.fleet.StateStore;
import java.io.IOException;
import java.util.Map;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.exceptions.JedisException;

/**
 * One subscription on a connection of its own, used once.
 *
 * <p>One thread is in {@link #run}; any other may {@link #ping} or {@link #abort}. A server that
 * hangs is noticed because the answers to the pings stay away longer than the connection's blocking
 * timeout.
 */
final class Subscription extends JedisPubSub {

  private final StateStore.Events events;

  /** Guarded by this, as is the next; never held during I/O but to cut the connection. */
  private Connection connection;

  private boolean aborted;

  Subscription(StateStore.Events events) {
    this.events = events;
  }

  /** Receives events until the connection ends. */
  void run(HostAndPort place, JedisClientConfig config, String channel) {
    Connection fresh = new Connection(place, config);
    synchronized (this) {
      connection = fresh;
      if (aborted) {
        disconnect();
      }
    }
    proceed(fresh, channel);
  }

  @Override
  public void onSubscribe(String channel, int subscribedChannels) {
    events.subscribed();
  }

  @Override
  public void onPong(String pattern) {
    events.alive();
  }

  @Override
  public void onMessage(String channel, String message) {
    try {
      deliver(Layout.event(message));
    } catch (RuntimeException e) {
      events.unreadable("", String.valueOf(e.getMessage()));
    }
  }

  private void deliver(Map<String, String> fields) {
    String dependency = fields.getOrDefault("dep", "");
    long now = Layout.integer(fields, "now");
    switch (fields.getOrDefault("kind", "")) {
      case "state" -> {
        Reading<FleetState> state = Layout.state(fields, now);
        if (state.value() == null) {
          events.unreadable(dependency, state.problem());
        } else {
          events.state(dependency, state.value());
        }
      }
      case "override" -> {
        Reading<FleetOverride> override = Layout.override(fields, now);
        if (override.value() == null) {
          events.unreadable(dependency, override.problem());
        } else {
          events.override(dependency, override.value());
        }
      }
      default -> {
        // of a later version; what it means for breakers is in the keys as well
      }
    }
  }

  /** Asks for an answer. Does nothing before the subscription stands. */
  void pingIfSubscribed() {
    try {
      if (isSubscribed()) {
        ping();
      }
    } catch (JedisException e) {
      abort();
    }
  }

  /** Ends it from another thread. */
  synchronized void abort() {
    aborted = true;
    disconnect();
  }

  private void disconnect() {
    if (connection != null) {
      try {
        connection.forceDisconnect();
      } catch (IOException | RuntimeException e) {
        // it is gone all the same
      }
    }
  }
}
