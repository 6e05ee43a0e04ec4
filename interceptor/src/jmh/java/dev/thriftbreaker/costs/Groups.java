package dev.thriftbreaker.costs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the groups of figures are, in the order of the page. */
final class Groups {

  private static final Map<String, String> TITLES = new LinkedHashMap<>();

  static {
    TITLES.put("clock", "The yardsticks: what cannot be had for less.");
    TITLES.put("success", "A guarded call that succeeds, without the call itself.");
    TITLES.put("refusal", "A call that is refused while the breaker is open.");
    TITLES.put("guardRefusal", "A guard's refusal, caught by the caller.");
    TITLES.put(
        "shedCpu", "Processor time of a server for a request that is shed, over an empty one.");
    TITLES.put("processor", "A request through the processor, wrapped and bare.");
    TITLES.put("door", "A request that is shed at the door, beside those that are served.");
    TITLES.put("throughput", "A server as busy as it can be, over a bare one beside it.");
    TITLES.put("guard", "A call over a guard, beside the breaker alone and beside a direct call.");
    TITLES.put("pool", "A call over a pool of clients, and the pool alone.");
    TITLES.put("manyBreakers", "A guarded call on one of 1, 100 or 10,000 breakers, at random.");
    TITLES.put("threads", "Guarded calls on one breaker by more and more threads, in all.");
    TITLES.put("scale", "10,000 breakers: memory, registration, processor time while idle.");
    TITLES.put("redisOffPath", "A guarded call with Redis up and stopped, and what Redis is sent.");
    TITLES.put("fleet", "From one server's opening to the last server's refusing, over Redis.");
    TITLES.put("startUp", "How long build() of 20 dependencies keeps the caller's thread.");
  }

  private Groups() {}

  /** Those that were measured; one without a title comes last. */
  static List<String> of(Scores scores) {
    List<String> measured = scores.figures().stream().map(Figure::group).distinct().toList();
    List<String> ordered = new ArrayList<>(TITLES.keySet());
    measured.stream().filter(group -> !TITLES.containsKey(group)).forEach(ordered::add);
    ordered.retainAll(measured);
    return ordered;
  }

  static String title(String group) {
    return TITLES.getOrDefault(group, "");
  }
}
