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
  private static final long NO_VARINT = -1;

  /** A version, the length of a name, and a seqid. */
  private static final int LEAST_BINARY = 12;

  private Route route;
  private String method;
  private int seqid;
  private byte type;

  // the cursor and the end of a JSON header parsed in place
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
    byte[] bytes = Frame.buffer(transport);
    int from = Frame.position(transport);
    int to = from + Frame.remaining(transport);
    if (protocol == TBinaryProtocol.class) {
      return parseBinary((TBinaryProtocol) in, routes, bytes, from, to);
    }
    return protocol == TJSONProtocol.class
        ? parseJson(routes, bytes, from, to)
        : parseCompact(routes, bytes, from, to);
  }

  private static boolean isKnown(Class<?> protocol) {
    return protocol == TBinaryProtocol.class
        || protocol == TCompactProtocol.class
        || protocol == TTupleProtocol.class
        || protocol == TJSONProtocol.class;
  }

  private boolean parseBinary(
      TBinaryProtocol in, RouteTable routes, byte[] bytes, int from, int to) {
    int room = to - from - LEAST_BINARY;
    if (room < 0) {
      return false;
    }
    int version = Bytes.i32(bytes, from);
    if (version >= 0) {
      return Hidden.readsOldBinary(in) && parseOldBinary(routes, bytes, from, to);
    }
    int length = Bytes.i32(bytes, from + 4);
    if (version >>> 16 != 0x8001 || length < 0 || length > room) {
      return false;
    }
    take((byte) version, Bytes.i32(bytes, from + 8 + length), routes, bytes, from + 8, length);
    return true;
  }

  private boolean parseOldBinary(RouteTable routes, byte[] bytes, int from, int to) {
    int length = Bytes.i32(bytes, from);
    if (length > to - from - 9) {
      return false;
    }
    int typeAt = from + 4 + length;
    take(bytes[typeAt], Bytes.i32(bytes, typeAt + 1), routes, bytes, from + 4, length);
    return true;
  }

  private boolean parseCompact(RouteTable routes, byte[] bytes, int from, int to) {
    if (to - from < 2 || bytes[from] != COMPACT_PROTOCOL_ID) {
      return false;
    }
    int versionAndType = bytes[from + 1];
    long number = varint(bytes, from + 2, to);
    long length = number < 0 ? NO_VARINT : varint(bytes, next(number), to);
    if ((versionAndType & 0x1f) != COMPACT_VERSION
        || length < 0
        || (int) length < 0
        || (int) length > to - next(length)) {
      return false;
    }
    byte messageType = (byte) (versionAndType >> 5 & 7);
    take(messageType, (int) number, routes, bytes, next(length), (int) length);
    return true;
  }

  /**
   * A number of 1 to 5 bytes, in the lower half, and where it ends, in the upper; or {@link
   * #NO_VARINT}.
   */
  private static long varint(byte[] bytes, int from, int to) {
    int value = 0;
    int at = from;
    for (int shift = 0; shift < 35 && at < to; shift += 7) {
      byte part = bytes[at++];
      value |= (part & 0x7f) << shift;
      if (part >= 0) {
        return (long) at << Integer.SIZE | value & 0xffff_ffffL;
      }
    }
    return NO_VARINT;
  }

  private static int next(long varint) {
    return (int) (varint >>> Integer.SIZE);
  }

  /** Only as TJSONProtocol writes it, and names without escapes. */
  private boolean parseJson(RouteTable routes, byte[] bytes, int from, int to) {
    buffer = bytes;
    at = from;
    end = to;
    try {
      return parseJson(routes);
    } finally {
      buffer = null;
    }
  }

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
    long messageType = jsonNumber();
    if (messageType < 0 || messageType > Byte.MAX_VALUE || !passOver(',')) {
      return false;
    }
    long number = jsonNumber();
    if (number != (int) number || !passOver(',')) {
      return false;
    }
    take((byte) messageType, (int) number, routes, buffer, from, length);
    return true;
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

  /** Takes over a header that was parsed in place. */
  private void take(
      byte messageType, int number, RouteTable routes, byte[] bytes, int from, int length) {
    type = messageType;
    seqid = number;
    route = routes.find(bytes, from, from + length);
    method =
        route.method != null
            ? route.method
            : withoutService(new String(bytes, from, length, StandardCharsets.UTF_8));
  }

  private static String withoutService(String wireName) {
    return wireName.substring(wireName.indexOf(TMultiplexedProtocol.SEPARATOR) + 1);
  }

  void clear() {
    route = null;
    method = null;
  }
}
