package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Outcome;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TTupleProtocol;

/**
 * Sees which type of message is begun on a protocol, and if asked to what a TApplicationException
 * says and whether a message was read to its end. One object serves many requests, one after the
 * other, and gives each a protocol that does what the server's own would. Used by one thread at a
 * time.
 *
 * <p>Where the server's protocol is a plain binary or compact one, its stand-in for a reply is of
 * the same kind, on the same transport, so that the fields of the reply cost no call more than they
 * do on a bare server. So is a tuple protocol's, as generated code demands. Elsewhere, and where
 * more than the message's type is to be seen, everything is passed on to the server's.
 */
final class ReplyWatch {

  private static final byte NONE = 0;

  private WatchedProtocol any;
  private WatchedBinary binary;
  private WatchedCompact compact;
  private WatchedTuple tuple;
  private byte type = NONE;
  private boolean read;
  private boolean shed;
  private int exceptionType;

  /**
   * A protocol to write a reply to in place of the server's.
   *
   * @param wholly whether to see what a TApplicationException says
   */
  TProtocol over(TProtocol out, boolean wholly) {
    Class<?> language = out.getClass();
    if (wholly) {
      return over(out);
    }
    if (language == TBinaryProtocol.class && Hidden.writesStrictBinary((TBinaryProtocol) out)) {
      if (binary == null) {
        binary = new WatchedBinary(this);
      }
      return binary.onto(out.getTransport());
    }
    if (language == TCompactProtocol.class) {
      if (compact == null) {
        compact = new WatchedCompact(this);
      }
      return compact.onto(out.getTransport());
    }
    return over(out);
  }

  /** A protocol to read a message from, or write one to, in place of the server's. */
  TProtocol over(TProtocol target) {
    if (target.getClass() == TTupleProtocol.class) {
      if (tuple == null) {
        tuple = new WatchedTuple(this);
      }
      return tuple.onto(target.getTransport());
    }
    if (any == null) {
      any = new WatchedProtocol(this);
    }
    return any.over(target);
  }

  boolean isBegun() {
    return type != NONE;
  }

  /** What the reply says of the method: nothing if it is the caller's fault, or another's shed. */
  Outcome judge() {
    if (!isException()) {
      return Outcome.SUCCESS;
    }
    return isShed() || exceptionType() == TApplicationException.PROTOCOL_ERROR
        ? Outcome.IGNORED
        : Outcome.FAILURE;
  }

  boolean isException() {
    return type == TMessageType.EXCEPTION;
  }

  /** Whether the reply is a TApplicationException that says SHED. */
  boolean isShed() {
    return shed;
  }

  /** The type of the TApplicationException. */
  int exceptionType() {
    return exceptionType;
  }

  /** Whether a message was read to its end. */
  boolean isRead() {
    return read;
  }

  void clear() {
    if (any != null) {
      any.clear();
    }
    if (binary != null) {
      binary.clear();
    }
    if (compact != null) {
      compact.clear();
    }
    if (tuple != null) {
      tuple.clear();
    }
    type = NONE;
    read = false;
    shed = false;
    exceptionType = 0;
  }

  // ---- what the protocols see

  /** A message of this type is begun. */
  void begin(byte messageType) {
    type = messageType;
  }

  /** A string is written; the last one of a TApplicationException is its message. */
  void string(String value) {
    if (isException()) {
      shed = Shed.begins(value);
    }
  }

  /** A number is written; the last one of a TApplicationException is its type. */
  void number(int value) {
    if (isException()) {
      exceptionType = value;
    }
  }

  /** A message was read to its end. */
  void read() {
    read = true;
  }
}
