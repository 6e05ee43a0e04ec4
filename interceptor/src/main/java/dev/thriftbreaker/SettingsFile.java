package dev.thriftbreaker;

import dev.thriftbreaker.breaker.BreakerConfig;
import dev.thriftbreaker.breaker.Classifier;
import dev.thriftbreaker.breaker.Setting;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Reads {@link ThriftInterceptor.Builder} settings from a properties file. Every complaint names
 * the file, the line, the value and what was expected.
 */
final class SettingsFile {

  private static final String KEYS =
      "server, redis, namespace, instance, serverThreads, dependencies, defaults.SETTING, dependency.NAME.SETTING, requires.METHOD,"
          + " learnRequirements, coarseClock, shedType, shedType.METHOD, methodBreakers, methodBreaker.METHOD.SETTING";

  /** Stands for all methods. */
  private static final String ALL = "*";

  private record Line(int number, String value) {}

  private final Path file;
  private final Map<String, Line> lines = new LinkedHashMap<>();
  private final Map<String, Object> objects = new HashMap<>();

  private SettingsFile(Path file) {
    this.file = file;
  }

  static ThriftInterceptor.Builder read(Path file) throws IOException {
    SettingsFile settings = new SettingsFile(file);
    settings.readLines();
    return settings.toBuilder();
  }

  /**
   * Splits the file into logical lines as {@link Properties} does, which itself keeps no line
   * numbers.
   */
  private void readLines() throws IOException {
    List<String> physical = lines(file);
    for (int i = 0; i < physical.size(); i++) {
      int number = i + 1;
      StringBuilder logical = new StringBuilder(physical.get(i));
      boolean comment =
          physical.get(i).isBlank() || "#!".indexOf(physical.get(i).strip().charAt(0)) >= 0;
      while (!comment && continues(logical) && i + 1 < physical.size()) {
        logical.append('\n').append(physical.get(++i));
      }
      Properties one = new Properties();
      try {
        one.load(new StringReader(logical.toString()));
      } catch (IllegalArgumentException e) {
        throw bad(number, logical + " (expected: key = value, with escapes such as \\u00e9)");
      }
      for (String key : one.stringPropertyNames()) {
        Line before = lines.put(key, new Line(number, one.getProperty(key).strip()));
        if (before != null) {
          throw bad(
              number, key + ": given twice (expected: once; first in line " + before.number + ")");
        }
      }
    }
  }

  private static List<String> lines(Path file) throws IOException {
    try {
      // some editors begin a file with a byte order mark
      return Files.readString(file, StandardCharsets.UTF_8)
          .replaceFirst("^\uFEFF", "")
          .lines()
          .toList();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(file + ": not readable as text (expected: UTF-8)", e);
    }
  }

  private static boolean continues(CharSequence line) {
    int backslashes = 0;
    for (int i = line.length() - 1; i >= 0 && line.charAt(i) == '\\'; i--) {
      backslashes++;
    }
    return backslashes % 2 == 1;
  }

  private ThriftInterceptor.Builder toBuilder() {
    Line server = lines.get("server");
    if (server == null) {
      throw new IllegalArgumentException(file + ": server: missing (expected: the server's name)");
    }
    ThriftInterceptor.Builder builder = at("server", () -> ThriftInterceptor.builder(server.value));
    Map<String, String> defaults = new LinkedHashMap<>();
    Map<String, Map<String, String>> dependencies = new LinkedHashMap<>();
    Map<String, Map<String, String>> methodBreakers = new LinkedHashMap<>();
    lines.forEach(
        (key, line) -> {
          String[] parts = key.split("\\.", 2);
          String rest = parts.length == 2 ? parts[1] : null;
          switch (rest == null ? key : parts[0] + ".") {
            case "server" -> {}
            case "redis" -> at(key, () -> builder.redis(redisUri(line.value)));
            case "namespace" -> at(key, () -> builder.namespace(line.value));
            case "instance" -> at(key, () -> builder.instance(line.value));
            case "serverThreads" -> at(key, () -> builder.serverThreads(number(line.value)));
            case "dependencies" ->
                names(line.value)
                    .forEach(name -> dependencies.putIfAbsent(name, new LinkedHashMap<>()));
            case "defaults." -> defaults.put(rest, key);
            case "learnRequirements" ->
                at(key, () -> builder.learnRequirements(isTrue(key, line.value)));
            case "coarseClock" -> at(key, () -> builder.coarseClock(isTrue(key, line.value)));
            case "requires." -> at(key, () -> require(builder, rest, names(line.value)));
            case "shedType" -> at(key, () -> builder.shedType(number(key, line.value)));
            case "shedType." -> at(key, () -> builder.shedType(rest, number(key, line.value)));
            case "methodBreakers" ->
                names(line.value)
                    .forEach(name -> methodBreakers.putIfAbsent(name, new LinkedHashMap<>()));
            case "dependency." -> split(key, rest, "dependency.NAME.SETTING", dependencies);
            case "methodBreaker." ->
                split(key, rest, "methodBreaker.METHOD.SETTING", methodBreakers);
            default ->
                throw bad(line.number, key + ": no such key (expected one of: " + KEYS + ")");
          }
        });
    Consumer<BreakerConfig.Builder> common = config -> writeAll(config, defaults);
    builder.defaults(common);
    if (dependencies.isEmpty()) {
      check(common, defaults);
    }
    dependencies.forEach(
        (name, own) -> {
          Consumer<BreakerConfig.Builder> settings = config -> writeAll(config, own);
          Map<String, String> keys = new LinkedHashMap<>(defaults);
          keys.putAll(own);
          check(common.andThen(settings), keys);
          String key = own.isEmpty() ? "dependencies" : own.values().iterator().next();
          at(key, () -> builder.dependency(name, settings));
        });
    methodBreakers.forEach(
        (method, own) -> {
          Consumer<BreakerConfig.Builder> settings = config -> writeAll(config, own);
          Map<String, String> keys = new LinkedHashMap<>(defaults);
          keys.putAll(own);
          check(common.andThen(settings), keys);
          String key = own.isEmpty() ? "methodBreakers" : own.values().iterator().next();
          at(
              key,
              () ->
                  method.equals(ALL)
                      ? builder.methodBreakers(settings)
                      : builder.methodBreaker(method, settings));
        });
    if (lines.containsKey("dependencies")) {
      refuseUnlisted(names(lines.get("dependencies").value));
    }
    return builder;
  }

  /** Sorts a key of the form KIND.NAME.SETTING under its name and setting. */
  private void split(
      String key, String rest, String form, Map<String, Map<String, String>> settings) {
    int dot = rest.lastIndexOf('.');
    if (dot < 1) {
      throw bad(lines.get(key).number, key + ": no such key (expected: " + form + ")");
    }
    settings
        .computeIfAbsent(rest.substring(0, dot), name -> new LinkedHashMap<>())
        .put(rest.substring(dot + 1), key);
  }

  private static int number(String key, String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(key + ": " + value + " (expected: a whole number)", e);
    }
  }

  private static ThriftInterceptor.Builder require(
      ThriftInterceptor.Builder builder, String method, List<String> dependencies) {
    return dependencies.isEmpty()
        ? builder.requiresNothing(method)
        : builder.requires(method, dependencies.toArray(String[]::new));
  }

  private static boolean isTrue(String key, String value) {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException(key + ": " + value + " (expected: true or false)");
    };
  }

  /** A file that lists its dependencies means no others: a name that is not listed is a slip. */
  private void refuseUnlisted(List<String> listed) {
    lines.forEach(
        (key, line) -> {
          List<String> named = List.of();
          if (key.startsWith("requires.")) {
            named = names(line.value);
          } else if (key.startsWith("dependency.")) {
            named = List.of(key.substring(key.indexOf('.') + 1, key.lastIndexOf('.')));
          }
          for (String name : named) {
            if (!listed.contains(name)) {
              throw bad(
                  line.number,
                  key + ": " + name + " (expected: one of dependencies, " + listed + ")");
            }
          }
        });
  }

  private static int number(String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "serverThreads: " + value + " (expected: a whole number from 1 to 1000000)", e);
    }
  }

  private static URI redisUri(String value) {
    try {
      return new URI(value);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          "redis: "
              + value.replaceFirst("//.*@", "//***@")
              + ": "
              + e.getReason()
              + " (expected: redis://[user:password@]host[:port][/database], special characters as %XX)",
          e);
    }
  }

  private void writeAll(BreakerConfig.Builder config, Map<String, String> keys) {
    keys.forEach((setting, key) -> at(key, () -> write(config, setting, lines.get(key).value)));
  }

  private BreakerConfig.Builder write(BreakerConfig.Builder config, String setting, String value) {
    switch (setting) {
      case "ignore" ->
          names(value).forEach(name -> config.ignore(type(setting, name, Throwable.class)));
      case "failOn" ->
          names(value).forEach(name -> config.failOn(type(setting, name, Throwable.class)));
      case "unwrap" ->
          names(value).forEach(name -> config.unwrap(type(setting, name, Throwable.class)));
      case "classifier" -> config.classifier(made(setting, value, Classifier.class));
      case "failureResult" -> {
        @SuppressWarnings("unchecked")
        Predicate<Object> predicate = made(setting, value, Predicate.class);
        config.failureResult(predicate);
      }
      default -> Setting.of(setting).write(config, value);
    }
    return config;
  }

  /**
   * Ranges are known only once all settings are there; then the line is found by the setting's
   * name.
   */
  private void check(Consumer<BreakerConfig.Builder> settings, Map<String, String> keys) {
    BreakerConfig.Builder config = BreakerConfig.builder();
    settings.accept(config);
    try {
      config.build();
    } catch (IllegalArgumentException e) {
      String key = keys.get(e.getMessage().split(":", 2)[0]);
      if (key == null) {
        throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
      }
      throw bad(lines.get(key).number, key + e.getMessage().substring(e.getMessage().indexOf(':')));
    }
  }

  private static List<String> names(String value) {
    return Arrays.stream(value.split(","))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private static <T> Class<? extends T> type(String setting, String name, Class<T> expected) {
    try {
      ClassLoader loader = Thread.currentThread().getContextClassLoader();
      return Class.forName(
              name, true, loader != null ? loader : SettingsFile.class.getClassLoader())
          .asSubclass(expected);
    } catch (ClassNotFoundException | LinkageError | ClassCastException e) {
      throw new IllegalArgumentException(
          setting
              + ": "
              + name
              + " (expected: the name of a class that is a "
              + expected.getName()
              + ")",
          e);
    }
  }

  /** One object for each name, however often the settings are applied. */
  private <T> T made(String setting, String name, Class<T> expected) {
    return expected.cast(objects.computeIfAbsent(name, absent -> make(setting, name, expected)));
  }

  private static Object make(String setting, String name, Class<?> expected) {
    Class<?> type = type(setting, name, expected);
    try {
      return type.getConstructor().newInstance();
    } catch (InvocationTargetException e) {
      throw new IllegalArgumentException(
          setting + ": " + name + ": its constructor threw " + e.getCause(), e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(
          setting
              + ": "
              + name
              + " (expected: a class with a public constructor without parameters)",
          e);
    }
  }

  /** Takes a step on behalf of one key; a complaint gets the key's line and its full name. */
  private <T> T at(String key, Supplier<T> step) {
    try {
      return step.get();
    } catch (IllegalArgumentException e) {
      String complaint = String.valueOf(e.getMessage());
      if (complaint.startsWith(file + ":")) {
        throw e;
      }
      String name = complaint.split(":", 2)[0];
      throw bad(
          lines.get(key).number,
          key + (key.endsWith(name) ? complaint.substring(name.length()) : ": " + complaint),
          e);
    }
  }

  private IllegalArgumentException bad(int line, String complaint) {
    return bad(line, complaint, null);
  }

  private IllegalArgumentException bad(int line, String complaint, Throwable cause) {
    return new IllegalArgumentException(file + ":" + line + ": " + complaint, cause);
  }
}
