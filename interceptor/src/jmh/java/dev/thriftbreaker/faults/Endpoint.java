package dev.thriftbreaker.faults;

import dev.thriftbreaker.faults.gen.Dependency;
import dev.thriftbreaker.thrift.ClientPool;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * Where a dependency is, and how its clients connect and are counted.
 *
 * @param port on the loopback address
 * @param timeoutMillis of each read; 0 is none
 * @param calls counts them
 */
record Endpoint(int port, int timeoutMillis, CallsInFlight calls) {

  /** What a handler has without a library that brings clients. */
  Dependency.Iface client() {
    return new PooledClient(this);
  }

  TSocket socket() throws TTransportException {
    return new TSocket("127.0.0.1", port, timeoutMillis);
  }

  /** The library's own pool, with the same clients, whose calls are counted as those above. */
  ClientPool.Builder<? extends Dependency.Iface> pool() {
    return ClientPool.builder(CountedClient::new, CountedSocket::new)
        .transportFactory(new TFramedTransport.Factory());
  }

  private final class CountedClient extends Dependency.Client {

    private CountedClient(TProtocol protocol) {
      super(protocol);
    }

    @Override
    public long get(long number) throws TException {
      CallsInFlight.Call call = calls.begin();
      try {
        return super.get(number);
      } finally {
        calls.end(call);
      }
    }
  }

  /** Connecting holds the thread as well; if it fails, that was the call. */
  private final class CountedSocket extends TSocket {

    private CountedSocket() throws TTransportException {
      super("127.0.0.1", port, timeoutMillis);
    }

    @Override
    public void open() throws TTransportException {
      CallsInFlight.Call call = calls.enter();
      try {
        super.open();
      } catch (TTransportException e) {
        calls.count();
        throw e;
      } finally {
        calls.end(call);
      }
    }
  }
}
