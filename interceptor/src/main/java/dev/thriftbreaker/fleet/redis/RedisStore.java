package dev.thriftbreaker.fleet.redis;

import dev.thriftbreaker.fleet.StateStore;
import java.net.URI;

/** The fleet's state in Redis. */
public final class RedisStore implements StateStore {

  private final URI uri;

  /**
   * Makes one; connects later.
   *
   * @param uri {@code redis://[user:password@]host[:port][/db]}
   * @throws IllegalArgumentException if the URI is not of that form
   */
  public RedisStore(URI uri) {
    this.uri = uri;
  }

  @Override
  public String address() {
    return uri.getHost() + ":" + uri.getPort();
  }

  @Override
  public void close() {}
}
