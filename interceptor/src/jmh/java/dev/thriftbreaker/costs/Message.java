package dev.thriftbreaker.costs;

import dev.thriftbreaker.thrift.gen.Echo;
import dev.thriftbreaker.thrift.gen.Leaf;
import dev.thriftbreaker.thrift.gen.Tree;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TMemoryBuffer;

/** A request to the echo service; the reply is as long. */
public enum Message {
  /** The cheapest: no arguments, no result. */
  PING("nothing") {
    @Override
    void send(Echo.Client client) throws TException {
      client.send_nothing();
    }
  },
  /** Some 50 bytes. */
  SMALL("text") {
    @Override
    void send(Echo.Client client) throws TException {
      client.send_text("order 0815 of customer 4711");
    }
  },
  /** Some 5 kB in some 700 fields. */
  MEDIUM("tree") {
    @Override
    void send(Echo.Client client) throws TException {
      client.send_tree(tree(85));
    }
  },
  /** 1 MB in a single field. */
  LARGE("bytes") {
    @Override
    void send(Echo.Client client) throws TException {
      client.send_bytes(ByteBuffer.wrap(new byte[MEGABYTE]));
    }
  },
  /** Some 1 MB in some 140,000 fields. */
  LARGE_OF_MANY_FIELDS("tree") {
    @Override
    void send(Echo.Client client) throws TException {
      client.send_tree(tree(17_000));
    }
  };

  private static final int MEGABYTE = 1 << 20;

  /** The name of the method. */
  final String method;

  Message(String method) {
    this.method = method;
  }

  abstract void send(Echo.Client client) throws TException;

  /** The request as it is on the wire, without a frame around it. */
  byte[] bytes(TProtocolFactory language) throws TException {
    TMemoryBuffer buffer = new TMemoryBuffer(64);
    send(new Echo.Client(language.getProtocol(buffer)));
    return Arrays.copyOf(buffer.getArray(), buffer.length());
  }

  private static Tree tree(int branches) {
    List<Tree> all = new ArrayList<>();
    for (int i = 0; i < branches; i++) {
      Leaf leaf = new Leaf("leaf " + i % 100, (byte) i, i, 1_000_000L * i);
      all.add(new Tree((byte) i, leaf, i, List.of()));
    }
    return new Tree((byte) 0, new Leaf("root", (byte) 0, 0, 0), 0, all);
  }
}
