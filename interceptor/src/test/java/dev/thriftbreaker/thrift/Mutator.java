package dev.thriftbreaker.thrift;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damages bytes at random. */
final class Mutator {

  private static final byte[] BYTES = {0, 1, 2, 3, 4, 8, 10, 11, 12, 13, 14, 15, 16, 127, -128, -1};
  private static final int[] LENGTHS = {
    0, 1, 2, 255, 65_536, 1 << 20, 1 << 24, Integer.MAX_VALUE, -1, -2, -7, -256, Integer.MIN_VALUE
  };

  private final Random random;

  Mutator(Random random) {
    this.random = random;
  }

  /** One to four changes of the bytes, which stay as they are; others are what to splice with. */
  byte[] mutate(byte[] bytes, List<byte[]> others) {
    byte[] mutated = bytes.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      mutated = mutateOnce(mutated, others);
    }
    return mutated;
  }

  private byte[] mutateOnce(byte[] bytes, List<byte[]> others) {
    int length = bytes.length;
    int at = random.nextInt(length + 1);
    int span = Math.min(length - at, random.nextInt(8));
    switch (random.nextInt(10)) {
      case 0:
        return random.nextBoolean() ? Arrays.copyOf(bytes, at) : replaced(bytes, at, span, none());
      case 1:
        return replaced(bytes, at, 0, someBytes());
      case 2:
        return replaced(bytes, at, span, someBytes());
      case 3:
        byte[] other = others.get(random.nextInt(others.size()));
        int from = random.nextInt(other.length);
        return replaced(bytes, at, length - at, Arrays.copyOfRange(other, from, other.length));
      case 4: // a part twice
        return replaced(bytes, at, 0, Arrays.copyOfRange(bytes, at, at + span));
      case 5: // a length
        byte[] number = i32(LENGTHS[random.nextInt(LENGTHS.length)]);
        return replaced(bytes, at, Math.min(4, length - at), number);
      case 6: // a length of the other kind
        return replaced(bytes, at, Math.min(1, length - at), varint());
      case 7: // a digit, where there are digits
        return replaced(bytes, at, 0, new byte[] {(byte) ('0' + random.nextInt(10))});
      default:
        if (at < length) {
          bytes[at] =
              random.nextBoolean()
                  ? (byte) (bytes[at] ^ 1 << random.nextInt(8))
                  : BYTES[random.nextInt(BYTES.length)];
        }
        return bytes;
    }
  }

  private byte[] someBytes() {
    byte[] some = new byte[1 + random.nextInt(random.nextInt(20) == 0 ? 300 : 6)];
    random.nextBytes(some);
    return some;
  }

  private byte[] varint() {
    byte[] varint = new byte[1 + random.nextInt(6)];
    Arrays.fill(varint, (byte) 0xff);
    varint[varint.length - 1] = (byte) random.nextInt(128);
    return varint;
  }

  private static byte[] none() {
    return new byte[0];
  }

  private static byte[] i32(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  private static byte[] replaced(byte[] bytes, int at, int span, byte[] with) {
    byte[] result = Arrays.copyOf(bytes, bytes.length - span + with.length);
    System.arraycopy(with, 0, result, at, with.length);
    System.arraycopy(bytes, at + span, result, at + with.length, bytes.length - at - span);
    return result;
  }
}
