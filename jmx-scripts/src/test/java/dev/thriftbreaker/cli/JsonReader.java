package dev.thriftbreaker.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads JSON strictly into maps, lists, strings, doubles, booleans and null. */
final class JsonReader {

  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");

  private final String text;
  private int at;

  private JsonReader(String text) {
    this.text = text;
  }

  static Object read(String text) {
    JsonReader reader = new JsonReader(text.strip());
    Object value = reader.value();
    if (reader.at != reader.text.length()) {
      throw reader.bad();
    }
    return value;
  }

  private Object value() {
    switch (peek()) {
      case '{' -> {
        Map<String, Object> map = new LinkedHashMap<>();
        for (char open = '{'; next(open, '}'); open = ',') {
          String key = string();
          take(':');
          if (map.put(key, value()) != null) {
            throw bad();
          }
        }
        return map;
      }
      case '[' -> {
        List<Object> list = new ArrayList<>();
        for (char open = '['; next(open, ']'); open = ',') {
          list.add(value());
        }
        return list;
      }
      case '"' -> {
        return string();
      }
      default -> {
        return plain();
      }
    }
  }

  /** Whether another element follows; takes the bracket or comma. */
  private boolean next(char open, char close) {
    if (open != ',' || peek() == ',') {
      take(open);
      if (open == ',' || peek() != close) {
        return true;
      }
    }
    take(close);
    return false;
  }

  private Object plain() {
    for (Object word : new Object[] {true, false, "null"}) {
      if (text.startsWith(word.toString(), at)) {
        at += word.toString().length();
        return word.equals("null") ? null : word;
      }
    }
    Matcher number = NUMBER.matcher(text).region(at, text.length());
    if (!number.lookingAt()) {
      throw bad();
    }
    at = number.end();
    return Double.valueOf(number.group());
  }

  private String string() {
    take('"');
    StringBuilder string = new StringBuilder();
    while (peek() != '"') {
      char c = text.charAt(at++);
      if (c < 0x20) {
        throw bad();
      }
      if (c == '\\') {
        char escaped = text.charAt(at++);
        int known = "\"\\/bfnrt".indexOf(escaped);
        if (known >= 0) {
          c = "\"\\/\b\f\n\r\t".charAt(known);
        } else if (escaped == 'u') {
          c = (char) Integer.parseInt(text.substring(at, at + 4), 16);
          at += 4;
        } else {
          throw bad();
        }
      }
      string.append(c);
    }
    take('"');
    return string.toString();
  }

  private char peek() {
    if (at >= text.length()) {
      throw bad();
    }
    return text.charAt(at);
  }

  private void take(char c) {
    if (peek() != c) {
      throw bad();
    }
    at++;
  }

  private IllegalArgumentException bad() {
    return new IllegalArgumentException("no JSON at " + at + ": " + text);
  }
}
