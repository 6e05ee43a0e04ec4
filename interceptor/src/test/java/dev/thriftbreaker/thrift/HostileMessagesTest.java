package dev.thriftbreaker.thrift;

import dev.thriftbreaker.thrift.TestServer.Language;
import dev.thriftbreaker.thrift.TestServer.Wire;
import dev.thriftbreaker.thrift.Trial.Link;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TField;
import org.apache.thrift.protocol.TList;
import org.apache.thrift.protocol.TMap;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TSet;
import org.apache.thrift.protocol.TStruct;
import org.apache.thrift.protocol.TType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Messages made to hurt are answered by a wrapped processor as by a bare one, and no worse while
 * they are shed; see {@link Trial}.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileMessagesTest {

  private static final HostileServices PLAIN = new HostileServices(false);
  private static final HostileServices MULTIPLEXED = new HostileServices(true);

  static Stream<Arguments> ways() {
    List<Arguments> ways = new ArrayList<>();
    for (Language language : Language.values()) {
      for (Wire wire : Wire.values()) {
        if (wire != Wire.PLAIN) {
          ways.add(Arguments.of(language, wire, Link.FRAME_BY_FRAME));
        }
        if (wire != Wire.PLAIN || language != Language.TUPLE) {
          ways.add(Arguments.of(language, wire, Link.STREAM));
        }
      }
    }
    return ways.stream();
  }

  @AfterEach
  void nothingIsLeft() {
    PLAIN.assertNothingIsLeft();
    MULTIPLEXED.assertNothingIsLeft();
  }

  @ParameterizedTest
  @MethodSource("ways")
  void messagesCutAtEveryByte(Language language, Wire wire, Link link) {
    for (HostileServices services : List.of(PLAIN, MULTIPLEXED)) {
      Trial trial = new Trial(services, wire, language, link);
      List<byte[]> messages = services.validMessages(language);
      for (byte[] message : messages) {
        for (int length = 0; length <= message.length; length++) {
          trial.check(Arrays.copyOf(message, length), messages.get(0));
        }
      }
      byte[] stream = trial.framed(messages.get(0), messages.get(3));
      for (int length = 0; length < stream.length; length++) {
        trial.checkStream(Arrays.copyOf(stream, length));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void framesOfEveryLengthButTheirOwn(Language language, Wire wire, Link link) {
    Trial trial = new Trial(PLAIN, wire, language, link);
    byte[] message = PLAIN.validMessages(language).get(0);
    int length = message.length;
    for (int told :
        new int[] {
          0,
          1,
          3,
          length - 1,
          length + 1,
          Trial.MAX_SIZE,
          Trial.MAX_SIZE + 1,
          0x7fffffff,
          -1,
          0x80000000,
          0x80010001,
          0x82210000
        }) {
      byte[] frame = bytes(i32(told), message);
      trial.checkStream(frame);
      trial.checkStream(bytes(frame, trial.framed(message)));
      trial.checkStream(bytes(trial.framed(message), frame, trial.framed(message)));
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void messagesOfEveryTypeAndVersion(Language language, Wire wire, Link link) {
    for (HostileServices services : List.of(PLAIN, MULTIPLEXED)) {
      Trial trial = new Trial(services, wire, language, link);
      List<byte[]> messages = services.validMessages(language);
      for (int type : new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 31, 127, -128, -1}) {
        for (String name : List.of("place", "note", "ping", "Warehouse:place", "Ledger:note")) {
          trial.check(
              HostileServices.message(
                  language, "", out -> empty(out, new TMessage(name, (byte) type, -1))),
              messages.get(0));
        }
      }
    }
    Trial trial = new Trial(PLAIN, wire, language, link);
    byte[] valid = PLAIN.validMessages(language).get(3);
    for (int at = 0; at < 8; at++) {
      for (int value = 0; value < 256; value++) {
        byte[] message = valid.clone();
        message[at] = (byte) value;
        trial.check(message, valid);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void namesOfEveryKind(Language language, Wire wire, Link link) {
    for (HostileServices services : List.of(PLAIN, MULTIPLEXED)) {
      Trial trial = new Trial(services, wire, language, link);
      byte[] next = services.validMessages(language).get(0);
      List<byte[]> names = new ArrayList<>();
      names.add(new byte[0]);
      for (int value = 0; value < 256; value++) {
        names.add(new byte[] {(byte) value});
        names.add(bytes(ascii("place"), new byte[] {(byte) value}));
        names.add(bytes(new byte[] {(byte) value}, ascii("place")));
      }
      for (String name :
          List.of(
              ":",
              "::",
              ":place",
              "place:",
              "::place",
              "Warehouse:",
              "Warehouse::place",
              "Warehouse:place:",
              "Warehouse:Warehouse:place",
              "Ledger:place",
              "Ledger:note",
              "Nobody:place",
              "warehouse:place",
              "place\0",
              "PLACE",
              "unknown")) {
        names.add(ascii(name));
      }
      // not UTF-8: cut short, overlong, a surrogate, beyond Unicode
      for (int[] octets :
          new int[][] {
            {0xc3}, {0xc0, 0xaf}, {0xe2, 0x82}, {0xed, 0xa0, 0x80}, {0xf4, 0x90, 0x80, 0x80}, {0xff}
          }) {
        byte[] octetBytes = new byte[octets.length];
        for (int i = 0; i < octets.length; i++) {
          octetBytes[i] = (byte) octets[i];
        }
        names.add(octetBytes);
        names.add(bytes(ascii("Warehouse:"), octetBytes));
      }
      for (byte[] name : names) {
        trial.check(named(language, name, TMessageType.CALL), next);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void namesOfAMebibyte(Language language, Wire wire, Link link) {
    byte[] name = new byte[1 << 20];
    Arrays.fill(name, (byte) 'a');
    for (HostileServices services : List.of(PLAIN, MULTIPLEXED)) {
      Trial trial = new Trial(services, wire, language, link);
      byte[] next = services.validMessages(language).get(3);
      trial.check(named(language, name, TMessageType.CALL), next);
      Arrays.fill(name, 1, name.length, (byte) ':');
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void stringsAndContainersOfLengthsThatCannotBe(Language language, Wire wire, Link link) {
    Trial trial = new Trial(PLAIN, wire, language, link);
    byte[] next = PLAIN.validMessages(language).get(0);
    for (int size : new int[] {-1, -7, Integer.MIN_VALUE, 1_000, 1 << 24, Integer.MAX_VALUE}) {
      for (String method : List.of("count", "crash")) {
        for (short id : new short[] {1, 99}) {
          for (int element = 0; element < 18; element++) {
            byte type = (byte) element;
            List<HostileServices.Writing> writings =
                List.of(
                    out -> {
                      out.writeFieldBegin(new TField("", TType.LIST, id));
                      out.writeListBegin(new TList(type, size));
                    },
                    out -> {
                      out.writeFieldBegin(new TField("", TType.SET, id));
                      out.writeSetBegin(new TSet(type, size));
                    },
                    out -> {
                      out.writeFieldBegin(new TField("", TType.MAP, id));
                      out.writeMapBegin(new TMap(type, TType.STRUCT, size));
                    });
            for (HostileServices.Writing writing : writings) {
              byte[] message = with(language, method, writing);
              if (message != null) {
                trial.check(message, next);
              }
            }
          }
          byte[] string =
              with(
                  language,
                  method,
                  out -> {
                    out.writeFieldBegin(new TField("", TType.STRING, id));
                    if (language == Language.BINARY || language == Language.OLD_BINARY) {
                      out.writeI32(size);
                    } else {
                      out.getTransport().write(varint(size));
                    }
                  });
          trial.check(string, next);
          trial.check(bytes(string, new byte[300]), next);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void fieldsOfEveryTypeWhereAnotherIsExpected(Language language, Wire wire, Link link) {
    Trial trial = new Trial(PLAIN, wire, language, link);
    byte[] next = PLAIN.validMessages(language).get(0);
    for (String method : List.of("place", "count", "reserve", "crash", "note", "ping")) {
      for (int type = 0; type < 18; type++) {
        byte fieldType = (byte) type;
        for (short id : new short[] {-1, 0, 1, 2, 3, Short.MAX_VALUE}) {
          byte[] message =
              with(language, method, out -> out.writeFieldBegin(new TField("", fieldType, id)));
          if (message != null) {
            trial.check(message, next);
            trial.check(bytes(message, new byte[17]), next);
            trial.check(bytes(message, ascii("{}}]")), next);
          }
        }
      }
    }
  }

  /**
   * Generated code counts how deep structs are, and skips what it does not know from where it
   * stands; passing over a shed request must not give up before it, or the connection is out of
   * step.
   */
  @ParameterizedTest
  @MethodSource("ways")
  void nestingOfEveryDepth(Language language, Wire wire, Link link) {
    if (language == Language.TUPLE) {
      return; // has no fields
    }
    for (HostileServices services : List.of(PLAIN, MULTIPLEXED)) {
      Trial trial = new Trial(services, wire, language, link);
      byte[] next = services.validMessages(language).get(0);
      for (int depth :
          new int[] {1, 2, 30, 31, 32, 33, 60, 61, 62, 63, 64, 65, 66, 100, 1_000, 20_000}) {
        for (short id : new short[] {1, 99}) {
          trial.check(nestedStructs(language, id, depth), next);
          trial.check(nestedLists(language, id, depth), next);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void garbageAfterAMessage(Language language, Wire wire, Link link) {
    for (HostileServices services : List.of(PLAIN, MULTIPLEXED)) {
      Trial trial = new Trial(services, wire, language, link);
      List<byte[]> messages = services.validMessages(language);
      byte[] message = messages.get(0);
      for (byte[] garbage :
          List.of(
              new byte[] {0},
              new byte[100],
              ascii("GET / HTTP/1.1\r\n\r\n"),
              message,
              Arrays.copyOf(message, message.length / 2),
              messages.get(5),
              new byte[] {(byte) 0x80, 1, 0, 1, -1, -1, -1, -1},
              new byte[] {(byte) 0x82, 0x21})) {
        trial.check(bytes(message, garbage), message);
        trial.checkStream(bytes(trial.framed(message), garbage));
      }
    }
  }

  private static byte[] nestedStructs(Language language, short id, int depth) {
    return HostileServices.message(
        language,
        "",
        out -> {
          out.writeMessageBegin(new TMessage("place", TMessageType.CALL, 1));
          out.writeStructBegin(new TStruct());
          for (int i = 0; i < depth; i++) {
            out.writeFieldBegin(new TField("", TType.STRUCT, i == 0 ? id : 9));
            out.writeStructBegin(new TStruct());
          }
          for (int i = 0; i < depth; i++) {
            out.writeFieldStop();
            out.writeStructEnd();
            out.writeFieldEnd();
          }
          out.writeFieldStop();
          out.writeStructEnd();
          out.writeMessageEnd();
        });
  }

  private static byte[] nestedLists(Language language, short id, int depth) {
    return HostileServices.message(
        language,
        "",
        out -> {
          out.writeMessageBegin(new TMessage("place", TMessageType.CALL, 1));
          out.writeStructBegin(new TStruct());
          out.writeFieldBegin(new TField("", TType.LIST, id));
          for (int i = 0; i < depth; i++) {
            boolean last = i == depth - 1;
            out.writeListBegin(new TList(last ? TType.BYTE : TType.LIST, last ? 0 : 1));
          }
          for (int i = 0; i < depth; i++) {
            out.writeListEnd();
          }
          out.writeFieldEnd();
          out.writeFieldStop();
          out.writeStructEnd();
          out.writeMessageEnd();
        });
  }

  private static void empty(TProtocol out, TMessage header) throws TException {
    out.writeMessageBegin(header);
    out.writeStructBegin(new TStruct());
    out.writeFieldStop();
    out.writeStructEnd();
    out.writeMessageEnd();
  }

  /** A call whose arguments begin so and then stop; null if the protocol cannot write that. */
  private static byte[] with(Language language, String method, HostileServices.Writing writing) {
    try {
      return HostileServices.message(
          language,
          "",
          out -> {
            out.writeMessageBegin(new TMessage(method, TMessageType.CALL, 1));
            out.writeStructBegin(new TStruct());
            writing.to(out);
            out.writeFieldStop();
          });
    } catch (AssertionError | RuntimeException e) {
      return null;
    }
  }

  /** A message without arguments of a name that may be no text. */
  private static byte[] named(Language language, byte[] name, byte type) {
    byte[] length = i32(name.length);
    return switch (language) {
      case BINARY -> bytes(i32(0x80010000 | type), length, name, i32(1), new byte[] {0});
      case OLD_BINARY -> bytes(length, name, new byte[] {type}, i32(1), new byte[] {0});
      case COMPACT, TUPLE ->
          bytes(
              new byte[] {(byte) 0x82, (byte) (type << 5 | 1), 1},
              varint(name.length),
              name,
              new byte[] {0});
      case JSON -> bytes(ascii("[1,\""), name, ascii("\"," + type + ",1,{}]"));
    };
  }

  private static byte[] varint(int value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      out.write(rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    out.write(rest);
    return out.toByteArray();
  }

  private static byte[] i32(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] bytes(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
