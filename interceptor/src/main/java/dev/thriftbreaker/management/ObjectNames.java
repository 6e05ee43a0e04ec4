package dev.thriftbreaker.management;

import dev.thriftbreaker.breaker.PlainName;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;

/**
 * The ObjectNames of one server. Names are plain, so nothing is ever quoted, and a name is the same
 * as a text, which is what it stays until it is used.
 */
final class ObjectNames {

  static final String DOMAIN = "dev.thriftbreaker";

  private final String server;

  ObjectNames(String server) {
    this.server = checked("server", server);
  }

  String server() {
    return server;
  }

  /** {@code dev.thriftbreaker:type=T,server=S[,name=N]}; the name may be null. */
  String of(String type, String name) {
    String base = DOMAIN + ":type=" + checked("type", type) + ",server=" + server;
    return name == null ? base : base + ",name=" + checked("name", name);
  }

  /** {@code dev.thriftbreaker:type=Metric,server=S,breaker=inventory,name=calls}. */
  ObjectName ofMetric(String kind, String owner, String metric) {
    return parse(
        DOMAIN + ":type=Metric,server=" + server + "," + kind + "=" + owner + ",name=" + metric);
  }

  static String checked(String what, String name) {
    if (!PlainName.is(name, "_.-", 64)) {
      throw new IllegalArgumentException(
          what + ": " + Input.quoted(name) + " (expected: [A-Za-z0-9_.-]{1,64})");
    }
    return name;
  }

  static ObjectName parse(String text) {
    try {
      return new ObjectName(text);
    } catch (MalformedObjectNameException e) {
      throw new IllegalArgumentException(text + ": not an ObjectName", e);
    }
  }
}
