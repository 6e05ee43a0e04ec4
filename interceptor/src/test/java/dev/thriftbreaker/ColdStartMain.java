package dev.thriftbreaker;

import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.stream.Collectors;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;

/** What a fresh JVM sees that builds interceptors before anything else. Says it on its output. */
final class ColdStartMain {

  private ColdStartMain() {}

  public static void main(String[] args) throws Exception {
    boolean nobodyAsked = MBeanServerFactory.findMBeanServer(null).isEmpty();
    ThriftInterceptor interceptor = build();
    switch (args[0]) {
      case "look" -> System.out.println(nobodyAsked + " " + mbeans());
      case "clash" -> {
        try {
          build();
        } catch (IllegalStateException e) {
          System.out.println(e.getMessage());
        }
        System.out.println(mbeans());
      }
      default -> {
        interceptor.close();
        System.out.println("left: " + mbeans());
      }
    }
    System.exit(0);
  }

  private static ThriftInterceptor build() {
    return ThriftInterceptor.builder("cold").dependency("inventory").methodBreaker("ping").build();
  }

  /** How many there are of each type. */
  private static String mbeans() throws Exception {
    Set<ObjectName> names =
        ManagementFactory.getPlatformMBeanServer()
            .queryNames(new ObjectName("dev.thriftbreaker:*"), null);
    return names.stream()
        .collect(Collectors.groupingBy(name -> name.getKeyProperty("type"), Collectors.counting()))
        .entrySet()
        .stream()
        .map(Object::toString)
        .sorted()
        .collect(Collectors.joining(" "));
  }
}
