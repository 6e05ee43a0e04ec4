package dev.thriftbreaker.costs;

import java.util.List;

/** Something that is measured in another way than by JMH, with its contenders side by side. */
interface Measurement {

  /** Names the group, as at the beginning of the names of its scores. */
  String name();

  /**
   * Measures.
   *
   * @param quick whether a rough figure will do
   */
  List<Score> measure(boolean quick) throws Exception;
}
