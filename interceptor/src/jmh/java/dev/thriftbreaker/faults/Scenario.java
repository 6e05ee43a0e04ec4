package dev.thriftbreaker.faults;

import java.util.List;

/** One way in which a dependency, or the server itself, gets into trouble. */
interface Scenario {

  /** As on the command line and in file names. */
  String name();

  /** What is done, in a sentence for the reader of the table. */
  String title();

  List<Variant> variants();

  /** Whether a quick run has it too. */
  default boolean quick() {
    return false;
  }

  /** Runs it once for each of these variants. */
  List<Result> run(List<Variant> chosen, Options options) throws Exception;
}
