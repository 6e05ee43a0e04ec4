package dev.thriftbreaker.thrift;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients choose the names that are looked up; the table only ever holds the server's own. */
class RouteTableTest {

  private final Route unknown = route("unknown");

  private static Route route(String name) {
    return new Route(
        name,
        false,
        new MethodStats(name, new Requirements(List.of(), List.of(), false, bound -> 0), () -> 0),
        ShedReply.DEFAULT,
        null);
  }

  private static Map<String, Route> routes(List<String> names) {
    Map<String, Route> routes = new LinkedHashMap<>();
    names.forEach(name -> routes.put(name, route(name)));
    return routes;
  }

  private static Route find(RouteTable table, String name) {
    byte[] bytes = ("<" + name + ">").getBytes(StandardCharsets.UTF_8);
    return table.find(bytes, 1, bytes.length - 1);
  }

  /** As many names of the same hash as there are combinations: "Aa" and "BB" hash alike. */
  private static List<String> colliding(int pairs) {
    List<String> names = List.of("");
    for (int i = 0; i < pairs; i++) {
      List<String> longer = new ArrayList<>();
      for (String name : names) {
        longer.add(name + "Aa");
        longer.add(name + "BB");
      }
      names = longer;
    }
    return names;
  }

  @Test
  void findsEveryMethodByItsNameEvenIfAllHashAlike() {
    List<String> names = colliding(9);
    Map<String, Route> routes = routes(names);
    RouteTable table = new RouteTable(routes, unknown);

    for (String name : names) {
      assertThat(find(table, name)).isSameAs(routes.get(name));
      assertThat(table.find(name)).isSameAs(routes.get(name));
      assertThat(find(table, name + "Aa")).isSameAs(unknown);
      assertThat(find(table, name.substring(1))).isSameAs(unknown);
    }
  }

  /**
   * Looking a name up stores nothing, so names that hash alike, or like a method, cost no more than
   * others however many there were. Were they stored, the last ones would have to pass by millions.
   */
  @Test
  @Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void staysAsFastHoweverManyNamesOfOneHashAreLookedUp() {
    // given a server with a method of the same hash
    List<String> names = colliding(14);
    RouteTable table = new RouteTable(routes(List.of("place", "count", names.get(0))), unknown);
    List<byte[]> hostile =
        names.stream().skip(1).map(name -> name.getBytes(StandardCharsets.UTF_8)).toList();
    assertThat(names.stream().mapToInt(String::hashCode).distinct().count()).isEqualTo(1);

    // when they are looked up, 1.6 million in all
    long found = 0;
    for (int i = 0; i < 100; i++) {
      for (byte[] name : hostile) {
        found += table.find(name, 0, name.length) == unknown ? 0 : 1;
      }
    }

    // then
    assertThat(found).isZero();
    assertThat(find(table, "place").method).isEqualTo("place");
    assertThat(find(table, names.get(0)).method).isEqualTo(names.get(0));
  }

  @Test
  void knowsNamesByTheirBytesAndNotByWhatABadDecoderMakesOfThem() {
    RouteTable table = new RouteTable(routes(List.of("\ufffd", "a/b")), unknown);

    assertThat(table.find(new byte[] {(byte) 0xff}, 0, 1)).isSameAs(unknown);
    assertThat(table.find(new byte[] {'a', (byte) 0xc0, (byte) 0xaf, 'b'}, 0, 4)).isSameAs(unknown);
    assertThat(table.find(new byte[0], 0, 0)).isSameAs(unknown);
  }
}
