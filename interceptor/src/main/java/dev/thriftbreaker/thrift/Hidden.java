package dev.thriftbreaker.thrift;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.transport.TMemoryInputTransport;
import org.apache.thrift.transport.TMemoryTransport;
import org.apache.thrift.transport.TSaslServerTransport;
import org.apache.thrift.transport.TTransport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What libthrift keeps to itself and shows by no method. Where it cannot be had, because another
 * version of libthrift has it otherwise, requests take the longer way.
 */
final class Hidden {

  private static final Logger log = LoggerFactory.getLogger(Hidden.class);

  private static final VarHandle SASL_INPUT =
      field(TSaslServerTransport.class.getSuperclass(), "readBuffer", TMemoryInputTransport.class);
  private static final VarHandle MEMORY_INPUT =
      field(TMemoryTransport.class, "inputBuffer", ByteBuffer.class);
  private static final VarHandle STRICT_READ =
      field(TBinaryProtocol.class, "strictRead_", boolean.class);
  private static final VarHandle STRICT_WRITE =
      field(TBinaryProtocol.class, "strictWrite_", boolean.class);

  private Hidden() {}

  static boolean showsSasl() {
    return SASL_INPUT != null;
  }

  static boolean showsMemory() {
    return MEMORY_INPUT != null;
  }

  /** The frame that was unwrapped last; only if {@link #showsSasl}. */
  static TMemoryInputTransport saslInput(TTransport transport) {
    return (TMemoryInputTransport) SASL_INPUT.get((TSaslServerTransport) transport);
  }

  /** What there is to read; only if {@link #showsMemory}. */
  static ByteBuffer memoryInput(TTransport transport) {
    return (ByteBuffer) MEMORY_INPUT.get((TMemoryTransport) transport);
  }

  /** Whether the protocol is known to read also what clients of old wrote. */
  static boolean readsOldBinary(TBinaryProtocol protocol) {
    return STRICT_READ != null && !(boolean) STRICT_READ.get(protocol);
  }

  /** Whether the protocol is known to write as servers of today do. */
  static boolean writesStrictBinary(TBinaryProtocol protocol) {
    return STRICT_WRITE != null && (boolean) STRICT_WRITE.get(protocol);
  }

  private static VarHandle field(Class<?> owner, String name, Class<?> type) {
    try {
      return MethodHandles.privateLookupIn(owner, MethodHandles.lookup())
          .findVarHandle(owner, name, type);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      log.warn("{}.{} cannot be read; its requests take a longer way", owner.getName(), name, e);
      return null;
    }
  }
}
