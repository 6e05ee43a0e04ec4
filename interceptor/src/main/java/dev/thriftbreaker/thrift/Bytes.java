package dev.thriftbreaker.thrift;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers in arrays of bytes, as they are on the wire. */
final class Bytes {

  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle I64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private Bytes() {}

  static int i32(byte[] buffer, int at) {
    return (int) I32.get(buffer, at);
  }

  static void i32(byte[] buffer, int at, int value) {
    I32.set(buffer, at, value);
  }

  /** Writes a number as compact protocols do, in 1 to 5 bytes; returns where it ends. */
  static int varint(byte[] buffer, int at, int value) {
    int end = at;
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      buffer[end++] = (byte) (rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    buffer[end++] = (byte) rest;
    return end;
  }

  /** Writes bytes; returns where they end. */
  static int append(byte[] bytes, byte[] buffer, int at) {
    System.arraycopy(bytes, 0, buffer, at, bytes.length);
    return at + bytes.length;
  }

  static long i64(byte[] buffer, int at) {
    return (long) I64.get(buffer, at);
  }
}
