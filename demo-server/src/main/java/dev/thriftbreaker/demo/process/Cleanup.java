package dev.thriftbreaker.demo.process;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What this process has to give back when it ends in an orderly way: last opened, first closed.
 * What happens on SIGKILL is not done here; children see to that themselves, see {@link Child}.
 */
public final class Cleanup {

  private static final Deque<AutoCloseable> OPEN = new ArrayDeque<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(Cleanup::closeAll, "cleanup"));
  }

  private Cleanup() {}

  /** Closes it when this process ends. */
  public static void atExit(AutoCloseable resource) {
    synchronized (OPEN) {
      OPEN.push(resource);
    }
  }

  private static void closeAll() {
    while (true) {
      AutoCloseable resource;
      synchronized (OPEN) {
        resource = OPEN.poll();
      }
      if (resource == null) {
        return;
      }
      try {
        resource.close();
      } catch (Exception e) {
        System.err.println("at exit: " + e);
      }
    }
  }
}
