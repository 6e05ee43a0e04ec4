package dev.thriftbreaker;

import com.codahale.metrics.MetricRegistry;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.CircuitBreaker;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.apache.thrift.TProcessor;

/** The one entry point: puts breakers in front of what a Thrift server's handler depends on. */
public final class ThriftInterceptor implements AutoCloseable {

  private ThriftInterceptor() {}

  /**
   * Starts to build one.
   *
   * @param server the server's name
   * @return a builder
   */
  public static Builder builder(String server) {
    return new Builder();
  }

  /**
   * Builds one from a file.
   *
   * @param file a properties file
   * @return the interceptor
   * @throws IOException if the file cannot be read
   */
  public static ThriftInterceptor fromProperties(Path file) throws IOException {
    return new ThriftInterceptor();
  }

  /**
   * Guards a client.
   *
   * @param <T> the interface
   * @param dependency the dependency's name
   * @param type the interface
   * @param client the client
   * @return the guarded client
   */
  public <T> T guard(String dependency, Class<T> type, T client) {
    return client;
  }

  /**
   * Makes a guarded call.
   *
   * @param <T> the type of the result
   * @param dependency the dependency's name
   * @param body the call
   * @return its result
   * @throws Exception what the call throws
   */
  public <T> T call(String dependency, Callable<T> body) throws Exception {
    return body.call();
  }

  /**
   * Wraps the processor of a server.
   *
   * @param processor the processor
   * @return the wrapped processor
   */
  public TProcessor wrap(TProcessor processor) {
    return processor;
  }

  /**
   * The breaker of a dependency.
   *
   * @param dependency its name
   * @return the breaker
   */
  public CircuitBreaker breaker(String dependency) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}

  /** Collects settings. */
  public static final class Builder {
    Builder() {}

    /**
     * Where the state is kept.
     *
     * @param uri redis://host:port
     * @return this
     */
    public Builder redis(URI uri) {
      return this;
    }

    /**
     * The namespace.
     *
     * @param namespace the name
     * @return this
     */
    public Builder namespace(String namespace) {
      return this;
    }

    /**
     * A dependency.
     *
     * @param name its name
     * @param settings sets it up
     * @return this
     */
    public Builder dependency(String name, Consumer<BreakerConfig.Builder> settings) {
      return this;
    }

    /**
     * What a method needs.
     *
     * @param method the method
     * @param dependencies what it needs
     * @return this
     */
    public Builder requires(String method, String... dependencies) {
      return this;
    }

    /**
     * The user's own registry.
     *
     * @param registry the registry
     * @return this
     */
    public Builder metricRegistry(MetricRegistry registry) {
      return this;
    }

    /**
     * Builds it.
     *
     * @return the interceptor
     */
    public ThriftInterceptor build() {
      return new ThriftInterceptor();
    }
  }
}
