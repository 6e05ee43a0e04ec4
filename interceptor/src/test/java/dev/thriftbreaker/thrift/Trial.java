package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TConfiguration;
import org.apache.thrift.TException;
import org.apache.thrift.TProcessor;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolUtil;
import org.apache.thrift.protocol.TType;
import org.apache.thrift.transport.TIOStreamTransport;
import org.apache.thrift.transport.TMemoryBuffer;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TTransport;

/**
 * The same bytes go to the bare processor and to the wrapped ones, in memory, the way a server
 * would hand them over, and what comes back is compared.
 *
 * <ul>
 *   <li>Wrapped, with a healthy dependency: the same bytes, the same number of messages served, and
 *       the same end of the connection as bare.
 *   <li>While shed, on a framed transport: a request for a known method whose header is whole gets
 *       the shed reply (none if oneway) whatever follows the header, and the connection goes on
 *       with the next frame. Anything else ends as it does bare.
 *   <li>While shed, elsewhere: a well-formed request that the bare processor could read gets the
 *       shed reply, and as many bytes are read. Of anything else at most the shed reply comes back.
 * </ul>
 */
record Trial(HostileServices services, Wire wire, Language language, Link link) {

  /** How a server reads its connections. */
  enum Link {
    /** As a blocking server, from a stream. */
    STREAM,
    /** As a nonblocking one, a frame at a time once it is all there. */
    FRAME_BY_FRAME
  }

  static final int MAX_SIZE = 1 << 21;

  private record Result(byte[] output, int messages, int unread, Class<?> end) {
    @Override
    public String toString() {
      return messages
          + " messages, "
          + unread
          + " bytes unread, end "
          + (end == null ? "none" : end.getSimpleName())
          + ", output "
          + HexFormat.of().formatHex(output, 0, Math.min(output.length, 500));
    }

    boolean isLike(Result other) {
      return Arrays.equals(output, other.output) && messages == other.messages && end == other.end;
    }
  }

  private static TConfiguration configuration() {
    return new TConfiguration(MAX_SIZE, MAX_SIZE, TConfiguration.DEFAULT_RECURSION_DEPTH);
  }

  boolean isFramed() {
    return wire != Wire.PLAIN;
  }

  byte[] framed(byte[]... messages) {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    for (byte[] message : messages) {
      if (isFramed()) {
        stream.writeBytes(ByteBuffer.allocate(4).putInt(message.length).array());
      }
      stream.writeBytes(message);
    }
    return stream.toByteArray();
  }

  /** Tries a message, well-framed where there are frames, alone and with a valid one after it. */
  void check(byte[] message, byte[] next) {
    checkStream(framed(message));
    checkStream(framed(message, next));
    if (isFramed()) {
      checkShedOfFrame(message, next);
    } else if (language != Language.TUPLE) {
      checkShedOfMessage(message, next);
    }
  }

  /** Tries any bytes, frames and all. */
  void checkStream(byte[] stream) {
    Result bare = serve(services.bare, stream, Integer.MAX_VALUE);
    Result passing = serve(services.passing, stream, Integer.MAX_VALUE);
    if (!passing.isLike(bare)) {
      disagree("wrapped", stream, bare, passing);
    }
    Result shedding = serve(services.shedding, stream, Integer.MAX_VALUE);
    if (shedding.end != null && Error.class.isAssignableFrom(shedding.end)) {
      disagree("shedding", stream, bare, shedding);
    }
  }

  private void checkShedOfFrame(byte[] message, byte[] next) {
    byte[] alone = framed(message);
    Result bare = serve(services.bare, alone, 1);
    Result shed = serve(services.shedding, alone, 1);
    byte[] expected = message.length == 0 ? null : expectedShed(message);
    if (expected == null) {
      if (!shed.isLike(bare)) {
        disagree("not to be shed", alone, bare, shed);
      }
      return;
    }
    Result both = serve(services.shedding, framed(message, next), Integer.MAX_VALUE);
    ByteArrayOutputStream answers = new ByteArrayOutputStream();
    answers.writeBytes(expected);
    answers.writeBytes(expectedShed(next));
    if (!Arrays.equals(both.output, answers.toByteArray()) || both.messages != 2) {
      disagree("shed, and the next", framed(message, next), bare, both);
    }
  }

  private void checkShedOfMessage(byte[] message, byte[] next) {
    byte[] stream = framed(message, next);
    Result bare = serve(services.bare, stream, 1);
    Result shed = serve(services.shedding, stream, 1);
    byte[] expected = expectedShed(message);
    if (expected == null) {
      if (isHeaderWhole(message) && !shed.isLike(bare)) {
        disagree("not to be shed", stream, bare, shed);
      }
    } else if (bare.end == null
        && !isProtocolError(bare.output)
        && isWellFormed(stream, bare.unread)) {
      boolean same = shed.unread == bare.unread && shed.messages == 1;
      if (!same || !Arrays.equals(shed.output, expected)) {
        disagree("shed", stream, bare, shed);
      }
    } else if (shed.output.length > 0 && !Arrays.equals(shed.output, expected)) {
      disagree("shed", stream, bare, shed);
    }
  }

  private boolean isHeaderWhole(byte[] message) {
    try {
      reference(message).readMessageBegin();
      return true;
    } catch (Exception e) {
      return false;
    }
  }

  /**
   * Whether the first message ends where its types say, with that many bytes after it. Generated
   * code knows the types of elements and keys, and does not look at what the message says of them.
   */
  private boolean isWellFormed(byte[] stream, int unread) {
    try {
      TProtocol in = reference(stream);
      in.readMessageBegin();
      TProtocolUtil.skip(in, TType.STRUCT, 100_000);
      in.readMessageEnd();
      return in.getTransport().getBytesRemainingInBuffer() == unread;
    } catch (Exception e) {
      return false;
    }
  }

  /** The shed reply to a message; null if it is not to be shed. */
  private byte[] expectedShed(byte[] message) {
    TMessage header;
    try {
      header = reference(message).readMessageBegin();
    } catch (Exception e) {
      return null;
    }
    boolean request = header.type == TMessageType.CALL || header.type == TMessageType.ONEWAY;
    if (!request || !services.methods.contains(header.name)) {
      return null;
    }
    if (header.type == TMessageType.ONEWAY || services.oneway.contains(header.name)) {
      return new byte[0];
    }
    String name = header.name.substring(header.name.indexOf(':') + 1);
    return framed(
        HostileServices.message(
            language,
            "",
            out -> {
              out.writeMessageBegin(new TMessage(name, TMessageType.EXCEPTION, header.seqid));
              new TApplicationException(11, HostileServices.SHED).write(out);
              out.writeMessageEnd();
            }));
  }

  private TProtocol reference(byte[] message) throws TException {
    return language.over(new TMemoryInputTransport(configuration(), message));
  }

  private boolean isProtocolError(byte[] output) {
    if (output.length == 0) {
      return false;
    }
    try {
      TProtocol reply = reference(output);
      if (reply.readMessageBegin().type != TMessageType.EXCEPTION) {
        return false;
      }
      TApplicationException exception = new TApplicationException();
      exception.read(reply);
      return exception.getType() == TApplicationException.PROTOCOL_ERROR;
    } catch (TException e) {
      throw new AssertionError("unreadable reply " + HexFormat.of().formatHex(output), e);
    }
  }

  private Result serve(TProcessor processor, byte[] stream, int limit) {
    try {
      return link == Link.STREAM
          ? serveStream(processor, stream, limit)
          : serveFrames(processor, stream, limit);
    } catch (TException e) {
      throw new AssertionError(e);
    }
  }

  /** As TThreadPoolServer does. */
  private Result serveStream(TProcessor processor, byte[] stream, int limit) throws TException {
    ByteArrayInputStream input = new ByteArrayInputStream(stream);
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    TTransport socket = new TIOStreamTransport(configuration(), input, output);
    TProtocol in = language.over(wire.over(socket));
    TProtocol out = language.over(wire.over(socket));
    int messages = 0;
    Class<?> end = null;
    while (end == null && messages < limit) {
      end = process(processor, in, out);
      messages += end == null ? 1 : 0;
      assertThat(messages).as("a message has a byte at least").isLessThanOrEqualTo(stream.length);
    }
    return new Result(output.toByteArray(), messages, input.available(), end);
  }

  /** As AbstractNonblockingServer does. */
  private Result serveFrames(TProcessor processor, byte[] stream, int limit) throws TException {
    TMemoryInputTransport input = new TMemoryInputTransport(configuration());
    TMemoryBuffer response = new TMemoryBuffer(256);
    TProtocol in = language.over(wire.over(input));
    TProtocol out = language.over(wire.over(response));
    int messages = 0;
    int at = 0;
    Class<?> end = null;
    while (end == null && messages < limit && stream.length - at >= 4) {
      int size = ByteBuffer.wrap(stream, at, 4).getInt();
      if (size <= 0 || size > MAX_SIZE || size > stream.length - at - 4) {
        break;
      }
      input.reset(stream, at, size + 4);
      at += size + 4;
      end = process(processor, in, out);
      messages += end == null ? 1 : 0;
    }
    byte[] output = Arrays.copyOf(response.getArray(), response.length());
    return new Result(output, messages, stream.length - at, end);
  }

  private static Class<?> process(TProcessor processor, TProtocol in, TProtocol out) {
    try {
      processor.process(in, out);
      return null;
    } catch (Throwable thrown) {
      return thrown.getClass();
    }
  }

  private void disagree(String what, byte[] stream, Result bare, Result wrapped) {
    fail(
        "%s, %s %s %s, bytes %s%nbare:    %s%nwrapped: %s",
        what,
        wire,
        language,
        link,
        HexFormat.of().formatHex(stream, 0, Math.min(stream.length, 4_000)),
        bare,
        wrapped);
  }
}
