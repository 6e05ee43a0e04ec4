package dev.thriftbreaker.thrift;

import dev.thriftbreaker.thrift.MatrixServer.Kind;
import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.gen.Echo;
import dev.thriftbreaker.thrift.gen.Ledger;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.thrift.AsyncProcessFunction;
import org.apache.thrift.TBase;
import org.apache.thrift.TBaseAsyncProcessor;
import org.apache.thrift.TException;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.TProcessorFactory;
import org.apache.thrift.async.AsyncMethodCallback;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.server.AbstractNonblockingServer.AsyncFrameBuffer;
import org.apache.thrift.transport.TTransport;
import org.awaitility.Awaitility;

/** The service that returns what it is given, as it is put into one server. */
final class EchoService implements AutoCloseable {

  /** How it is put into the server. A further way is a further constant. */
  enum Processing {
    PLAIN,
    MULTIPLEXED,
    DEFAULT_OF_MULTIPLEXED,
    FACTORY,
    /** What the handler returns or throws is told at once, on the server's thread. */
    ASYNC,
    /** The handler returns first, and the answer is told later, on another thread. */
    ASYNC_ELSEWHERE,
    /** The same by the name of a service; libthrift has no class for several of them. */
    ASYNC_MULTIPLEXED;

    boolean isAsync() {
      return name().startsWith("ASYNC");
    }

    /** How a client calls the service; null for not at all. */
    String service() {
      return this == MULTIPLEXED || this == ASYNC_MULTIPLEXED ? "Echo" : null;
    }

    String canonicalName(String method) {
      return service() == null ? method : service() + "." + method;
    }

    boolean supports(Kind kind, Language language) {
      // generated code casts the protocols of tuples to their class, so nothing may be in between
      boolean decorated = isWithin() || service() != null;
      return (kind.isAsync() || !isAsync()) && !(decorated && language == Language.TUPLE);
    }

    /** Whether another processor reads the header of the request first. */
    boolean isWithin() {
      return this == MULTIPLEXED || this == DEFAULT_OF_MULTIPLEXED;
    }
  }

  final EchoHandler handler = new EchoHandler();

  /** To be put into the server, as such or with something around it. */
  final TProcessor processor;

  private final Processing processing;
  private final AtomicReference<TProtocol> read = new AtomicReference<>();
  private final ExecutorService elsewhere = Executors.newSingleThreadExecutor();

  EchoService(Processing processing) {
    this.processing = processing;
    processor =
        switch (processing) {
          case PLAIN, FACTORY -> synchronous();
          case MULTIPLEXED -> {
            TMultiplexedProcessor services = others();
            services.registerProcessor("Echo", synchronous());
            yield services;
          }
          case DEFAULT_OF_MULTIPLEXED -> {
            TMultiplexedProcessor services = others();
            services.registerDefault(synchronous());
            yield services;
          }
          case ASYNC, ASYNC_ELSEWHERE, ASYNC_MULTIPLEXED -> asynchronous();
        };
  }

  /** How a server gets at a processor. */
  TProcessorFactory factory(TProcessor given) {
    if (processing != Processing.FACTORY) {
      return new TProcessorFactory(given);
    }
    return new TProcessorFactory(null) {
      @Override
      public TProcessor getProcessor(TTransport transport) {
        return given;
      }

      @Override
      public boolean isAsyncProcessor() {
        return false;
      }
    };
  }

  /** What the service was last given to read a request from; null for nothing yet. */
  TProtocol read() {
    return read.get();
  }

  /** Waits until what was begun has ended, but for what the server does. */
  @Override
  public void close() {
    elsewhere.shutdown();
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .until(elsewhere::isTerminated);
  }

  private static TMultiplexedProcessor others() {
    TMultiplexedProcessor services = new TMultiplexedProcessor();
    services.registerProcessor("Ledger", new Ledger.Processor<Ledger.Iface>(null));
    return services;
  }

  private TProcessor synchronous() {
    return new Echo.Processor<Echo.Iface>(handler) {
      @Override
      public void process(TProtocol in, TProtocol out) throws TException {
        read.set(in);
        super.process(in, out);
      }
    };
  }

  @SuppressWarnings("rawtypes") // in libthrift's own signatures
  private TProcessor asynchronous() {
    Echo.AsyncIface echo =
        (Echo.AsyncIface)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {Echo.AsyncIface.class},
                (proxy, method, arguments) -> answer(method, arguments));
    String prefix =
        processing.service() == null ? "" : processing.service() + TMultiplexedProtocol.SEPARATOR;
    Map<String, AsyncProcessFunction<Echo.AsyncIface, ? extends TBase, ?, ? extends TBase>>
        functions = new HashMap<>();
    new Echo.AsyncProcessor<>(echo)
        .getProcessMapView()
        .forEach((name, function) -> functions.put(prefix + name, function));
    return new TBaseAsyncProcessor<>(echo, functions) {
      @Override
      public void process(AsyncFrameBuffer frame) throws TException {
        read.set(frame.getInputProtocol());
        super.process(frame);
      }
    };
  }

  private Object answer(Method method, Object[] arguments) throws Throwable {
    int last = arguments.length - 1;
    @SuppressWarnings("unchecked") // of what the method returns
    AsyncMethodCallback<Object> callback = (AsyncMethodCallback<Object>) arguments[last];
    Object[] given = Arrays.copyOf(arguments, last);
    Method same =
        Echo.Iface.class.getMethod(
            method.getName(), Arrays.copyOf(method.getParameterTypes(), last));
    if (processing == Processing.ASYNC) {
      callback.onComplete(call(same, given));
    } else {
      elsewhere.execute(() -> tell(callback, same, given));
    }
    return null;
  }

  private void tell(AsyncMethodCallback<Object> callback, Method method, Object[] arguments) {
    Object result;
    try {
      result = call(method, arguments);
    } catch (Exception e) {
      callback.onError(e);
      return;
    } catch (Throwable e) {
      throw new AssertionError("a callback cannot be told of it", e);
    }
    callback.onComplete(result);
  }

  private Object call(Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(handler, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
