package dev.thriftbreaker.thrift;

import dev.thriftbreaker.thrift.gen.Broken;
import dev.thriftbreaker.thrift.gen.Echo;
import dev.thriftbreaker.thrift.gen.Leaf;
import dev.thriftbreaker.thrift.gen.Mix;
import dev.thriftbreaker.thrift.gen.Numeral;
import dev.thriftbreaker.thrift.gen.Refused;
import dev.thriftbreaker.thrift.gen.Tree;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.transport.TTransportException;

/** Returns what it is given, or fails as told; answers depend on arguments only. */
final class EchoHandler implements Echo.Iface {

  /** What oneway methods were given, in the order in which they were called. */
  final List<String> sent = new CopyOnWriteArrayList<>();

  @Override
  public void nothing() {}

  @Override
  public String text(String value) {
    return value;
  }

  @Override
  public boolean flag(boolean value) {
    return value;
  }

  @Override
  public byte small(byte value) {
    return value;
  }

  @Override
  public short medium(short value) {
    return value;
  }

  @Override
  public int whole(int value) {
    return value;
  }

  @Override
  public long large(long value) {
    return value;
  }

  @Override
  public double real(double value) {
    return value;
  }

  @Override
  public ByteBuffer bytes(ByteBuffer value) {
    return value;
  }

  @Override
  public UUID id(UUID value) {
    return value;
  }

  @Override
  public Leaf leaf(Leaf value) {
    return value;
  }

  @Override
  public Tree tree(Tree value) {
    return value;
  }

  @Override
  public Map<Integer, Integer> numbers(Map<Integer, Integer> value) {
    return value;
  }

  @Override
  public Map<String, String> texts(Map<String, String> value) {
    return value;
  }

  @Override
  public Set<Integer> few(Set<Integer> value) {
    return value;
  }

  @Override
  public List<Integer> many(List<Integer> value) {
    return value;
  }

  @Override
  public Numeral numeral(Numeral value) {
    return value;
  }

  @Override
  public long user(long value) {
    return value;
  }

  @Override
  public Map<Integer, Map<Integer, Integer>> nested(int size) {
    Map<Integer, Map<Integer, Integer>> nested = new TreeMap<>();
    for (int i = -size; i <= size; i++) {
      nested.computeIfAbsent(i % 3, key -> new TreeMap<>()).put(i, i);
    }
    return nested;
  }

  @Override
  public Map<Long, Map<Numeral, Mix>> mixed(Mix value) {
    return new TreeMap<>(
        Map.of(
            1L, new TreeMap<>(Map.of(Numeral.TWO, value, Numeral.EIGHT, value)),
            2L, new TreeMap<>(Map.of(Numeral.ONE, new Mix(Map.of(), List.of())))));
  }

  @Override
  public Leaf several(
      byte small, int whole, long large, Map<Short, String> texts, Numeral numeral, long user) {
    return new Leaf(texts + " " + numeral + " " + user, small, whole, large);
  }

  @Override
  public void fail(String how) throws TException {
    end(how);
  }

  @Override
  public Leaf failOrNot(String how, String text) throws TException {
    end(how);
    return how.equals("null") ? null : new Leaf(text, (byte) 1, -3, -5);
  }

  @Override
  public ByteBuffer need(ByteBuffer value) {
    return value;
  }

  @Override
  public void send(String text) {
    sent.add(text);
  }

  @Override
  public void sendNeeding(String text) {
    sent.add(text);
  }

  @Override
  public void sendFailing(String how) throws TException {
    sent.add(how);
    end(how);
  }

  private static void end(String how) throws TException {
    switch (how) {
      case "refused" -> throw new Refused(1001, how);
      case "broken" -> throw new Broken(2002, new Leaf(how, (byte) 1, 2, 3));
      case "runtime" -> throw new IllegalStateException(how);
      case "exception" -> throw new TException(how);
      case "application" -> throw new TApplicationException(99, how);
      case "protocol" -> throw new TProtocolException(TProtocolException.INVALID_DATA, how);
      case "transport" -> throw new TTransportException(TTransportException.TIMED_OUT, how);
      case "error" -> throw new LinkageError(how);
      default -> {}
    }
  }
}
