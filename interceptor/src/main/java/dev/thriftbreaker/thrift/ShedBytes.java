package dev.thriftbreaker.thrift;

import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TTransport;

/**
 * Writes the default reply to a request that is shed in one piece, without an object for it, where
 * the layout of the server's protocol is known. One object serves many requests, one after the
 * other on one thread.
 *
 * <pre>
 * TBinaryProtocol, strict:  80 01 00 03 | i32 length | name | i32 seqid | body
 * TCompactProtocol:         82 61 | varint seqid | varint length | name | body
 * </pre>
 */
final class ShedBytes {

  private static final int STRICT_EXCEPTION = 0x8001_0000 | TMessageType.EXCEPTION;
  private static final int NUMBERS = 12;
  private static final byte COMPACT_ID = (byte) 0x82;
  private static final byte COMPACT_EXCEPTION = TMessageType.EXCEPTION << 5 | 1;

  private byte[] buffer = {};

  /**
   * Writes the reply.
   *
   * @param name the method's name
   * @return false if nothing was written, because the layout is not known
   */
  boolean write(TProtocol out, byte[] name, int seqid, ShedBody body) throws TException {
    Class<?> language = out.getClass();
    int length;
    if (language == TCompactProtocol.class) {
      length = compact(name, seqid, body.compact);
    } else if (language == TBinaryProtocol.class
        && Hidden.writesStrictBinary((TBinaryProtocol) out)) {
      length = binary(name, seqid, body.binary);
    } else {
      return false;
    }
    TTransport transport = out.getTransport();
    transport.write(buffer, 0, length);
    transport.flush();
    return true;
  }

  private int binary(byte[] name, int seqid, byte[] body) {
    byte[] reply = room(name, body);
    Bytes.i32(reply, 0, STRICT_EXCEPTION);
    Bytes.i32(reply, 4, name.length);
    int at = append(name, reply, 8);
    Bytes.i32(reply, at, seqid);
    return append(body, reply, at + Integer.BYTES);
  }

  private int compact(byte[] name, int seqid, byte[] body) {
    byte[] reply = room(name, body);
    reply[0] = COMPACT_ID;
    reply[1] = COMPACT_EXCEPTION;
    int at = Bytes.varint(reply, 2, seqid);
    at = Bytes.varint(reply, at, name.length);
    at = append(name, reply, at);
    return append(body, reply, at);
  }

  private byte[] room(byte[] name, byte[] body) {
    int most = NUMBERS + name.length + body.length;
    if (buffer.length < most) {
      buffer = new byte[most];
    }
    return buffer;
  }

  /** Returns where the bytes end. */
  private static int append(byte[] bytes, byte[] to, int at) {
    System.arraycopy(bytes, 0, to, at, bytes.length);
    return at + bytes.length;
  }
}
