package dev.thriftbreaker.thrift;

import dev.thriftbreaker.breaker.Refusal;
import java.nio.charset.StandardCharsets;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TType;
import org.apache.thrift.transport.TTransport;

/**
 * Writes the default reply to a request that is shed in one piece, without an object for it, where
 * the layout of the server's protocol is known. One object serves many requests, one after the
 * other on one thread, and remembers what they have in common.
 *
 * <pre>
 * TBinaryProtocol, strict:  80 01 00 03 | i32 length | name | i32 seqid
 *                           0b 00 01 | i32 length | message | 08 00 02 | i32 type | 00
 * TCompactProtocol:         82 61 | varint seqid | varint length | name
 *                           18 | varint length | message | 15 | zigzag varint type | 00
 * </pre>
 */
final class ShedBytes {

  private static final int STRICT_EXCEPTION = 0x8001_0000 | TMessageType.EXCEPTION;
  private static final int BINARY_NUMBERS = 27;
  private static final int COMPACT_NUMBERS = 25;
  private static final byte COMPACT_ID = (byte) 0x82;
  private static final byte COMPACT_EXCEPTION = TMessageType.EXCEPTION << 5 | 1;
  private static final byte COMPACT_FIRST_STRING = 0x18;
  private static final byte COMPACT_NEXT_I32 = 0x15;

  private byte[] buffer = {};
  private int at;

  // what the last refusal was, and its message up to the time
  private String breaker;
  private String reason;
  private byte[] beginning;

  /**
   * Writes the reply.
   *
   * @param name the method's name
   * @return false if nothing was written, because the layout is not known
   */
  boolean write(TProtocol out, byte[] name, int seqid, int type, Refusal refusal)
      throws TException {
    Class<?> language = out.getClass();
    boolean compact = language == TCompactProtocol.class;
    boolean binary =
        language == TBinaryProtocol.class && Hidden.writesStrictBinary((TBinaryProtocol) out);
    long millis = refusal.retryAfterMillis();
    if (!compact && !binary || millis < 0) {
      return false;
    }
    remember(refusal);
    int digits = digits(millis);
    int most = name.length + beginning.length + digits + Math.max(BINARY_NUMBERS, COMPACT_NUMBERS);
    if (buffer.length < most) {
      buffer = new byte[most];
    }
    at = 0;
    if (binary) {
      binary(name, seqid, type, millis, digits);
    } else {
      compact(name, seqid, type, millis, digits);
    }
    TTransport transport = out.getTransport();
    transport.write(buffer, 0, at);
    transport.flush();
    return true;
  }

  private void binary(byte[] name, int seqid, int type, long millis, int digits) {
    i32(STRICT_EXCEPTION);
    i32(name.length);
    bytes(name);
    i32(seqid);
    field(TType.STRING, 1);
    i32(beginning.length + digits);
    bytes(beginning);
    decimal(millis, digits);
    field(TType.I32, 2);
    i32(type);
    put(TType.STOP);
  }

  private void compact(byte[] name, int seqid, int type, long millis, int digits) {
    put(COMPACT_ID);
    put(COMPACT_EXCEPTION);
    varint(seqid);
    varint(name.length);
    bytes(name);
    put(COMPACT_FIRST_STRING);
    varint(beginning.length + digits);
    bytes(beginning);
    decimal(millis, digits);
    put(COMPACT_NEXT_I32);
    varint(type << 1 ^ type >> 31);
    put(TType.STOP);
  }

  /** The names of breakers and reasons are few, and each is one object. */
  private void remember(Refusal refusal) {
    if (refusal.breaker() != breaker || refusal.reason() != reason) {
      String message = BreakerOpenException.message(refusal);
      breaker = refusal.breaker();
      reason = refusal.reason();
      beginning =
          message.substring(0, message.lastIndexOf('=') + 1).getBytes(StandardCharsets.UTF_8);
    }
  }

  private void field(byte type, int id) {
    put(type);
    put((byte) (id >> 8));
    put((byte) id);
  }

  private void put(byte value) {
    buffer[at++] = value;
  }

  private void bytes(byte[] all) {
    System.arraycopy(all, 0, buffer, at, all.length);
    at += all.length;
  }

  private void i32(int value) {
    Bytes.i32(buffer, at, value);
    at += Integer.BYTES;
  }

  private void varint(int value) {
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      put((byte) (rest & 0x7f | 0x80));
      rest >>>= 7;
    }
    put((byte) rest);
  }

  private void decimal(long number, int digits) {
    long rest = number;
    for (int i = at + digits - 1; i >= at; i--) {
      buffer[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    at += digits;
  }

  private static int digits(long number) {
    int digits = 1;
    for (long rest = number; rest >= 10; rest /= 10) {
      digits++;
    }
    return digits;
  }
}
