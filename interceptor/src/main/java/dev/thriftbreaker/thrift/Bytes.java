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

  static long i64(byte[] buffer, int at) {
    return (long) I64.get(buffer, at);
  }
}
