package dev.thriftbreaker.thrift;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * The routes of a server by the method's name on the wire, found from a string or straight from the
 * bytes of a header. Immutable. The bytes are looked up in a hash table with linear probing that is
 * at most half full. A name's first and last eight bytes and its length tell nearly all names
 * apart, so these are hashed and compared first.
 */
final class RouteTable {

  private record Entry(byte[] name, long head, long tail, Route route) {

    boolean isOf(byte[] buffer, int from, int to, long otherHead, long otherTail) {
      int length = to - from;
      return head == otherHead
          && tail == otherTail
          && name.length == length
          && (length <= 2 * Long.BYTES || Arrays.equals(name, 0, length, buffer, from, to));
    }
  }

  private final Map<String, Route> byName;
  private final Route unknown;
  private final Entry[] entries;

  RouteTable(Map<String, Route> byWireName, Route unknown) {
    this.byName = Map.copyOf(byWireName);
    this.unknown = unknown;
    entries = new Entry[Integer.highestOneBit(Math.max(1, byName.size())) * 4];
    byName.forEach(this::put);
  }

  private void put(String name, Route route) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    long head = head(bytes, 0, bytes.length);
    long tail = tail(bytes, 0, bytes.length);
    int place = place(head, tail, bytes.length);
    while (entries[place] != null) {
      place = (place + 1) & (entries.length - 1);
    }
    entries[place] = new Entry(bytes, head, tail, route);
  }

  Route find(String name) {
    return byName.getOrDefault(name, unknown);
  }

  Route find(byte[] buffer, int from, int to) {
    long head = head(buffer, from, to);
    long tail = tail(buffer, from, to);
    int place = place(head, tail, to - from);
    for (Entry entry = entries[place]; entry != null; entry = entries[place]) {
      if (entry.isOf(buffer, from, to, head, tail)) {
        return entry.route;
      }
      place = (place + 1) & (entries.length - 1);
    }
    return unknown;
  }

  /** The first bytes, up to eight; of fewer than eight the whole name, beside the tail. */
  private static long head(byte[] buffer, int from, int to) {
    int length = to - from;
    if (length >= Long.BYTES) {
      return Bytes.i64(buffer, from);
    }
    return length >= Integer.BYTES ? Bytes.i32(buffer, from) : few(buffer, from, to);
  }

  /** The last bytes, up to eight. */
  private static long tail(byte[] buffer, int from, int to) {
    int length = to - from;
    if (length >= Long.BYTES) {
      return Bytes.i64(buffer, to - Long.BYTES);
    }
    return length >= Integer.BYTES ? Bytes.i32(buffer, to - Integer.BYTES) : 0;
  }

  private static long few(byte[] buffer, int from, int to) {
    long bytes = 0;
    for (int i = from; i < to; i++) {
      bytes = bytes << Byte.SIZE | buffer[i] & 0xff;
    }
    return bytes;
  }

  private int place(long head, long tail, int length) {
    long hash = (head ^ Long.rotateLeft(tail, 32) ^ length) * 0x9E3779B97F4A7C15L;
    return (int) (hash >>> 32) & (entries.length - 1);
  }
}
