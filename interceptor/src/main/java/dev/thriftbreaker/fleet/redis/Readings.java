package dev.thriftbreaker.fleet.redis;

import dev.thriftbreaker.fleet.Reading;
import dev.thriftbreaker.fleet.StateStore.Kept;
import dev.thriftbreaker.fleet.StoreException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * What is read from Redis. Apart from the store, as {@link Clients} is: to load this takes classes
 * of the client.
 */
final class Readings {

  private Readings() {}

  static Map<String, Kept> readAll(
      UnifiedJedis redis, String namespace, Collection<String> dependencies) {
    record Asked(
        String dependency, Response<List<String>> state, Response<List<String>> override) {}
    List<Asked> asked = new ArrayList<>();
    Response<Object> time;
    long sentNanos;
    try (AbstractPipeline pipeline = redis.pipelined()) {
      time = pipeline.sendCommand(Protocol.Command.TIME, new String[0]);
      for (String dependency : dependencies) {
        String stateKey = Layout.stateKey(namespace, dependency);
        String overrideKey = Layout.overrideKey(namespace, dependency);
        asked.add(
            new Asked(
                dependency,
                pipeline.hmget(stateKey, Layout.STATE_FIELDS),
                pipeline.hmget(overrideKey, Layout.OVERRIDE_FIELDS)));
      }
      sentNanos = System.nanoTime();
      pipeline.sync();
    }
    long now = millis(time.get()) + RedisStore.millisSince(sentNanos);
    List<JedisDataException> denied = new ArrayList<>();
    Map<String, Kept> all = new LinkedHashMap<>();
    for (Asked one : asked) {
      all.put(
          one.dependency,
          new Kept(
              read(one.state, Layout.STATE_FIELDS, now, Layout::state, denied),
              read(one.override, Layout.OVERRIDE_FIELDS, now, Layout::override, denied)));
    }
    if (!denied.isEmpty() && denied.size() == 2 * asked.size()) {
      throw denied.get(0); // not one key, but all
    }
    return all;
  }

  private static <T> Reading<T> read(
      Response<List<String>> response,
      String[] names,
      long now,
      BiFunction<Map<String, String>, Long, Reading<T>> layout,
      List<JedisDataException> denied) {
    List<String> values;
    try {
      values = response.get();
    } catch (JedisDataException e) {
      if (String.valueOf(e.getMessage()).startsWith("WRONGTYPE")) {
        return Reading.foreign("the key holds something else: " + e.getMessage());
      }
      if (Failure.of(e).kind() == StoreException.Kind.DENIED) {
        denied.add(e);
        return Reading.foreign("no permission to read: " + e.getMessage());
      }
      throw e;
    }
    Map<String, String> fields = new HashMap<>();
    for (int i = 0; i < names.length; i++) {
      if (values.get(i) != null) {
        fields.put(names[i], values.get(i));
      }
    }
    return layout.apply(fields, now);
  }

  private static long millis(Object time) {
    List<?> parts = (List<?>) time;
    return Long.parseLong(RedisStore.text(parts.get(0))) * 1_000
        + Long.parseLong(RedisStore.text(parts.get(1))) / 1_000;
  }

  static List<String> warnings(UnifiedJedis redis) {
    try {
      String policy = redis.configGet("maxmemory-policy").getOrDefault("maxmemory-policy", "");
      boolean keeps =
          policy.isEmpty() || policy.equals("noeviction") || policy.startsWith("volatile-");
      return keeps
          ? List.of()
          : List.of(
              "maxmemory-policy: "
                  + policy
                  + " (expected: noeviction or volatile-*; this one loses breaker state)");
    } catch (JedisDataException e) {
      return List.of(); // not permitted to look
    }
  }
}
