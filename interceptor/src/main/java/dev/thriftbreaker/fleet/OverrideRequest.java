package dev.thriftbreaker.fleet;

import dev.thriftbreaker.breaker.Mode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * An operator's decision on its way to the store. The operator's thread waits in {@link #await},
 * the worker does the rest. Which of the two was faster is settled by {@code stage}: what is given
 * up before it was sent is never sent.
 */
final class OverrideRequest {

  private enum Stage {
    WAITING,
    SENT,
    GIVEN_UP
  }

  final String dependency;
  final String id;
  final Mode mode;
  final long lastsMillis;
  final String by;
  final String reason;

  private final AtomicReference<Stage> stage = new AtomicReference<>(Stage.WAITING);

  /** Completed with null if it is stored, else with the words for the operator. */
  private final CompletableFuture<String> outcome = new CompletableFuture<>();

  OverrideRequest(
      String dependency, String id, Mode mode, long lastsMillis, String by, String reason) {
    this.dependency = dependency;
    this.id = id;
    this.mode = mode;
    this.lastsMillis = lastsMillis;
    this.by = by;
    this.reason = reason;
  }

  /** The version that the operator's instance knew at the first try; the worker's own. */
  private long seenVersion = -1;

  /** Whether a try that was not answered may have been executed. */
  private volatile boolean mayBeStored;

  /** Whether the worker may send it, once more or for the first time. */
  boolean send() {
    return stage.compareAndSet(Stage.WAITING, Stage.SENT)
        || stage.get() == Stage.SENT && !outcome.isDone();
  }

  /**
   * The version that the decision rests on: what is known at the first try counts in every later
   * one, or a try would take a decision that was made since for the one that the operator saw.
   */
  long seenVersion(long knownVersion) {
    if (seenVersion < 0) {
      seenVersion = knownVersion;
    }
    return seenVersion;
  }

  void unanswered() {
    mayBeStored = true;
  }

  boolean sent() {
    return stage.get() == Stage.SENT;
  }

  boolean over() {
    return stage.get() == Stage.GIVEN_UP || outcome.isDone();
  }

  void stored() {
    outcome.complete(null);
  }

  /** It was not stored, as far as is known. */
  void refused(String why) {
    failed(mayBeStored ? unconfirmed(why) : "nothing changed: " + why);
  }

  void failed(String words) {
    outcome.complete(words);
  }

  /** Waits until it is stored. */
  void await(long millis) {
    String words;
    try {
      words = outcome.get(millis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      words = giveUp("Redis did not answer within " + millis + " ms");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      words = giveUp("interrupted");
    } catch (ExecutionException e) {
      words = giveUp(String.valueOf(e.getCause()));
    }
    if (words != null) {
      throw new IllegalStateException(dependency + ": " + words);
    }
  }

  private String giveUp(String why) {
    if (stage.compareAndSet(Stage.WAITING, Stage.GIVEN_UP)) {
      return "nothing changed: " + why;
    }
    String notConfirmed = unconfirmed(why);
    outcome.complete(notConfirmed);
    return outcome.join(); // the worker may just have been faster
  }

  private static String unconfirmed(String why) {
    return "not confirmed: "
        + why
        + "; the fleet may have it all the same, look again when the link is up";
  }
}
