package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.thrift.protocol.TType;

/**
 * What follows the header in the default reply to requests that are shed: the same for all that are
 * told the same refusal. Immutable.
 *
 * <pre>
 * TBinaryProtocol:   0b 00 01 | i32 length | message | 08 00 02 | i32 type | 00
 * TCompactProtocol:  18 | varint length | message | 15 | zigzag varint type | 00
 * </pre>
 */
final class ShedBody {

  private static final int BINARY_NUMBERS = 15;
  private static final int COMPACT_NUMBERS = 13;
  private static final byte COMPACT_FIRST_STRING = 0x18;
  private static final byte COMPACT_NEXT_I32 = 0x15;

  final Refusal refusal;
  final byte[] binary;
  final byte[] compact;

  ShedBody(int type, Refusal refusal) {
    this.refusal = refusal;
    byte[] message = BreakerOpenException.message(refusal).getBytes(StandardCharsets.UTF_8);
    binary = binary(type, message);
    compact = compact(type, message);
  }

  private static byte[] binary(int type, byte[] message) {
    byte[] body = new byte[BINARY_NUMBERS + message.length];
    body[0] = TType.STRING;
    body[2] = 1;
    Bytes.i32(body, 3, message.length);
    System.arraycopy(message, 0, body, 7, message.length);
    int at = 7 + message.length;
    body[at] = TType.I32;
    body[at + 2] = 2;
    Bytes.i32(body, at + 3, type);
    return body; // and a zero, TType.STOP
  }

  private static byte[] compact(int type, byte[] message) {
    byte[] body = new byte[COMPACT_NUMBERS + message.length];
    body[0] = COMPACT_FIRST_STRING;
    int at = Bytes.varint(body, 1, message.length);
    System.arraycopy(message, 0, body, at, message.length);
    at += message.length;
    body[at] = COMPACT_NEXT_I32;
    at = Bytes.varint(body, at + 1, type << 1 ^ type >> 31);
    return Arrays.copyOf(body, at + 1); // with a zero, TType.STOP
  }
}
