package dev.thriftbreaker.thrift;

import org.apache.thrift.TException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TJSONProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.protocol.TProtocolUtil;
import org.apache.thrift.protocol.TTupleProtocol;
import org.apache.thrift.protocol.TType;
import org.apache.thrift.transport.AutoExpandingBufferReadTransport;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.layered.TFastFramedTransport;
import org.apache.thrift.transport.layered.TFramedTransport;

/**
 * What is known of the transports that hold a whole message in memory. Exact classes only: a
 * subclass may do anything.
 */
final class Frame {

  /** How deep a message is passed over at the usual limit; a stack of 192 KiB is enough. */
  private static final int SKIPPED_DEPTH = 512;

  private Frame() {}

  /** Whether the transport's buffer holds one message, the whole of it, and shows it. */
  static boolean isHeldBy(TTransport transport) {
    return isLoadedBy(transport)
        || transport.getClass() == TMemoryInputTransport.class
        || transport.getClass() == AutoExpandingBufferReadTransport.class;
  }

  /** Whether a read of no bytes makes the transport fill its empty buffer with the next frame. */
  static boolean isLoadedBy(TTransport transport) {
    return transport.getClass() == TFramedTransport.class
        || transport.getClass() == TFastFramedTransport.class;
  }

  /**
   * Passes over the rest of a message, whose header may have been read or not where the transport
   * holds a frame, and must have been elsewhere. A frame is taken to hold one message, as all of
   * Apache Thrift's clients send it: what is left in it is dropped.
   */
  static void discardMessage(TProtocol in) throws TException {
    TTransport transport = in.getTransport();
    if (isHeldBy(transport) && isForgetful(in.getClass())) {
      transport.consumeBuffer(transport.getBytesRemainingInBuffer());
      in.reset();
    } else {
      // not in.skip(): a protocol's own version may trust a negative length and never end
      try {
        TProtocolUtil.skip(in, TType.STRUCT, skippedDepth(transport));
      } catch (TProtocolException e) {
        // unreadable: answered all the same, as generated code does
      }
      in.readMessageEnd();
    }
  }

  /**
   * At least as deep as generated code may read: that counts structs only, not the containers
   * around them, and skips unknown fields with the whole limit from where it stands.
   */
  private static int skippedDepth(TTransport transport) {
    return Math.max(SKIPPED_DEPTH, 2 * transport.getConfiguration().getRecursionLimit());
  }

  /** Whether a reset makes the protocol forget a message that was left half read. */
  private static boolean isForgetful(Class<?> protocol) {
    return protocol == TBinaryProtocol.class
        || protocol == TCompactProtocol.class
        || protocol == TJSONProtocol.class
        || protocol == TTupleProtocol.class;
  }
}
