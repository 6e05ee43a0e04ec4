package dev.thriftbreaker.fleet.redis;

import dev.thriftbreaker.fleet.StoreException;
import dev.thriftbreaker.fleet.StoreException.Kind;
import java.util.regex.Pattern;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * What a failure means. Redis wraps the errors of commands inside scripts in texts of its own,
 * which differ between versions, so the code is looked for anywhere in the text.
 */
final class Failure {

  private static final Pattern DENIED =
      Pattern.compile(
          "\\b(NOPERM|WRONGPASS|NOAUTH)\\b|invalid password"
              + "|can't run this command|can't access at least one|ACL failure");
  private static final Pattern READ_ONLY =
      Pattern.compile("\\b(OOM|NOREPLICAS|READONLY|MISCONF)\\b");
  private static final Pattern BUSY =
      Pattern.compile("\\b(TRYAGAIN|LOADING|CLUSTERDOWN|BUSY|MASTERDOWN|UNKILLABLE)\\b");

  private Failure() {}

  static StoreException of(RuntimeException failure) {
    if (failure instanceof StoreException known) {
      return known;
    }
    return new StoreException(kind(failure), words(failure), failure);
  }

  private static Kind kind(RuntimeException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof JedisDataException) {
        return kind(String.valueOf(cause.getMessage()));
      }
    }
    return Kind.UNREACHABLE;
  }

  static Kind kind(String message) {
    if (DENIED.matcher(message).find()) {
      return Kind.DENIED;
    }
    if (READ_ONLY.matcher(message).find()) {
      return Kind.READ_ONLY;
    }
    return BUSY.matcher(message).find() ? Kind.BUSY : Kind.BROKEN;
  }

  private static String words(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String outer = String.valueOf(failure.getMessage());
    String inner = String.valueOf(root.getMessage());
    String both = outer.contains(inner) ? outer : outer + ": " + inner;
    // Redis 6.2 puts the place in the script in front of what happened there
    String bare = both.replaceFirst("^ERR Error running script.*@user_script: ?\\d+: -?", "");
    return Layout.shortened(bare.replaceAll("\\s+", " "));
  }
}
