package dev.thriftbreaker.fleet.redis;

import java.time.Duration;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;

/**
 * How the clients of Redis are set up. Apart from the store, so that whoever makes a store does not
 * wait until all that clients need is loaded.
 */
final class Clients {

  private static final int TIMEOUT_MILLIS = 200;
  private static final int SUBSCRIPTION_TIMEOUT_MILLIS = 1_000;

  private Clients() {}

  /** For commands: at most two connections, made when they are needed. */
  static UnifiedJedis commands(RedisAddress address) {
    ConnectionPoolConfig pool = new ConnectionPoolConfig();
    pool.setMaxTotal(2);
    pool.setMaxIdle(2);
    pool.setMinIdle(0);
    pool.setMaxWait(Duration.ofMillis(TIMEOUT_MILLIS));
    pool.setTimeBetweenEvictionRuns(Duration.ofMillis(-1)); // no thread of the pool's own
    pool.setJmxEnabled(false);
    return RedisClient.builder()
        .hostAndPort(new HostAndPort(address.host(), address.port()))
        .clientConfig(config(address).build())
        .poolConfig(pool)
        .build();
  }

  /** For the connection of a subscription. */
  static JedisClientConfig subscription(RedisAddress address) {
    return config(address).blockingSocketTimeoutMillis(SUBSCRIPTION_TIMEOUT_MILLIS).build();
  }

  private static DefaultJedisClientConfig.Builder config(RedisAddress address) {
    DefaultJedisClientConfig.Builder config =
        DefaultJedisClientConfig.builder()
            // a client that is built while Redis is down must not guess the protocol
            .resp2()
            .connectionTimeoutMillis(TIMEOUT_MILLIS)
            .socketTimeoutMillis(TIMEOUT_MILLIS)
            .database(address.database())
            .clientName("thrift-breaker")
            // would need a permission of its own
            .clientSetInfoConfig(ClientSetInfoConfig.DISABLED);
    if (address.password() != null) {
      config.user(address.user()).password(address.password());
    }
    return config;
  }
}
