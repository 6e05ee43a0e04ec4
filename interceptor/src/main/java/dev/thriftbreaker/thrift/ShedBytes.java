package dev.thriftbreaker.thrift;

import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TTransport;

/**
 * Writes the default reply to a request that is shed in one piece, without an object for it, where
 * the layout of the server's protocol is known. One object serves many requests, one after the
 * other on one thread.
 */
final class ShedBytes {

  private byte[] buffer = {};

  /**
   * Writes the reply.
   *
   * @return false if nothing was written, because the layout is not known
   */
  boolean write(TProtocol out, int seqid, ShedMessage message) throws TException {
    Class<?> language = out.getClass();
    boolean compact = language == TCompactProtocol.class;
    boolean binary =
        language == TBinaryProtocol.class && Hidden.writesStrictBinary((TBinaryProtocol) out);
    if (!compact && !binary) {
      return false;
    }
    if (buffer.length < message.room()) {
      buffer = new byte[message.room()];
    }
    int length = compact ? message.compact(seqid, buffer) : message.binary(seqid, buffer);
    TTransport transport = out.getTransport();
    transport.write(buffer, 0, length);
    transport.flush();
    return true;
  }
}
