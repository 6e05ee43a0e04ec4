package dev.thriftbreaker.faults;

import com.netflix.hystrix.HystrixCommand;
import com.netflix.hystrix.HystrixCommandGroupKey;
import com.netflix.hystrix.HystrixCommandKey;
import com.netflix.hystrix.HystrixCommandProperties;
import com.netflix.hystrix.HystrixCommandProperties.ExecutionIsolationStrategy;
import com.netflix.hystrix.exception.HystrixRuntimeException;
import com.netflix.hystrix.exception.HystrixRuntimeException.FailureType;
import dev.thriftbreaker.faults.gen.Dependency;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.thrift.TException;

/** Hystrix on the caller's thread: a semaphore, and its defaults but for the open time. */
final class HystrixPeer implements Guarding {

  private final Site site;

  HystrixPeer(Site site) {
    this.site = site;
  }

  @Override
  public Dependency.Iface guard(String dependency, Dependency.Iface client) {
    HystrixCommand.Setter setter =
        HystrixCommand.Setter.withGroupKey(HystrixCommandGroupKey.Factory.asKey("faults"))
            .andCommandKey(HystrixCommandKey.Factory.asKey(dependency))
            .andCommandPropertiesDefaults(
                HystrixCommandProperties.Setter()
                    .withExecutionIsolationStrategy(ExecutionIsolationStrategy.SEMAPHORE)
                    .withExecutionIsolationSemaphoreMaxConcurrentRequests(site.fittedCap())
                    .withFallbackEnabled(false)
                    .withCircuitBreakerSleepWindowInMilliseconds((int) Variant.OPEN.toMillis()));
    AtomicBoolean open = new AtomicBoolean();
    return number -> {
      try {
        long result = new Call(setter, client, number).execute();
        open.set(false);
        return result;
      } catch (HystrixRuntimeException e) {
        if (e.getFailureType() == FailureType.SHORTCIRCUIT && !open.getAndSet(true)) {
          site.trips().add(dependency);
        }
        throw switch (e.getFailureType()) {
          case SHORTCIRCUIT, REJECTED_SEMAPHORE_EXECUTION -> new ShedException();
          default -> e.getCause() instanceof TException cause ? cause : new TException(e);
        };
      }
    };
  }

  private static final class Call extends HystrixCommand<Long> {
    private final Dependency.Iface client;
    private final long number;

    Call(Setter setter, Dependency.Iface client, long number) {
      super(setter);
      this.client = client;
      this.number = number;
    }

    @Override
    protected Long run() throws Exception {
      return client.get(number);
    }
  }
}
