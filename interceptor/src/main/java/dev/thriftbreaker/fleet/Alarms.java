package dev.thriftbreaker.fleet;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What needs a person, oldest first: one text for each subject, so that a fault that goes on does
 * not fill the list or the log. Thread-safe: guarded by itself.
 */
final class Alarms {

  private static final Logger log = LoggerFactory.getLogger(FleetSync.class);
  private static final int MOST = 50;

  private final Map<String, String> texts = new LinkedHashMap<>();

  /** Raises an alarm, unless it stands already. */
  void raise(String subject, String text) {
    synchronized (this) {
      if (text.equals(texts.get(subject))) {
        return;
      }
      texts.remove(subject);
      texts.put(subject, text);
      if (texts.size() > MOST) {
        Iterator<String> oldest = texts.keySet().iterator();
        oldest.next();
        oldest.remove();
      }
    }
    log.warn("Fleet state: {}", text);
  }

  /** The cause is gone. */
  synchronized void clear(String subject) {
    texts.remove(subject);
  }

  synchronized List<String> list() {
    return List.copyOf(new ArrayList<>(texts.values()));
  }
}
