package dev.thriftbreaker.fleet.redis;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Where Redis is and who asks. Its text holds no credentials.
 *
 * @param user null for the default user
 * @param password null for none
 */
record RedisAddress(String host, int port, String user, String password, int database) {

  private static final String EXPECTED = "redis://[user:password@]host[:port][/database]";

  static RedisAddress of(URI uri) {
    if (!"redis".equals(uri.getScheme())) {
      throw bad(uri);
    }
    // a host name with an underscore is no host to java.net.URI, but container networks have them
    String authority = uri.getRawAuthority();
    if (authority == null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
      throw bad(uri);
    }
    int at = authority.lastIndexOf('@');
    String place = authority.substring(at + 1);
    String user = null;
    String password = null;
    if (at >= 0) {
      String login = authority.substring(0, at);
      int colon = login.indexOf(':');
      if (colon < 0) {
        throw bad(uri);
      }
      user = colon == 0 ? null : decoded(login.substring(0, colon));
      password = decoded(login.substring(colon + 1));
    }
    int colon = place.endsWith("]") ? -1 : place.lastIndexOf(':');
    String host = colon < 0 ? place : place.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    int port = colon < 0 ? 6379 : number(place.substring(colon + 1), 65_535, uri);
    String path = uri.getRawPath();
    boolean noDatabase = path == null || path.isEmpty() || path.equals("/");
    int database = noDatabase ? 0 : number(path.substring(1), 1_000_000, uri);
    if (host.isEmpty() || port == 0) {
      throw bad(uri);
    }
    return new RedisAddress(host, port, user, password, database);
  }

  private static int number(String text, int most, URI uri) {
    int number = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw bad(uri);
      }
      number = number * 10 + digit;
    }
    if (text.isEmpty() || text.length() > 7 || number > most) {
      throw bad(uri);
    }
    return number;
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static IllegalArgumentException bad(URI uri) {
    String shown = uri.toString().replaceFirst("(?<=^|//).*@", "***@");
    return new IllegalArgumentException("redis: " + shown + " (expected: " + EXPECTED + ")");
  }

  @Override
  public String toString() {
    String place = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    return "redis://" + place + ":" + port + (database == 0 ? "" : "/" + database);
  }
}
