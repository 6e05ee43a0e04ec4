package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.gen.Warehouse;
import java.util.List;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.TTransportException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the request path relies on libthrift to do. A new version that does otherwise shows here.
 */
class LibthriftFactsTest {

  @ParameterizedTest
  @EnumSource(names = {"FRAMED", "FAST_FRAMED"})
  void aReadOfNoBytesLoadsTheNextFrameIntoAnEmptyBuffer(Wire wire) throws TTransportException {
    // given
    TMemoryBuffer buffer = new TMemoryBuffer(64);
    TTransport writer = wire.over(buffer);
    writer.write(new byte[] {1, 2, 3});
    writer.flush();
    TTransport reader = wire.over(buffer);
    assertThat(reader.getBytesRemainingInBuffer()).isZero();

    // when
    reader.read(new byte[0], 0, 0);

    // then
    assertThat(reader.getBytesRemainingInBuffer()).isEqualTo(3);
    assertThat(reader.getBufferPosition()).isZero();
    assertThat(reader.getBuffer()).startsWith(1, 2, 3);
  }

  @ParameterizedTest
  @EnumSource(names = {"FRAMED", "FAST_FRAMED"})
  void aFrameBoundsWhatMayBeReadUntilTheNextOneWhenItIsPassedOver(Wire wire)
      throws TTransportException {
    // given a small frame and a larger one
    TMemoryBuffer buffer = new TMemoryBuffer(64);
    TTransport writer = wire.over(buffer);
    for (int size : List.of(3, 300)) {
      writer.write(new byte[size]);
      writer.flush();
    }
    TTransport reader = wire.over(buffer);

    // when
    reader.read(new byte[0], 0, 0);
    assertThatThrownBy(() -> reader.checkReadBytesAvailable(4))
        .isInstanceOf(TTransportException.class);
    reader.consumeBuffer(reader.getBytesRemainingInBuffer());
    reader.read(new byte[0], 0, 0);

    // then
    reader.checkReadBytesAvailable(300);
    assertThat(reader.getBytesRemainingInBuffer()).isEqualTo(300);
  }

  @Test
  void aGeneratedClientMarksOnewayRequests() throws TException {
    TMemoryBuffer buffer = new TMemoryBuffer(64);

    new Warehouse.Client(new TBinaryProtocol(buffer)).send_note("text");

    assertThat(new TBinaryProtocol(buffer).readMessageBegin().type).isEqualTo(TMessageType.ONEWAY);
  }

  @Test
  void aGeneratedProcessorTellsWhichMethodsAreOneway() {
    Warehouse.Processor<?> processor = new Warehouse.Processor<>(new WarehouseHandler(null));

    assertThat(processor.getProcessMapView().get("note").isOneway()).isTrue();
    assertThat(processor.getProcessMapView().get("place").isOneway()).isFalse();
  }

  @Test
  void anAsynchronousProcessorTakenForASynchronousOneDoesNothing() throws TException {
    // given
    TMemoryBuffer in = new TMemoryBuffer(64);
    TMemoryBuffer out = new TMemoryBuffer(64);
    new Warehouse.Client(new TBinaryProtocol(in)).send_note("text");
    TProcessor processor = new Warehouse.AsyncProcessor<Warehouse.AsyncIface>(null);

    // when
    processor.process(new TBinaryProtocol(in), new TBinaryProtocol(out));

    // then
    assertThat(out.length()).isZero();
    assertThat(new TBinaryProtocol(in).readMessageBegin().name).isEqualTo("note");
  }
}
