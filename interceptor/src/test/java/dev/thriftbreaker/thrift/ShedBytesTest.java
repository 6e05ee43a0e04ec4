package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.breaker.Refusal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TJSONProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TMemoryBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShedBytesTest {

  private static final int[] NUMBERS = {
    0, 1, 11, -1, 63, 64, 127, 128, 1 << 14, Integer.MAX_VALUE, Integer.MIN_VALUE
  };

  private final ShedBytes bytes = new ShedBytes();

  @ParameterizedTest
  @ValueSource(strings = {"binary", "compact"})
  void writesWhatTheProtocolWouldWrite(String language) throws TException {
    TProtocolFactory factory =
        language.equals("binary") ? new TBinaryProtocol.Factory() : new TCompactProtocol.Factory();
    for (String method : new String[] {"touch", "m".repeat(300), "größe"}) {
      for (int number : NUMBERS) {
        for (long nanos : new long[] {0, 1, 9_000_000, 10_000_000, 86_400_000_000_000L}) {
          // given
          Refusal refusal = new Refusal("stock-" + number % 3, "OPEN", nanos);
          TMemoryBuffer expected = new TMemoryBuffer(64);
          ErrorReply.write(
              factory.getProtocol(expected),
              method,
              number,
              number,
              BreakerOpenException.message(refusal));

          // when
          TMemoryBuffer actual = new TMemoryBuffer(64);
          byte[] name = method.getBytes(StandardCharsets.UTF_8);
          ShedMessage message = new ShedMessage(name, number, refusal);
          boolean written = bytes.write(factory.getProtocol(actual), number, message);

          // then
          assertThat(written).isTrue();
          assertThat(content(actual)).isEqualTo(content(expected));
        }
      }
    }
  }

  @Test
  void leavesProtocolsOfOtherLayoutsAlone() throws TException {
    TMemoryBuffer buffer = new TMemoryBuffer(64);
    ShedMessage message = new ShedMessage(new byte[1], 11, new Refusal("stock", "OPEN", 1));

    assertThat(bytes.write(new TJSONProtocol(buffer), 1, message)).isFalse();
    assertThat(bytes.write(new TBinaryProtocol(buffer, false, false), 1, message)).isFalse();
    assertThat(bytes.write(new TBinaryProtocol(buffer) {}, 1, message)).isFalse();
    assertThat(buffer.length()).isZero();
  }

  private static byte[] content(TMemoryBuffer buffer) {
    return Arrays.copyOf(buffer.getArray(), buffer.length());
  }
}
