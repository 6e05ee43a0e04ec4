package dev.thriftbreaker.thrift;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * The routes of a server by the method's name on the wire, found from a string or straight from the
 * bytes of a header. Immutable. The bytes are looked up in a hash table with linear probing that is
 * at most half full.
 */
final class RouteTable {

  private final Map<String, Route> byName;
  private final Route unknown;
  private final byte[][] names;
  private final Route[] routes;

  RouteTable(Map<String, Route> byWireName, Route unknown) {
    this.byName = Map.copyOf(byWireName);
    this.unknown = unknown;
    int places = Integer.highestOneBit(Math.max(1, byName.size())) * 4;
    names = new byte[places][];
    routes = new Route[places];
    byName.forEach(this::put);
  }

  private void put(String name, Route route) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int place = place(bytes, 0, bytes.length);
    while (names[place] != null) {
      place = (place + 1) & (names.length - 1);
    }
    names[place] = bytes;
    routes[place] = route;
  }

  Route find(String name) {
    return byName.getOrDefault(name, unknown);
  }

  Route find(byte[] buffer, int from, int to) {
    int place = place(buffer, from, to);
    while (names[place] != null) {
      if (Arrays.equals(names[place], 0, names[place].length, buffer, from, to)) {
        return routes[place];
      }
      place = (place + 1) & (names.length - 1);
    }
    return unknown;
  }

  private int place(byte[] buffer, int from, int to) {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = 31 * hash + buffer[i];
    }
    return (hash ^ hash >>> 16) & (names.length - 1);
  }
}
