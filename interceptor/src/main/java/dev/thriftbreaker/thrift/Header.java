package dev.thriftbreaker.thrift;

import java.nio.charset.StandardCharsets;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TJSONProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TTupleProtocol;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;

/**
 * A request's message header and the route it leads to. One object serves many requests, one after
 * the other on one thread.
 *
 * <p>Where the transport holds the message in memory and the protocol's layout is known, the header
 * is parsed in place: nothing is consumed, so the protocol and the transport's budget of bytes stay
 * as a bare server has them, and nothing is allocated for a known method.
 *
 * <pre>
 * TBinaryProtocol, strict:           80 01 xx TT | i32 length | name | i32 seqid
 * TBinaryProtocol, not strict:       i32 length | name | TT | i32 seqid
 * TCompactProtocol, TTupleProtocol:  82 | TTT00001 | varint seqid | varint length | name
 * TJSONProtocol:                     [1,"name",T,seqid,
 * </pre>
 */
final class Header {

  private static final byte[] NO_BYTES = {};
  private static final byte COMPACT_PROTOCOL_ID = (byte) 0x82;
  private static final int COMPACT_VERSION = 1;

  private Route route;
  private String method;
  private int seqid;
  private byte type;

  // the cursor and the end of a parse in place; at < 0 if the header is not as expected
  private byte[] buffer;
  private int at;
  private int end;

  Route route() {
    return route;
  }

  /** The method's name as a reply has it. */
  String method() {
    return method;
  }

  int seqid() {
    return seqid;
  }

  boolean isRequest() {
    return type == TMessageType.CALL || type == TMessageType.ONEWAY;
  }

  boolean isOneway() {
    return type == TMessageType.ONEWAY || route.oneway;
  }

  /**
   * Finds out which message comes next, waiting for it if need be.
   *
   * @return what to read the message from, its header included; null if this message must be passed
   *     on as it is
   * @throws TException if no message can be read
   */
  TProtocol read(TProtocol in, RouteTable routes) throws TException {
    if (peek(in, routes)) {
      return in;
    }
    if (in instanceof TTupleProtocol) {
      // must reach generated code undecorated, so a header once read could not be given back
      return null;
    }
    TMessage message = in.readMessageBegin();
    take(message, routes);
    return new HeaderReplay(in, message);
  }

  /** Takes over a header that was read from the protocol. */
  private void take(TMessage message, RouteTable routes) {
    type = message.type;
    seqid = message.seqid;
    route = routes.find(message.name);
    method = route.method != null ? route.method : withoutService(message.name);
  }

  /**
   * Parses the header of the message that comes next, waiting for it if need be, and leaves it
   * unread.
   *
   * @return false if it must be read from the protocol, because it cannot be parsed in place or is
   *     malformed
   * @throws TException if no message can be read
   */
  private boolean peek(TProtocol in, RouteTable routes) throws TException {
    Class<?> protocol = in.getClass();
    TTransport transport = in.getTransport();
    if (!isKnown(protocol) || !Frame.isHeldBy(transport)) {
      return false;
    }
    if (Frame.isLoadedBy(transport) && Frame.remaining(transport) == 0) {
      transport.read(NO_BYTES, 0, 0);
      if (Frame.remaining(transport) == 0) {
        throw new TTransportException("Cannot read a message from an empty frame");
      }
    }
    buffer = Frame.buffer(transport);
    at = Frame.position(transport);
    end = at + Frame.remaining(transport);
    try {
      if (protocol == TBinaryProtocol.class) {
        return parseBinary((TBinaryProtocol) in, routes);
      }
      return protocol == TJSONProtocol.class ? parseJson(routes) : parseCompact(routes);
    } finally {
      buffer = null;
    }
  }

  private static boolean isKnown(Class<?> protocol) {
    return protocol == TBinaryProtocol.class
        || protocol == TCompactProtocol.class
        || protocol == TTupleProtocol.class
        || protocol == TJSONProtocol.class;
  }

  private boolean parseBinary(TBinaryProtocol in, RouteTable routes) {
    int version = i32();
    if (version >= 0 && at >= 0) {
      return Hidden.readsOldBinary(in) && parseOldBinary(version, routes);
    }
    int length = i32();
    int from = skip(length);
    seqid = i32();
    type = (byte) version;
    return at >= 0 && version >>> 16 == 0x8001 && route(routes, from, length);
  }

  private boolean parseOldBinary(int length, RouteTable routes) {
    int from = skip(length);
    int typeAt = skip(1);
    seqid = i32();
    if (at < 0) {
      return false;
    }
    type = buffer[typeAt];
    return route(routes, from, length);
  }

  private boolean parseCompact(RouteTable routes) {
    int id = skip(2);
    if (id < 0 || buffer[id] != COMPACT_PROTOCOL_ID) {
      return false;
    }
    int versionAndType = buffer[id + 1];
    type = (byte) (versionAndType >> 5 & 7);
    seqid = varint();
    int length = varint();
    int from = skip(length);
    return at >= 0 && (versionAndType & 0x1f) == COMPACT_VERSION && route(routes, from, length);
  }

  /** Only as TJSONProtocol writes it, and names without escapes. */
  private boolean parseJson(RouteTable routes) {
    if (!passOver('[') || !passOver('1') || !passOver(',') || !passOver('"')) {
      return false;
    }
    int from = at;
    while (at < end && buffer[at] != '"') {
      if (buffer[at++] == '\\') {
        return false;
      }
    }
    int length = at - from;
    if (!passOver('"') || !passOver(',')) {
      return false;
    }
    long number = jsonNumber();
    type = (byte) number;
    boolean asExpected = number >= 0 && number <= Byte.MAX_VALUE && passOver(',');
    number = jsonNumber();
    seqid = (int) number;
    return asExpected && number == seqid && passOver(',') && route(routes, from, length);
  }

  private boolean passOver(char expected) {
    if (at >= end || buffer[at] != expected) {
      return false;
    }
    at++;
    return true;
  }

  /** A decimal number of 1 to 10 digits, or one that is none. */
  private long jsonNumber() {
    boolean negative = passOver('-');
    int from = at;
    long number = 0;
    while (at < end && at - from <= 10 && buffer[at] >= '0' && buffer[at] <= '9') {
      number = 10 * number + buffer[at++] - '0';
    }
    boolean readable = at > from && at - from <= 10;
    return readable ? (negative ? -number : number) : Long.MIN_VALUE;
  }

  private boolean route(RouteTable routes, int from, int length) {
    route = routes.find(buffer, from, from + length);
    method =
        route.method != null
            ? route.method
            : withoutService(new String(buffer, from, length, StandardCharsets.UTF_8));
    return true;
  }

  /** Moves the cursor over that many bytes; returns where it was. */
  private int skip(int bytes) {
    int from = at;
    if (from < 0 || bytes < 0 || bytes > end - from) {
      at = -1;
      return -1;
    }
    at += bytes;
    return from;
  }

  private int i32() {
    int from = skip(4);
    return from < 0
        ? -1
        : (buffer[from] & 0xff) << 24
            | (buffer[from + 1] & 0xff) << 16
            | (buffer[from + 2] & 0xff) << 8
            | buffer[from + 3] & 0xff;
  }

  private int varint() {
    int value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      int from = skip(1);
      if (from < 0) {
        return -1;
      }
      value |= (buffer[from] & 0x7f) << shift;
      if (buffer[from] >= 0) {
        return value;
      }
    }
    at = -1;
    return -1;
  }

  private static String withoutService(String wireName) {
    return wireName.substring(wireName.indexOf(TMultiplexedProtocol.SEPARATOR) + 1);
  }

  void clear() {
    route = null;
    method = null;
  }
}
