package dev.thriftbreaker.management;

import java.util.ArrayDeque;
import java.util.Deque;

/** The latest transitions of a breaker as lines. Safe for any threads; its monitor guards it. */
final class History {

  private static final int LENGTH = 32;

  private final Deque<String> lines = new ArrayDeque<>(LENGTH);

  synchronized void add(String line) {
    if (lines.size() == LENGTH) {
      lines.removeFirst();
    }
    lines.addLast(line);
  }

  /** Oldest first. */
  synchronized String[] lines() {
    return lines.toArray(String[]::new);
  }
}
