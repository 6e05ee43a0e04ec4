package dev.thriftbreaker.faults;

import dev.thriftbreaker.ThriftInterceptor;
import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.BreakerState;
import dev.thriftbreaker.breaker.Transition;
import dev.thriftbreaker.breaker.TransitionListener;
import dev.thriftbreaker.faults.gen.Dependency;
import java.util.function.Consumer;
import org.apache.thrift.TProcessor;

/** Thrift Breaker as its users set it up: nothing is declared but the names. */
final class Ours implements Guarding {

  private final ThriftInterceptor interceptor;
  private final boolean pooled;

  Ours(Site site, Consumer<BreakerConfig.Builder> settings) {
    this(site, settings, false);
  }

  /** With its own pool of clients, which keeps a deadline for each call. */
  static Ours deadline(Site site) {
    return new Ours(site, settings -> settings.callTimeout(Variant.TIMEOUT), true);
  }

  private Ours(Site site, Consumer<BreakerConfig.Builder> settings, boolean pooled) {
    this.pooled = pooled;
    ThriftInterceptor.Builder builder = ThriftInterceptor.builder("faults").defaults(settings);
    for (int i = 0; i < site.dependencies(); i++) {
      builder.dependency(ServerUnderTest.dependencyName(i));
    }
    TransitionListener listener = transition -> note(transition, site.trips());
    interceptor = builder.listener(listener).build();
  }

  private static void note(Transition transition, Trips trips) {
    if (transition.stateChanged() && transition.to() == BreakerState.OPEN) {
      trips.add(transition.breaker(), transition.atNanos());
    }
  }

  @Override
  public Dependency.Iface guard(String dependency, Dependency.Iface client) {
    return interceptor.guard(dependency, Dependency.Iface.class, client);
  }

  @Override
  public Dependency.Iface guard(String dependency, Endpoint endpoint) {
    return pooled
        ? interceptor.guard(dependency, Dependency.Iface.class, endpoint.pool())
        : guard(dependency, endpoint.client());
  }

  @Override
  public TProcessor wrap(TProcessor processor) {
    return interceptor.wrap(processor);
  }
}
