package dev.thriftbreaker.faults;

import dev.thriftbreaker.faults.gen.Dependency;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * What a handler calls its dependency with: a generated client a connection, as many as there are
 * calls at once. A broken one is dropped, and with it all that are idle.
 */
final class PooledClient implements Dependency.Iface {

  private final Endpoint endpoint;
  private final CallsInFlight calls;
  private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();

  PooledClient(Endpoint endpoint) {
    this.endpoint = endpoint;
    calls = endpoint.calls();
  }

  @Override
  public long get(long number) throws TException {
    CallsInFlight.Call call = calls.begin();
    try {
      Connection connection = idle.pollFirst();
      if (connection == null) {
        connection = connect();
      }
      try {
        long result = connection.client.get(number);
        idle.addFirst(connection);
        return result;
      } catch (TApplicationException e) {
        idle.addFirst(connection);
        throw e;
      } catch (TException | RuntimeException e) {
        drop(connection);
        throw e;
      }
    } finally {
      calls.end(call);
    }
  }

  private Connection connect() throws TTransportException {
    TTransport transport = new TFramedTransport(endpoint.socket());
    transport.open();
    return new Connection(transport, new Dependency.Client(new TBinaryProtocol(transport)));
  }

  private void drop(Connection broken) {
    broken.transport.close();
    for (Connection other = idle.pollFirst(); other != null; other = idle.pollFirst()) {
      other.transport.close();
    }
  }

  private record Connection(TTransport transport, Dependency.Client client) {}
}
