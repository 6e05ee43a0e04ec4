package dev.thriftbreaker.fleet;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What needs a person, oldest first: one text for each subject, logged when its alarm is raised and
 * not again while it stands. Subjects are few: some for each breaker and some for the link.
 * Thread-safe: guarded by itself.
 */
final class Alarms {

  private static final Logger log = LoggerFactory.getLogger(FleetSync.class);
  private static final int MOST_SHOWN = 50;

  private final Map<String, String> texts = new LinkedHashMap<>();

  /** Raises an alarm; one that stands already gets the new text. */
  void raise(String subject, String text) {
    boolean stood;
    synchronized (this) {
      stood = texts.put(subject, text) != null;
    }
    if (!stood) {
      log.warn("Fleet state: {}", text);
    }
  }

  /** The cause is gone. */
  synchronized void clear(String subject) {
    texts.remove(subject);
  }

  synchronized List<String> list() {
    if (texts.size() <= MOST_SHOWN) {
      return List.copyOf(texts.values());
    }
    List<String> shown = new ArrayList<>(texts.values()).subList(0, MOST_SHOWN);
    shown.add("and " + (texts.size() - MOST_SHOWN) + " more");
    return List.copyOf(shown);
  }
}
