package dev.thriftbreaker.thrift;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A class file, as much of one as guards need: chapter 4 of the Java Virtual Machine Specification
 * has the format.
 */
final class ClassFile {

  /** Of Java 17. */
  private static final int VERSION = 61;

  private static final int UTF8 = 1;
  private static final int CLASS = 7;
  private static final int FIELD = 9;
  private static final int METHOD = 10;
  private static final int INTERFACE_METHOD = 11;
  private static final int NAME_AND_TYPE = 12;

  private static final int FINAL_SUPER_SYNTHETIC = 0x1030;
  private static final int PUBLIC = 1;

  private final Map<List<Object>, Integer> constants = new HashMap<>();
  private final Bytes pool = new Bytes();
  private final Bytes methods = new Bytes();
  private int methodCount;

  /** Big-endian numbers. */
  static final class Bytes extends ByteArrayOutputStream {

    Bytes u1(int value) {
      write(value);
      return this;
    }

    Bytes u2(int value) {
      return u1(value >>> 8).u1(value);
    }

    Bytes u4(int value) {
      return u2(value >>> 16).u2(value);
    }

    Bytes utf(String text) {
      try {
        new DataOutputStream(this).writeUTF(text);
        return this;
      } catch (IOException e) {
        throw new UncheckedIOException(e); // it is too long
      }
    }

    Bytes all(ByteArrayOutputStream others) {
      writeBytes(others.toByteArray());
      return this;
    }
  }

  int utf8(String text) {
    return constant(List.of(UTF8, text), entry -> entry.utf(text));
  }

  /** A class by its name with slashes. */
  int type(String name) {
    int text = utf8(name);
    return constant(List.of(CLASS, text), entry -> entry.u2(text));
  }

  int field(String owner, String name, String descriptor) {
    return member(FIELD, owner, name, descriptor);
  }

  int method(String owner, String name, String descriptor) {
    return member(METHOD, owner, name, descriptor);
  }

  int interfaceMethod(String owner, String name, String descriptor) {
    return member(INTERFACE_METHOD, owner, name, descriptor);
  }

  private int member(int tag, String owner, String name, String descriptor) {
    int type = type(owner);
    int named = utf8(name);
    int described = utf8(descriptor);
    int both =
        constant(List.of(NAME_AND_TYPE, named, described), entry -> entry.u2(named).u2(described));
    return constant(List.of(tag, type, both), entry -> entry.u2(type).u2(both));
  }

  private interface Entry {
    void write(Bytes pool);
  }

  private int constant(List<Object> constant, Entry entry) {
    Integer known = constants.get(constant);
    if (known != null) {
      return known;
    }
    entry.write(pool.u1((Integer) constant.get(0)));
    constants.put(constant, constants.size() + 1);
    return constants.size();
  }

  /**
   * Adds a method.
   *
   * @param code its Code attribute, without the name and length
   */
  void add(String name, String descriptor, Bytes code) {
    methods.u2(PUBLIC).u2(utf8(name)).u2(utf8(descriptor)).u2(1);
    methods.u2(utf8("Code")).u4(code.size()).all(code);
    methodCount++;
  }

  /** The whole of it. */
  byte[] of(String name, String parent, String iface) {
    int self = type(name);
    int above = type(parent);
    int implemented = type(iface);
    Bytes file = new Bytes().u4(0xCAFEBABE).u2(0).u2(VERSION);
    file.u2(constants.size() + 1).all(pool);
    file.u2(FINAL_SUPER_SYNTHETIC).u2(self).u2(above).u2(1).u2(implemented);
    return file.u2(0).u2(methodCount).all(methods).u2(0).toByteArray();
  }
}
