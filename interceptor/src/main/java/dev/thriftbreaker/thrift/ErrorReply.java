package dev.thriftbreaker.thrift;

import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TField;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TStruct;
import org.apache.thrift.protocol.TType;

/** Writes the reply that is a TApplicationException, without making one. */
final class ErrorReply {

  private static final TStruct STRUCT = new TStruct("TApplicationException");
  private static final TField MESSAGE = new TField("message", TType.STRING, (short) 1);
  private static final TField TYPE = new TField("type", TType.I32, (short) 2);

  private ErrorReply() {}

  /** What generated code answers when a handler fails in a way that the IDL does not declare. */
  static void writeInternalError(TProtocol out, String method, int seqid) throws TException {
    String message = "Internal error processing " + method;
    write(out, method, seqid, TApplicationException.INTERNAL_ERROR, message);
  }

  static void write(TProtocol out, String method, int seqid, int type, String message)
      throws TException {
    out.writeMessageBegin(new TMessage(method, TMessageType.EXCEPTION, seqid));
    out.writeStructBegin(STRUCT);
    out.writeFieldBegin(MESSAGE);
    out.writeString(message);
    out.writeFieldEnd();
    out.writeFieldBegin(TYPE);
    out.writeI32(type);
    out.writeFieldEnd();
    out.writeFieldStop();
    out.writeStructEnd();
    out.writeMessageEnd();
    out.getTransport().flush();
  }
}
