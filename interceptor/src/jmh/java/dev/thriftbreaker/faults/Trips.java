package dev.thriftbreaker.faults;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** When which breaker opened. */
final class Trips {

  private final List<String> all = new CopyOnWriteArrayList<>();

  void add(String dependency) {
    add(dependency, System.nanoTime());
  }

  void add(String dependency, long nanos) {
    all.add(dependency + "@" + nanos);
  }

  /** As {@code name@nanos} with commas between. */
  @Override
  public String toString() {
    return String.join(",", all);
  }
}
