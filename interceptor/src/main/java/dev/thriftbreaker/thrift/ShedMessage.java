package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TType;

/**
 * The default reply to requests that are shed, but for the number that tells which of them it
 * answers: the same for all requests of a method that are told the same refusal. Immutable.
 *
 * <pre>
 * TBinaryProtocol, strict:  80 01 00 03 | i32 length | name | i32 seqid
 *                           0b 00 01 | i32 length | text | 08 00 02 | i32 type | 00
 * TCompactProtocol:         82 61 | varint seqid | varint length | name
 *                           18 | varint length | text | 15 | zigzag varint type | 00
 * </pre>
 */
final class ShedMessage {

  private static final int STRICT_EXCEPTION = 0x8001_0000 | TMessageType.EXCEPTION;
  private static final int BINARY_NUMBERS = 27;
  private static final int COMPACT_NUMBERS = 18;
  private static final byte COMPACT_ID = (byte) 0x82;
  private static final byte COMPACT_EXCEPTION = TMessageType.EXCEPTION << 5 | 1;
  private static final byte COMPACT_FIRST_STRING = 0x18;
  private static final byte COMPACT_NEXT_I32 = 0x15;

  private final byte[] name;
  private final Refusal refusal;

  /** The whole, with any seqid. */
  private final byte[] binary;

  /** What follows the seqid, which may have any length. */
  private final byte[] compact;

  /**
   * Prepares the reply.
   *
   * @param name the method's name
   * @param type of the TApplicationException
   * @param refusal what it tells
   */
  ShedMessage(byte[] name, int type, Refusal refusal) {
    this.name = name;
    this.refusal = refusal;
    byte[] text = BreakerOpenException.message(refusal).getBytes(StandardCharsets.UTF_8);
    binary = binary(name, text, type);
    compact = compact(name, text, type);
  }

  private static byte[] binary(byte[] name, byte[] text, int type) {
    byte[] message = new byte[BINARY_NUMBERS + name.length + text.length];
    Bytes.i32(message, 0, STRICT_EXCEPTION);
    Bytes.i32(message, 4, name.length);
    int at = Bytes.append(name, message, 8) + Integer.BYTES;
    message[at] = TType.STRING;
    message[at + 2] = 1;
    Bytes.i32(message, at + 3, text.length);
    at = Bytes.append(text, message, at + 7);
    message[at] = TType.I32;
    message[at + 2] = 2;
    Bytes.i32(message, at + 3, type);
    return message; // with a zero at its end, TType.STOP
  }

  private static byte[] compact(byte[] name, byte[] text, int type) {
    byte[] message = new byte[COMPACT_NUMBERS + name.length + text.length];
    int at = Bytes.varint(message, 0, name.length);
    at = Bytes.append(name, message, at);
    message[at] = COMPACT_FIRST_STRING;
    at = Bytes.varint(message, at + 1, text.length);
    at = Bytes.append(text, message, at);
    message[at] = COMPACT_NEXT_I32;
    at = Bytes.varint(message, at + 1, type << 1 ^ type >> 31);
    return Arrays.copyOf(message, at + 1); // with a zero at its end, TType.STOP
  }

  /** Whether it replies to this method, and tells this very refusal. */
  boolean tells(Refusal other, byte[] method) {
    return refusal == other && name == method;
  }

  /** How many bytes a reply may have. */
  int room() {
    return binary.length; // a compact one is shorter
  }

  /** Writes a reply; returns how long it is. */
  int binary(int seqid, byte[] to) {
    int length = Bytes.append(binary, to, 0);
    Bytes.i32(to, 8 + name.length, seqid);
    return length;
  }

  /** Writes a reply; returns how long it is. */
  int compact(int seqid, byte[] to) {
    to[0] = COMPACT_ID;
    to[1] = COMPACT_EXCEPTION;
    return Bytes.append(compact, to, Bytes.varint(to, 2, seqid));
  }
}
