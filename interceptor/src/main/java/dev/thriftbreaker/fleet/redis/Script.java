package dev.thriftbreaker.fleet.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/** The scripts, each with the prelude in front. */
enum Script {
  TRANSITION("transition.lua"),
  REPAIR("repair.lua"),
  OVERRIDE("override.lua"),
  REPAIR_OVERRIDE("repair-override.lua");

  private final String text;
  private final String sha1;

  Script(String file) {
    text = load("prelude.lua") + load(file);
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
      sha1 = HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  /** Runs it; a server that does not know it yet, or forgot it, is told. */
  Object run(UnifiedJedis redis, List<String> keys, Supplier<List<String>> arguments) {
    try {
      return redis.evalsha(sha1, keys, arguments.get());
    } catch (JedisNoScriptException e) {
      return redis.eval(text, keys, arguments.get());
    }
  }

  private static String load(String file) {
    try (InputStream in = Script.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
