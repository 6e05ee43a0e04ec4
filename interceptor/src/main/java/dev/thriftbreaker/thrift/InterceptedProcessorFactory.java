package dev.thriftbreaker.thrift;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.transport.TTransport;

/**
 * A factory whose processors have the request path around them.
 *
 * <p>Servers ask for a processor once a connection or once a request, and a factory may give the
 * same one each time or each time a new one. So those wrapped lately are known, found without a
 * lock and without making anything, and none is kept alive: one that was forgotten is wrapped
 * again, which makes no difference but the work. Thread-safe.
 */
final class InterceptedProcessorFactory extends TProcessorFactory {

  private static final int PLACES = 64;

  private final TProcessorFactory factory;
  private final Function<TProcessor, TProcessor> wrap;
  private final AtomicReferenceArray<Reference<InterceptedProcessor>> lately =
      new AtomicReferenceArray<>(PLACES);

  /**
   * Wraps a factory.
   *
   * @param factory the factory
   * @param wrap wraps a processor, or gives it back as it is if it cannot be wrapped
   */
  InterceptedProcessorFactory(TProcessorFactory factory, Function<TProcessor, TProcessor> wrap) {
    super(null);
    this.factory = factory;
    this.wrap = wrap;
  }

  @Override
  public TProcessor getProcessor(TTransport transport) {
    TProcessor processor = factory.getProcessor(transport);
    if (processor == null || processor instanceof InterceptedProcessor) {
      return processor;
    }
    int place = System.identityHashCode(processor) & (PLACES - 1);
    Reference<InterceptedProcessor> known = lately.get(place);
    InterceptedProcessor wrapped = known == null ? null : known.get();
    if (wrapped != null && wrapped.delegate == processor) {
      return wrapped;
    }
    TProcessor made = wrap.apply(processor);
    if (made instanceof InterceptedProcessor intercepted) {
      lately.set(place, new WeakReference<>(intercepted));
    }
    return made;
  }

  @Override
  public boolean isAsyncProcessor() {
    return factory.isAsyncProcessor();
  }
}
