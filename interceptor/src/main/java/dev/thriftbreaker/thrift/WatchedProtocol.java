package dev.thriftbreaker.thrift;

import java.nio.ByteBuffer;
import java.util.UUID;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TField;
import org.apache.thrift.protocol.TList;
import org.apache.thrift.protocol.TMap;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolException;
import org.apache.thrift.protocol.TSet;
import org.apache.thrift.protocol.TStruct;
import org.apache.thrift.scheme.IScheme;
import org.apache.thrift.transport.TTransport;

/**
 * Passes everything on to a protocol of any class and tells a watch, which costs a call more for
 * each field. Unlike a TProtocolDecorator it can be put over another protocol, so a thread needs
 * one and not one for each request. Used by one thread.
 */
final class WatchedProtocol extends TProtocol {

  private final ReplyWatch watch;
  private TProtocol out;

  WatchedProtocol(ReplyWatch watch) {
    super(null);
    this.watch = watch;
  }

  WatchedProtocol over(TProtocol target) {
    out = target;
    return this;
  }

  void clear() {
    out = null;
  }

  /** Whether a message was read to its end. */
  boolean isRead() {
    return watch.isRead();
  }

  @Override
  public void writeMessageBegin(TMessage message) throws TException {
    watch.begin(message.type);
    out.writeMessageBegin(message);
  }

  @Override
  public void writeString(String value) throws TException {
    watch.string(value);
    out.writeString(value);
  }

  @Override
  public void writeI32(int value) throws TException {
    watch.number(value);
    out.writeI32(value);
  }

  @Override
  public void readMessageEnd() throws TException {
    out.readMessageEnd();
    watch.read();
  }

  // everything else is passed on

  @Override
  public TTransport getTransport() {
    return out.getTransport();
  }

  @Override
  @SuppressWarnings("rawtypes") // as inherited
  public Class<? extends IScheme> getScheme() {
    return out.getScheme();
  }

  @Override
  public void reset() {
    out.reset();
  }

  @Override
  public void incrementRecursionDepth() throws TProtocolException {
    out.incrementRecursionDepth();
  }

  @Override
  public void decrementRecursionDepth() {
    out.decrementRecursionDepth();
  }

  @Override
  public int getMinSerializedSize(byte fieldType) throws TException {
    return out.getMinSerializedSize(fieldType);
  }

  @Override
  public void skip(byte fieldType) throws TException {
    out.skip(fieldType);
  }

  @Override
  public void skip(byte fieldType, int maxDepth) throws TException {
    out.skip(fieldType, maxDepth);
  }

  @Override
  public void writeMessageEnd() throws TException {
    out.writeMessageEnd();
  }

  @Override
  public void writeStructBegin(TStruct struct) throws TException {
    out.writeStructBegin(struct);
  }

  @Override
  public void writeStructEnd() throws TException {
    out.writeStructEnd();
  }

  @Override
  public void writeFieldBegin(TField field) throws TException {
    out.writeFieldBegin(field);
  }

  @Override
  public void writeFieldEnd() throws TException {
    out.writeFieldEnd();
  }

  @Override
  public void writeFieldStop() throws TException {
    out.writeFieldStop();
  }

  @Override
  public void writeMapBegin(TMap map) throws TException {
    out.writeMapBegin(map);
  }

  @Override
  public void writeMapEnd() throws TException {
    out.writeMapEnd();
  }

  @Override
  public void writeListBegin(TList list) throws TException {
    out.writeListBegin(list);
  }

  @Override
  public void writeListEnd() throws TException {
    out.writeListEnd();
  }

  @Override
  public void writeSetBegin(TSet set) throws TException {
    out.writeSetBegin(set);
  }

  @Override
  public void writeSetEnd() throws TException {
    out.writeSetEnd();
  }

  @Override
  public void writeBool(boolean value) throws TException {
    out.writeBool(value);
  }

  @Override
  public void writeByte(byte value) throws TException {
    out.writeByte(value);
  }

  @Override
  public void writeI16(short value) throws TException {
    out.writeI16(value);
  }

  @Override
  public void writeI64(long value) throws TException {
    out.writeI64(value);
  }

  @Override
  public void writeUuid(UUID value) throws TException {
    out.writeUuid(value);
  }

  @Override
  public void writeDouble(double value) throws TException {
    out.writeDouble(value);
  }

  @Override
  public void writeBinary(ByteBuffer value) throws TException {
    out.writeBinary(value);
  }

  @Override
  public TMessage readMessageBegin() throws TException {
    return out.readMessageBegin();
  }

  @Override
  public TStruct readStructBegin() throws TException {
    return out.readStructBegin();
  }

  @Override
  public void readStructEnd() throws TException {
    out.readStructEnd();
  }

  @Override
  public TField readFieldBegin() throws TException {
    return out.readFieldBegin();
  }

  @Override
  public void readFieldEnd() throws TException {
    out.readFieldEnd();
  }

  @Override
  public TMap readMapBegin() throws TException {
    return out.readMapBegin();
  }

  @Override
  public void readMapEnd() throws TException {
    out.readMapEnd();
  }

  @Override
  public TList readListBegin() throws TException {
    return out.readListBegin();
  }

  @Override
  public void readListEnd() throws TException {
    out.readListEnd();
  }

  @Override
  public TSet readSetBegin() throws TException {
    return out.readSetBegin();
  }

  @Override
  public void readSetEnd() throws TException {
    out.readSetEnd();
  }

  @Override
  public boolean readBool() throws TException {
    return out.readBool();
  }

  @Override
  public byte readByte() throws TException {
    return out.readByte();
  }

  @Override
  public short readI16() throws TException {
    return out.readI16();
  }

  @Override
  public int readI32() throws TException {
    return out.readI32();
  }

  @Override
  public long readI64() throws TException {
    return out.readI64();
  }

  @Override
  public UUID readUuid() throws TException {
    return out.readUuid();
  }

  @Override
  public double readDouble() throws TException {
    return out.readDouble();
  }

  @Override
  public String readString() throws TException {
    return out.readString();
  }

  @Override
  public ByteBuffer readBinary() throws TException {
    return out.readBinary();
  }

  @Override
  public int readFieldBeginData() throws TException {
    return out.readFieldBeginData();
  }
}
