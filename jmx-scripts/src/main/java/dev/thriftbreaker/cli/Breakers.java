package dev.thriftbreaker.cli;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import com.sun.tools.attach.VirtualMachineDescriptor;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.MalformedURLException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import javax.management.Attribute;
import javax.management.AttributeChangeNotification;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.JMRuntimeException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServerConnection;
import javax.management.MalformedObjectNameException;
import javax.management.Notification;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import javax.management.remote.JMXConnectionNotification;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * The operator's command line: finds a server's breakers over JMX, shows them and operates them.
 *
 * <p>One file without dependencies, so that {@code java Breakers.java} runs it too. In order: the
 * program, arguments, finding JVMs, the connection, reading MBeans, commands, output. Attributes
 * and operations are used by name; a server of another version shows what it has.
 */
public final class Breakers {

  // ---- the program

  static final int DONE = 0;
  static final int REFUSED = 1;
  static final int USAGE = 2;
  static final int UNREACHABLE = 3;
  static final int NO_SUCH_BREAKER = 4;

  /** How the user called the launcher, so that hints can be pasted. */
  private static final String PROGRAM = System.getProperty("breakers.command", "breakers");

  private final PrintStream out;
  private final PrintStream err;
  private final Style style;

  Breakers(PrintStream out, PrintStream err, boolean terminal, boolean colour) {
    this.out = out;
    this.err = err;
    this.style = new Style(terminal, colour);
  }

  /**
   * Runs one command and exits: 0 done, 1 refused, 2 usage, 3 no connection, 4 no such breaker.
   *
   * @param args see {@code breakers --help}
   */
  public static void main(String[] args) {
    PrintStream out = utf8(FileDescriptor.out);
    PrintStream err = utf8(FileDescriptor.err);
    int exit =
        new Breakers(
                out,
                err,
                Boolean.getBoolean("breakers.terminal"),
                Boolean.getBoolean("breakers.colour"))
            .run(args);
    out.flush();
    err.flush();
    System.exit(exit);
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }

  int run(String[] args) {
    try {
      Optional<String> help = Arguments.helpWanted(args);
      if (help.isPresent()) {
        out.print(help.get());
        return DONE;
      }
      Arguments arguments = Arguments.parse(args);
      if (arguments.has(Option.VERSION)) {
        out.println(version());
        return DONE;
      }
      return run(arguments);
    } catch (Failure failure) {
      err.println("breakers: " + Style.printable(failure.getMessage()));
      failure.hints.forEach(hint -> err.println("  " + Style.printable(hint)));
      return failure.exit;
    } catch (RuntimeException | LinkageError unforeseen) {
      err.println("breakers: unforeseen: " + Style.printable(unforeseen.toString()));
      return UNREACHABLE;
    }
  }

  private int run(Arguments arguments) throws Failure {
    Jvms jvms = new Jvms(arguments.timeout());
    if (arguments.command == Command.PS) {
      ps(arguments, jvms.find());
      return DONE;
    }
    try (Session session = Session.open(arguments, jvms, err::println)) {
      switch (arguments.command) {
        case LIST -> list(arguments, session);
        case SHOW -> show(arguments, session);
        case HISTORY -> history(arguments, session);
        case METHODS -> methods(arguments, session);
        case REDIS -> redis(arguments, session);
        case WATCH -> new Watch(arguments, session).run();
        case NEED -> need(arguments, session);
        default -> change(arguments, session);
      }
      return DONE;
    }
  }

  private static String version() {
    String version = Breakers.class.getPackage().getImplementationVersion();
    return "breakers "
        + (version == null ? "(run from source)" : version)
        + ", Java "
        + System.getProperty("java.version");
  }

  /** Why the program ends with another code than 0, in one line, and what may help. */
  static final class Failure extends Exception {
    private static final long serialVersionUID = 1;

    final int exit;
    final transient List<String> hints;

    Failure(int exit, String message, String... hints) {
      super(message);
      this.exit = exit;
      this.hints = List.of(hints);
    }

    static Failure bad(String name, String value, String expected) {
      return usage(name + ": " + value + " (expected: " + expected + ")");
    }

    static Failure usage(String message, String... hints) {
      return new Failure(USAGE, message, hints);
    }
  }

  // ---- arguments

  /** What can stand on the command line beside the command and its operands. */
  enum Option {
    PID("-p", "--pid", "PID"),
    MAIN(null, "--main", "REGEX"),
    URL("-u", "--url", "host:port"),
    USER(null, "--user", "U"),
    PASSWORD_FILE(null, "--password-file", "F"),
    SERVER(null, "--server", "S"),
    JSON(null, "--json", null),
    TIMEOUT(null, "--timeout", "5s"),
    FOR(null, "--for", "5m"),
    REASON(null, "--reason", "\"...\""),
    FLEET(null, "--fleet", null),
    HELP("-h", "--help", null),
    VERSION(null, "--version", null);

    final String letter;
    final String word;
    final String value;

    Option(String letter, String word, String value) {
      this.letter = letter;
      this.word = word;
      this.value = value;
    }

    static Option of(String text) throws Failure {
      for (Option option : values()) {
        if (text.equals(option.word) || text.equals(option.letter)) {
          return option;
        }
      }
      List<String> words = new ArrayList<>();
      for (Option option : values()) {
        words.add(option.word);
      }
      throw Failure.usage(
          text + ": unknown option" + didYouMean(text, words), "see: " + PROGRAM + " --help");
    }

    @Override
    public String toString() {
      return letter == null ? word : letter;
    }
  }

  /** What the program can do; {@code operands} with a name in brackets are optional. */
  enum Command {
    PS("", "JVMs of this user that run an interceptor", "ps"),
    LIST("", "all breakers in a table", "list"),
    SHOW(
        "NAME", "everything about one breaker: why, what comes next, what to do", "show inventory"),
    WATCH("[NAME]", "the state now, then each transition as it happens, until Ctrl-C", "watch"),
    HISTORY("NAME", "the latest transitions of one breaker", "history inventory"),
    METHODS("", "the methods of the service in a table", "methods"),
    REDIS("", "the link to Redis", "redis"),
    OPEN(
        "NAME",
        "refuse every call for a time",
        "open inventory --for 5m --reason \"vendor is down\""),
    CLOSE(
        "NAME",
        "let every call pass for a time",
        "close inventory --for 5m --reason \"false alarm\""),
    SHADOW(
        "NAME",
        "let every call pass for a time, and count what would have been refused",
        "shadow inventory --for 1h --reason \"trying 0.4\""),
    RELEASE("NAME", "end what open, close or shadow began", "release inventory"),
    PROBE("NAME", "try an open dependency at once", "probe inventory --reason \"vendor is back\""),
    RESET(
        "NAME",
        "close a breaker and forget its window",
        "reset inventory --reason \"bad deploy rolled back\""),
    SET(
        "NAME SETTING VALUE",
        "change a setting of the running breaker",
        "set inventory openDuration 10s --reason \"slow restarts\""),
    NEED(
        "METHOD DEPENDENCY yes|no|learn",
        "say whether a method needs a dependency",
        "need quote inventory no --reason \"answers from its cache\"");

    final String operands;
    final String summary;
    final String example;

    Command(String operands, String summary, String example) {
      this.operands = operands;
      this.summary = summary;
      this.example = example;
    }

    static Command of(String text) throws Failure {
      List<String> words = new ArrayList<>();
      for (Command command : values()) {
        if (command.word().equals(text)) {
          return command;
        }
        words.add(command.word());
      }
      throw Failure.usage(
          text + ": unknown command" + didYouMean(text, words), "see: " + PROGRAM + " --help");
    }

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    boolean forced() {
      return this == OPEN || this == CLOSE || this == SHADOW;
    }

    boolean takesReason() {
      return ordinal() >= OPEN.ordinal();
    }

    boolean takes(Option option) {
      return switch (option) {
        case FOR, FLEET -> forced();
        case REASON -> takesReason();
        case JSON, TIMEOUT, HELP, VERSION -> true;
        default -> this != PS;
      };
    }

    boolean needs(Option option) {
      return switch (option) {
        case FOR -> forced();
        case REASON -> takesReason() && this != RELEASE;
        default -> false;
      };
    }

    String synopsis() {
      StringBuilder line = new StringBuilder(word());
      if (!operands.isEmpty()) {
        line.append(' ').append(operands);
      }
      for (Option option : List.of(Option.FOR, Option.REASON, Option.FLEET)) {
        if (takes(option)) {
          String text = option.word + (option.value == null ? "" : " " + option.value);
          line.append(' ').append(needs(option) ? text : "[" + text + "]");
        }
      }
      return line.toString();
    }

    Failure badUsage(String message) {
      return Failure.usage(
          message, "usage:   " + PROGRAM + " " + synopsis(), "example: " + PROGRAM + " " + example);
    }
  }

  /** The command line, read and checked. */
  static final class Arguments {
    private static final String URLS = "host:port, [IPv6]:port or service:jmx:...";
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

    final Command command;
    final List<String> operands;
    private final Map<Option, String> options;

    private Arguments(Command command, List<String> operands, Map<Option, String> options) {
      this.command = command;
      this.operands = operands;
      this.options = options;
    }

    static Arguments parse(String[] args) throws Failure {
      Map<Option, String> options = new EnumMap<>(Option.class);
      List<String> words = new ArrayList<>();
      boolean onlyWords = false;
      for (int i = 0; i < args.length; i++) {
        String arg = args[i];
        if (onlyWords || !arg.startsWith("-") || arg.equals("-")) {
          words.add(arg);
          continue;
        }
        if (arg.equals("--")) {
          onlyWords = true;
          continue;
        }
        int equals = arg.startsWith("--") ? arg.indexOf('=') : -1;
        Option option = Option.of(equals < 0 ? arg : arg.substring(0, equals));
        String value = "";
        if (option.value == null) {
          if (equals >= 0) {
            throw Failure.usage(arg + ": takes no value (expected: " + option.word + " alone)");
          }
        } else if (equals >= 0) {
          value = arg.substring(equals + 1);
        } else if (i + 1 < args.length && !isOption(args[i + 1])) {
          value = args[++i];
        } else {
          throw Failure.usage(
              arg + ": its value is missing (expected: " + arg + " " + option.value + ")");
        }
        if (options.put(option, value) != null) {
          throw Failure.usage(arg + ": given twice (expected: once)");
        }
      }
      Arguments arguments = of(words, options);
      arguments.check();
      return arguments;
    }

    /** A value may start with one dash, as a mistyped number does, unless it is an option. */
    private static boolean isOption(String word) {
      return word.startsWith("--")
          || Arrays.stream(Option.values()).anyMatch(option -> word.equals(option.letter));
    }

    private static Arguments of(List<String> words, Map<Option, String> options) throws Failure {
      if (options.containsKey(Option.VERSION)) {
        return new Arguments(Command.PS, List.of(), options);
      }
      if (words.isEmpty()) {
        List<String> commands = new ArrayList<>();
        for (Command command : Command.values()) {
          commands.add(command.word());
        }
        throw Failure.usage(
            "no command (expected one of: " + String.join(", ", commands) + ")",
            "see: " + PROGRAM + " --help");
      }
      return new Arguments(
          Command.of(words.get(0)), List.copyOf(words.subList(1, words.size())), options);
    }

    /** What is said about a method's need of a dependency. */
    String word() throws Failure {
      String word = operands.get(2);
      if (!Set.of("yes", "no", "learn").contains(word)) {
        throw command.badUsage(word + ": unknown answer (expected one of: yes, no, learn)");
      }
      return word;
    }

    private void check() throws Failure {
      String[] expected = command.operands.isEmpty() ? new String[0] : command.operands.split(" ");
      for (int i = operands.size(); i < expected.length; i++) {
        if (!expected[i].startsWith("[")) {
          throw command.badUsage(command.word() + ": " + expected[i] + " is missing");
        }
      }
      if (operands.size() > expected.length) {
        throw command.badUsage(
            operands.get(expected.length)
                + ": one word too many (put values of several words in quotes)");
      }
      for (Option option : Option.values()) {
        if (has(option) && !command.takes(option)) {
          throw command.badUsage(option + ": does not go with " + command.word());
        }
        if (command.needs(option) && !has(option)) {
          throw command.badUsage(
              command.word()
                  + ": "
                  + option
                  + " is missing (expected: "
                  + option
                  + " "
                  + option.value
                  + ")");
        }
      }
      if (command == Command.NEED) {
        word();
      }
      if (has(Option.REASON) && get(Option.REASON).isBlank()) {
        throw command.badUsage("--reason: blank (expected: why, for the audit)");
      }
      List<Option> targets = new ArrayList<>();
      for (Option option : List.of(Option.PID, Option.MAIN, Option.URL)) {
        if (has(option)) {
          targets.add(option);
        }
      }
      if (targets.size() > 1) {
        throw Failure.usage(
            targets.get(0)
                + " and "
                + targets.get(1)
                + ": one too many (expected: one of -p, --main, -u)");
      }
      if (has(Option.USER) != has(Option.PASSWORD_FILE)) {
        throw Failure.usage(
            has(Option.USER)
                ? "--user: --password-file is missing (expected: a file that holds the password)"
                : "--password-file: --user is missing (expected: whose password it is)");
      }
      if (has(Option.USER) && !has(Option.URL)) {
        throw Failure.usage("--user: only goes with -u (a local process asks for no password)");
      }
      timeout();
      if (has(Option.FOR)) {
        seconds();
      }
      if (has(Option.PID)) {
        pid();
      }
      if (has(Option.MAIN)) {
        main();
      }
      if (has(Option.URL)) {
        url();
      }
    }

    boolean has(Option option) {
      return options.containsKey(option);
    }

    String get(Option option) {
      return options.get(option);
    }

    boolean json() {
      return has(Option.JSON);
    }

    Duration timeout() throws Failure {
      return has(Option.TIMEOUT)
          ? duration(
              Option.TIMEOUT,
              Duration.ofMillis(100),
              Duration.ofHours(1),
              "100ms to 1h, such as 5s")
          : Duration.ofSeconds(5);
    }

    long seconds() throws Failure {
      Duration time =
          duration(
              Option.FOR,
              Duration.ofSeconds(1),
              Duration.ofDays(1),
              "1s to 24h, such as 90s, 5m or 1h");
      if (time.toMillisPart() != 0) {
        throw Failure.bad("--for", get(Option.FOR), "whole seconds");
      }
      return time.toSeconds();
    }

    private Duration duration(Option option, Duration least, Duration most, String expected)
        throws Failure {
      String text = get(option);
      Matcher matcher = DURATION.matcher(text);
      if (matcher.matches()) {
        long amount = Long.parseLong(matcher.group(1));
        Duration duration =
            switch (matcher.group(2)) {
              case "ms" -> Duration.ofMillis(amount);
              case "s" -> Duration.ofSeconds(amount);
              case "m" -> Duration.ofMinutes(amount);
              default -> Duration.ofHours(amount);
            };
        if (duration.compareTo(least) >= 0 && duration.compareTo(most) <= 0) {
          return duration;
        }
      }
      throw Failure.bad(option.toString(), text, expected);
    }

    long pid() throws Failure {
      String text = get(Option.PID);
      if (!text.matches("[1-9]\\d{0,9}")) {
        throw Failure.bad("-p", text, "the number of a process; see " + PROGRAM + " ps");
      }
      return Long.parseLong(text);
    }

    Pattern main() throws Failure {
      try {
        return Pattern.compile(get(Option.MAIN));
      } catch (PatternSyntaxException e) {
        throw Failure.bad(
            "--main", get(Option.MAIN), "a regular expression; " + e.getDescription());
      }
    }

    JMXServiceURL url() throws Failure {
      String text = get(Option.URL);
      String address = text;
      if (!text.startsWith("service:jmx:")) {
        Matcher matcher =
            Pattern.compile("(\\[[0-9a-fA-F:.%]+]|[^\\[\\]:/\\s]+):(\\d{1,5})").matcher(text);
        int port = matcher.matches() ? Integer.parseInt(matcher.group(2)) : 0;
        if (port < 1 || port > 65535) {
          throw Failure.bad("-u", text, URLS);
        }
        address = "service:jmx:rmi:///jndi/rmi://" + text + "/jmxrmi";
      }
      try {
        return new JMXServiceURL(address);
      } catch (MalformedURLException e) {
        throw Failure.bad("-u", text, URLS + "; " + e.getMessage());
      }
    }

    /** The options that reach the same JVM again, for hints. */
    String target() {
      StringBuilder text = new StringBuilder();
      for (Option option :
          List.of(Option.PID, Option.MAIN, Option.URL, Option.USER, Option.PASSWORD_FILE)) {
        if (has(option)) {
          text.append(option).append(' ').append(quoted(get(option))).append(' ');
        }
      }
      return text.toString();
    }

    /** The help that was asked for, if it was. */
    static Optional<String> helpWanted(String[] args) {
      List<String> words = Arrays.asList(args);
      boolean wanted =
          words.contains("--help")
              || words.contains("-h")
              || (args.length > 0 && args[0].equals("help"));
      if (!wanted) {
        return Optional.empty();
      }
      for (String word : words) {
        for (Command command : Command.values()) {
          if (command.word().equals(word)) {
            return Optional.of(help(command));
          }
        }
      }
      return Optional.of(help());
    }

    private static String help() {
      StringBuilder text =
          new StringBuilder(
              """
              breakers: shows and operates the circuit breakers of a running server.

              breakers [-p PID | --main REGEX | -u host:port] [options] COMMAND

              """);
      for (Command command : Command.values()) {
        String left = (command.word() + " " + command.operands).strip();
        text.append(String.format(Locale.ROOT, "  %-23s %s%n", left, command.summary));
      }
      return text.append(
              """

              Which server (may be left out where only one on this machine has an interceptor):
                -p PID                  a process of this user on this machine; see breakers ps
                --main REGEX            the same, found by its main class or jar
                -u host:port            a remote connector; a service:jmx:... URL does as well
                --user U                its user, with --password-file F: a file with the password alone
                --server S              where one JVM has several servers
              Output and time:
                --json                  one JSON document; for watch, one object a line
                --timeout 5s            for connecting and for each call; 100ms to 1h
              Changes:
                --for 5m                how long; 1s to 24h. Then the breaker decides again by itself
                --reason "..."          why, for the audit
                --fleet                 on every instance, not only on this one

              Exit: 0 done, 1 refused, 2 usage, 3 no connection or wrong password, 4 no such breaker.
              Environment: JAVA_HOME; BREAKERS_JAVA_OPTS, options for Java; NO_COLOR.
              More: breakers COMMAND --help; breakers --version
              """)
          .toString();
    }

    private static String help(Command command) {
      StringBuilder text = new StringBuilder();
      text.append("breakers ").append(command.synopsis()).append("\n\n  ");
      text.append(command.summary).append(".\n");
      String more =
          switch (command) {
            case PS ->
                """
                  Those that cannot be attached to are named on stderr, with the reason. On Linux only
                  JVMs that have an interceptor's threads are attached to, others are left alone.
                """;
            case LIST ->
                """
                  FAIL and WINDOW: the share of failed calls, and the calls, in the window. FLIGHT: calls
                  under way / how many may be. CALLS, SHED, FULL (the part of SHED for which too many
                  were under way), OPENED: since start. FOR: how long it is in its state.
                """;
            case WATCH ->
                """
                  Ends with 3 as soon as the connection is lost or the server stops answering.
                """;
            case OPEN, CLOSE, SHADOW ->
                """
                  --for      how long, 1s to 24h; after that the breaker decides again by itself
                  --reason   why, for the audit
                  --fleet    on every instance of the fleet, not only on this one
                  The other way: release.
                """;
            case RELEASE -> "  One that holds for the fleet ends on every instance.\n";
            case SET ->
                """
                  On this instance, until it restarts. The settings and their values: breakers show NAME.
                """;
            case METHODS ->
                """
                  NEEDS: the dependencies without which requests are shed at the door. Those that were
                  learned, or that an operator named, say so; the evidence stands below.
                """;
            case NEED ->
                """
                  yes     its requests are shed at the door while the dependency refuses
                  no      none of its requests is shed because of the dependency
                  learn   what was declared holds, or what requests show from now on
                  On this instance, until it restarts. What holds now, and why: breakers methods.
                """;
            default -> "";
          };
      return text.append(more)
          .append("\n  example: breakers ")
          .append(command.example)
          .append('\n')
          .toString();
    }
  }

  private static Set<String> words(String text) {
    return Set.of(text.split(" "));
  }

  private static String quoted(String word) {
    return word.matches("[A-Za-z0-9_.,:/@%+=-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  private static String didYouMean(String text, Collection<String> words) {
    String best = null;
    int least = text.length() < 4 ? 2 : Math.max(2, text.length() / 3) + 1;
    for (String word : words) {
      int distance = distance(text.toLowerCase(Locale.ROOT), word.toLowerCase(Locale.ROOT));
      if (distance < least) {
        best = word;
        least = distance;
      }
    }
    return best == null ? "" : " (did you mean " + best + "?)";
  }

  /** How many letters must be added, dropped or replaced to make one word the other. */
  private static int distance(String a, String b) {
    int[] above = new int[b.length() + 1];
    Arrays.setAll(above, i -> i);
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
      }
      above = row;
    }
    return above[b.length()];
  }

  // ---- finding JVMs

  /** Calls that must not hang: each on a daemon thread, given up after the timeout. */
  private static <T> T within(Duration timeout, Callable<T> call)
      throws TimeoutException, ExecutionException {
    FutureTask<T> task = new FutureTask<>(call);
    Thread thread = new Thread(task, "breakers-call");
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TimeoutException("interrupted");
    }
  }

  /** A JVM of this machine and what was found in it: servers, or why there is no session. */
  private record Jvm(long pid, String main, Session session, List<String> servers, String skipped) {

    static Jvm skipped(long pid, String main, String reason) {
      return new Jvm(pid, main, null, List.of(), reason);
    }
  }

  /**
   * The JVMs of this machine that can be attached to.
   *
   * <p>Attaching sends SIGQUIT to a JVM that was never attached to, and starts its local connector.
   * A process that is no JVM, or runs with -Xrs, would die of the signal; one that forbids
   * attaching would print its threads. So on Linux /proc is asked first, and a search attaches only
   * to those JVMs that have a thread of an interceptor. Elsewhere a search has to attach to every
   * JVM.
   */
  private static final class Jvms {
    private static final Path PROC = Path.of("/proc");
    private static final long SIGQUIT_BIT = 1 << 2;

    /** A thread's name is cut to 15 letters at the end, by newer JDKs in the middle. */
    private static final List<String> THREADS = List.of("thrift-breaker-", "thrift-..");

    /** JVM options whose value is the next word. */
    private static final Set<String> TWO_WORDS =
        words(
            "-cp -classpath --class-path -p --module-path --upgrade-module-path "
                + "--add-modules --add-exports --add-opens --add-reads --patch-module "
                + "--limit-modules --source --enable-native-access");

    private final Duration timeout;
    private final boolean proc = Files.isDirectory(PROC.resolve("self/task"));

    Jvms(Duration timeout) {
      this.timeout = timeout;
      // so that the attempt tidies up after itself before the program gives up on it
      System.setProperty(
          "sun.tools.attach.attachTimeout",
          String.valueOf(Math.max(100, timeout.toMillis() - 300)));
    }

    /** All that have an interceptor, and those of which one cannot know. */
    List<Jvm> find() throws Failure {
      return find(Pattern.compile(""));
    }

    List<Jvm> find(Pattern main) throws Failure {
      needAttach();
      Map<Long, FutureTask<Session>> attempts = new TreeMap<>();
      List<Jvm> found = new ArrayList<>();
      for (long pid : candidates()) {
        if (!main.matcher(main(pid)).find()) {
          continue;
        }
        String refusal = proc ? refusal(pid) : null;
        if (refusal != null) {
          found.add(Jvm.skipped(pid, main(pid), refusal));
          continue;
        }
        FutureTask<Session> attempt = new FutureTask<>(() -> attach(pid, ""));
        attempts.put(pid, attempt);
        Thread thread = new Thread(attempt, "breakers-attach-" + pid);
        thread.setDaemon(true);
        thread.start();
      }
      long deadline = System.nanoTime() + timeout.toNanos();
      for (Map.Entry<Long, FutureTask<Session>> attempt : attempts.entrySet()) {
        long pid = attempt.getKey();
        try {
          long left = Math.max(0, deadline - System.nanoTime());
          Session session = attempt.getValue().get(left, TimeUnit.NANOSECONDS);
          List<String> servers = session.servers();
          if (!servers.isEmpty()) {
            found.add(new Jvm(pid, main(pid), session, servers, null));
          } else {
            session.close();
            if (proc) {
              found.add(
                  Jvm.skipped(pid, main(pid), "has threads of an interceptor, but no MBeans"));
            }
          }
        } catch (TimeoutException e) {
          found.add(
              Jvm.skipped(pid, main(pid), "no answer within " + Style.time(timeout.toMillis())));
        } catch (ExecutionException e) {
          found.add(Jvm.skipped(pid, main(pid), said(e.getCause())));
        } catch (Failure e) {
          found.add(Jvm.skipped(pid, main(pid), e.getMessage()));
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      found.sort((a, b) -> Long.compare(a.pid, b.pid));
      return found;
    }

    private Collection<Long> candidates() throws Failure {
      Set<Long> pids = new TreeSet<>();
      long self = ProcessHandle.current().pid();
      if (!proc) {
        for (String id : Attach.list()) {
          pids.add(Long.valueOf(id));
        }
      } else {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[1-9]*")) {
          for (Path process : processes) {
            if (hasInterceptorThread(process)) {
              pids.add(Long.valueOf(process.getFileName().toString()));
            }
          }
        } catch (IOException e) {
          throw new Failure(UNREACHABLE, "/proc cannot be read: " + said(e));
        }
      }
      pids.remove(self);
      return pids;
    }

    private static boolean hasInterceptorThread(Path process) {
      if (!Files.isReadable(process.resolve("environ"))) {
        return false;
      }
      try (DirectoryStream<Path> threads = Files.newDirectoryStream(process.resolve("task"))) {
        for (Path thread : threads) {
          String name = Files.readString(thread.resolve("comm"));
          if (THREADS.stream().anyMatch(name::startsWith)) {
            return true;
          }
        }
      } catch (IOException | RuntimeException e) {
        return false; // it ended meanwhile
      }
      return false;
    }

    /** Attaches to the process that the user named. */
    Session attach(long pid, String target) throws Failure {
      needAttach();
      String refusal = proc ? refusal(pid) : null;
      if (refusal != null) {
        throw new Failure(UNREACHABLE, "process " + pid + ": " + refusal);
      }
      String where = "pid " + pid;
      try {
        return within(
            timeout,
            () ->
                Session.connect(
                    new JMXServiceURL(Attach.connectorOf(String.valueOf(pid))),
                    Map.of(),
                    where,
                    target,
                    timeout));
      } catch (TimeoutException e) {
        throw new Failure(
            UNREACHABLE,
            "process "
                + pid
                + ": no answer within "
                + Style.time(timeout.toMillis())
                + "; it may hang",
            "what it does: jstack " + pid + "; longer: --timeout 30s");
      } catch (ExecutionException e) {
        throw new Failure(UNREACHABLE, "process " + pid + ": " + said(e.getCause()));
      }
    }

    private static void needAttach() throws Failure {
      if (ModuleLayer.boot().findModule("jdk.attach").isEmpty()) {
        throw new Failure(
            UNREACHABLE,
            "this Java has no module jdk.attach: " + System.getProperty("java.home"),
            "finding and attaching to processes needs a JDK (set JAVA_HOME); -u host:port needs none");
      }
    }

    /** Why attaching to a process would fail or hurt it, or null. */
    private static String refusal(long pid) {
      Path process = PROC.resolve(String.valueOf(pid));
      Map<String, String> status = new HashMap<>();
      try {
        for (String line :
            Files.readAllLines(process.resolve("status"), StandardCharsets.ISO_8859_1)) {
          int colon = line.indexOf(':');
          status.put(line.substring(0, Math.max(0, colon)), line.substring(colon + 1).strip());
        }
      } catch (IOException e) {
        return "no such process";
      }
      String owner = status.getOrDefault("Uid", "").split("\\s+")[0];
      String state = status.getOrDefault("State", "");
      if (!Files.isReadable(process.resolve("environ"))) {
        return "belongs to another user (uid " + owner + "); run this as that user";
      }
      if (state.startsWith("T") || state.startsWith("t")) {
        return "is stopped, by SIGSTOP or a debugger (it goes on with: kill -CONT " + pid + ")";
      }
      if (state.startsWith("Z")) {
        return "has ended";
      }
      String caught = status.getOrDefault("SigCgt", "");
      if (caught.matches("[0-9a-f]{16}")
          && (Long.parseUnsignedLong(caught, 16) & SIGQUIT_BIT) == 0) {
        return "is no JVM, or runs with -Xrs: it does not catch SIGQUIT, attaching would end it";
      }
      if (arguments(pid).contains("-XX:+DisableAttachMechanism")) {
        return "does not let anyone attach (-XX:+DisableAttachMechanism); use -u host:port";
      }
      try {
        if (!Files.readString(process.resolve("maps"), StandardCharsets.ISO_8859_1)
            .contains("libjvm")) {
          return "is no JVM";
        }
      } catch (IOException e) {
        return null;
      }
      return null;
    }

    private static List<String> arguments(long pid) {
      return ProcessHandle.of(pid)
          .flatMap(handle -> handle.info().arguments())
          .map(Arrays::asList)
          .orElse(List.of());
    }

    /** The main class, module or jar; all words where they do not tell. */
    private static String main(long pid) {
      List<String> words = arguments(pid);
      for (int i = 0; i < words.size(); i++) {
        String word = words.get(i);
        if ((word.equals("-jar") || word.equals("-m") || word.equals("--module"))
            && i + 1 < words.size()) {
          return words.get(i + 1);
        }
        if (TWO_WORDS.contains(word)) {
          i++;
        } else if (!word.startsWith("-") && !word.startsWith("@")) {
          return word;
        }
      }
      return words.isEmpty() ? "?" : String.join(" ", words);
    }
  }

  /** All that needs the module jdk.attach, which a JRE may lack. */
  private static final class Attach {
    static List<String> list() {
      List<String> ids = new ArrayList<>();
      for (VirtualMachineDescriptor jvm : VirtualMachine.list()) {
        ids.add(jvm.id());
      }
      return ids;
    }

    /**
     * Two first attempts at the same time, each with its signal, would make the JVM print its
     * threads. Once one has succeeded no more signals are sent, so the file may go.
     */
    private static VirtualMachine attachAlone(String pid)
        throws IOException, AttachNotSupportedException {
      Path file = Path.of(System.getProperty("java.io.tmpdir"), ".breakers_attach_" + pid);
      FileChannel channel;
      try {
        channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS);
      } catch (IOException e) {
        return VirtualMachine.attach(pid);
      }
      try (channel) {
        channel.lock();
        return VirtualMachine.attach(pid);
      } finally {
        Files.deleteIfExists(file);
      }
    }

    /** The address of the local connector, which is started if need be. */
    static String connectorOf(String pid) throws IOException {
      try {
        VirtualMachine jvm = attachAlone(pid);
        try {
          return jvm.startLocalManagementAgent();
        } finally {
          jvm.detach();
        }
      } catch (AttachNotSupportedException e) {
        throw new IOException("cannot be attached to: " + said(e), e);
      }
    }
  }

  // ---- the connection

  /** A connection to one JVM; each call through it ends within the timeout. */
  private static final class Session implements AutoCloseable {
    static final String ALL = "*";
    private static final String DOMAIN = "dev.thriftbreaker";
    private static final Comparator<ObjectName> BY_SERVER =
        Comparator.comparing(Session::server).thenComparing(Comparator.naturalOrder());

    final JMXConnector connector;
    final MBeanServerConnection mbeans;
    final String where;
    final String target;
    final Duration timeout;

    private Session(
        JMXConnector connector,
        MBeanServerConnection mbeans,
        String where,
        String target,
        Duration timeout) {
      this.connector = connector;
      this.mbeans = mbeans;
      this.where = where;
      this.target = target;
      this.timeout = timeout;
    }

    static Session open(Arguments arguments, Jvms jvms, Consumer<String> warnings) throws Failure {
      if (arguments.has(Option.URL)) {
        return remote(arguments, warnings);
      }
      if (arguments.has(Option.PID)) {
        return jvms.attach(arguments.pid(), arguments.target());
      }
      Pattern main = arguments.has(Option.MAIN) ? arguments.main() : Pattern.compile("");
      List<Jvm> all = jvms.find(main);
      List<Jvm> found = all.stream().filter(jvm -> jvm.session != null).toList();
      // one that was skipped may be the one that the user means
      if (found.size() == 1 && all.size() == 1) {
        Session only = found.get(0).session;
        return new Session(
            only.connector, only.mbeans, only.where, arguments.target(), only.timeout);
      }
      List<String> hints = new ArrayList<>();
      for (Jvm jvm : all) {
        String what =
            jvm.session == null ? "skipped: " + jvm.skipped : String.join(", ", jvm.servers);
        hints.add("-p " + jvm.pid + "   " + what + "   (" + jvm.main + ")");
      }
      String which = arguments.has(Option.MAIN) ? " whose main class matches " + main : "";
      found.forEach(jvm -> jvm.session.close());
      if (found.isEmpty()) {
        hints.add(
            "another machine, or a container: -u host:port; another user's: run this as that user");
        throw new Failure(
            UNREACHABLE,
            "no JVM of this user with an interceptor was found" + which,
            hints.toArray(String[]::new));
      }
      throw new Failure(
          USAGE,
          all.size() + " JVMs have an interceptor" + which + ", choose one:",
          hints.toArray(String[]::new));
    }

    private static Session remote(Arguments arguments, Consumer<String> warnings) throws Failure {
      Map<String, Object> environment = new HashMap<>();
      boolean user = arguments.has(Option.USER);
      if (user) {
        String password = password(arguments.get(Option.PASSWORD_FILE), warnings);
        environment.put(
            JMXConnector.CREDENTIALS, new String[] {arguments.get(Option.USER), password});
      }
      String where = arguments.get(Option.URL);
      JMXServiceURL url = arguments.url();
      Duration timeout = arguments.timeout();
      try {
        return within(timeout, () -> connect(url, environment, where, arguments.target(), timeout));
      } catch (TimeoutException e) {
        throw new Failure(
            UNREACHABLE,
            where + ": no answer within " + Style.time(timeout.toMillis()),
            "the process may hang, or a firewall drops packets; longer: --timeout 30s");
      } catch (ExecutionException e) {
        throw unreachable(where, e.getCause(), user);
      }
    }

    private static Session connect(
        JMXServiceURL url,
        Map<String, Object> environment,
        String where,
        String target,
        Duration timeout)
        throws IOException {
      Map<String, Object> all = new HashMap<>(environment);
      all.put(
          "jmx.remote.x.client.connection.check.period", "0"); // watch has its own, with a timeout
      JMXConnector connector = JMXConnectorFactory.connect(url, all);
      return new Session(connector, connector.getMBeanServerConnection(), where, target, timeout);
    }

    private static String password(String file, Consumer<String> warnings) throws Failure {
      List<String> lines;
      try {
        Path path = Path.of(file);
        lines = Files.readAllLines(path);
        if (path.getFileSystem().supportedFileAttributeViews().contains("posix")
            && Files.getPosixFilePermissions(path).contains(PosixFilePermission.OTHERS_READ)) {
          warnings.accept("breakers: warning: everybody can read " + file + " (better: chmod 600)");
        }
      } catch (IOException | InvalidPathException e) {
        throw Failure.usage("--password-file: " + file + " cannot be read: " + said(e));
      }
      if (lines.isEmpty()
          || lines.get(0).isEmpty()
          || !lines.stream().skip(1).allMatch(String::isBlank)) {
        throw Failure.bad("--password-file", file, "one line, the password alone");
      }
      return lines.get(0);
    }

    private static Failure unreachable(String where, Throwable error, boolean user) {
      String chain = "";
      for (Throwable cause = error; cause != null; cause = cause.getCause()) {
        chain += cause + "\n";
      }
      if (error instanceof SecurityException) {
        return user
            ? new Failure(
                UNREACHABLE,
                where + ": user or password is wrong",
                "the password file must hold the password alone, on one line")
            : new Failure(UNREACHABLE, where + ": wants a user: --user U --password-file F");
      }
      if (chain.contains("UnknownHostException")) {
        return new Failure(UNREACHABLE, where + ": no such host");
      }
      if (chain.contains("Connection refused")) {
        Matcher elsewhere =
            Pattern.compile("Connection refused to host: ([^;\\s]+)").matcher(chain);
        boolean registry = elsewhere.find() && !chain.contains("Failed to retrieve");
        return new Failure(
            UNREACHABLE,
            where + ": nothing listens there (connection refused)",
            registry
                ? "its registry sends clients to host "
                    + elsewhere.group(1)
                    + ": see java.rmi.server.hostname"
                : "is the server up, and started with -Dcom.sun.management.jmxremote.port?");
      }
      if (chain.contains("SSLHandshake") || chain.contains("PKIX")) {
        return new Failure(
            UNREACHABLE,
            where + ": its certificate is not trusted",
            "BREAKERS_JAVA_OPTS=\"-Djavax.net.ssl.trustStore=FILE\"");
      }
      if (chain.contains("non-JRMP")
          || chain.contains("NameNotFoundException")
          || chain.contains("error during JRMP")) {
        return new Failure(
            UNREACHABLE,
            where + ": what listens there is no JMX connector",
            "is it the right port?");
      }
      return new Failure(UNREACHABLE, where + ": " + said(error));
    }

    @Override
    public void close() {
      try {
        within(
            Duration.ofMillis(Math.min(500, timeout.toMillis())),
            () -> {
              connector.close();
              return null;
            });
      } catch (TimeoutException | ExecutionException e) {
        // the program ends anyway
      }
    }

    <T> T call(Callable<T> call) throws Failure {
      try {
        return within(timeout, call);
      } catch (TimeoutException e) {
        throw new Failure(
            UNREACHABLE, where + ": no answer within " + Style.time(timeout.toMillis()));
      } catch (ExecutionException e) {
        throw failed(e.getCause());
      }
    }

    private Failure failed(Throwable error) {
      if (error instanceof IOException) {
        return new Failure(UNREACHABLE, where + ": connection lost: " + said(error));
      }
      if (error instanceof InstanceNotFoundException) {
        return new Failure(
            NO_SUCH_BREAKER, where + ": the breaker is gone; its interceptor was closed");
      }
      if (error instanceof SecurityException) {
        return new Failure(
            REFUSED,
            where + ": this user may not do that (" + said(error) + ")",
            "changes need a user with readwrite access");
      }
      Throwable cause = error;
      while ((cause instanceof JMException || cause instanceof JMRuntimeException)
          && cause.getCause() != null) {
        cause = cause.getCause();
      }
      return new Failure(REFUSED, "refused: " + said(cause));
    }

    Set<ObjectName> query(String pattern) throws Failure {
      ObjectName name = name(DOMAIN + ":" + pattern);
      return call(
          () -> {
            Set<ObjectName> names = new TreeSet<>(BY_SERVER);
            names.addAll(mbeans.queryNames(name, null));
            return names;
          });
    }

    private static ObjectName name(String text) {
      try {
        return new ObjectName(text);
      } catch (MalformedObjectNameException e) {
        throw new IllegalArgumentException(text, e);
      }
    }

    List<String> servers() throws Failure {
      return query("type=Interceptor,*").stream().map(Session::server).toList();
    }

    static String server(ObjectName name) {
      return String.valueOf(name.getKeyProperty("server"));
    }

    /** Attributes by name or ALL, in plain Java types; those that cannot be read are left out. */
    Map<String, Object> read(ObjectName name, String attributes) throws Failure {
      return call(
          () -> {
            String[] names = attributes.split(" ");
            if (attributes.equals(ALL)) {
              names =
                  Arrays.stream(mbeans.getMBeanInfo(name).getAttributes())
                      .filter(MBeanAttributeInfo::isReadable)
                      .map(MBeanAttributeInfo::getName)
                      .toArray(String[]::new);
            }
            Map<String, Object> unordered = new HashMap<>();
            for (Attribute attribute : mbeans.getAttributes(name, names).asList()) {
              unordered.put(attribute.getName(), plain(attribute.getValue()));
            }
            Map<String, Object> values = new LinkedHashMap<>();
            for (String attribute : names) {
              if (unordered.containsKey(attribute)) {
                values.put(attribute, unordered.get(attribute));
              }
            }
            return values;
          });
    }

    private static Object plain(Object value) {
      if (value instanceof CompositeData composite) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (String key : composite.getCompositeType().keySet()) {
          map.put(key, plain(composite.get(key)));
        }
        return map;
      }
      if (value instanceof TabularData table) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Object row : table.values()) {
          CompositeData entry = (CompositeData) row;
          map.put(String.valueOf(entry.get("key")), plain(entry.get("value")));
        }
        return map;
      }
      return value instanceof Object[] array
          ? Arrays.stream(array).map(Session::plain).toList()
          : value;
    }

    /** The breaker that the user named. */
    ObjectName breaker(String name, Arguments arguments) throws Failure {
      return named("Breaker", name, arguments);
    }

    /** The method that the user named. */
    ObjectName method(String name, Arguments arguments) throws Failure {
      return named("Method", name, arguments);
    }

    private ObjectName named(String type, String name, Arguments arguments) throws Failure {
      String kind = type.toLowerCase(Locale.ROOT);
      Set<ObjectName> all = mbeans(type, arguments);
      List<ObjectName> named =
          all.stream().filter(n -> name.equals(n.getKeyProperty("name"))).toList();
      if (named.size() == 1) {
        return named.get(0);
      }
      if (named.isEmpty()) {
        Set<String> names = new TreeSet<>();
        all.forEach(n -> names.add(n.getKeyProperty("name")));
        throw new Failure(
            NO_SUCH_BREAKER,
            name + ": no such " + kind + didYouMean(name, names),
            names.isEmpty() ? "there are none" : "there are: " + String.join(", ", names));
      }
      List<String> servers = named.stream().map(Session::server).toList();
      throw Failure.usage(
          name
              + ": several servers have a "
              + kind
              + " of that name: "
              + String.join(", ", servers),
          "choose one: --server " + servers.get(0));
    }

    /** All MBeans of a type, of the chosen server if one is chosen. */
    Set<ObjectName> mbeans(String type, Arguments arguments) throws Failure {
      List<String> servers = servers();
      String server = arguments.get(Option.SERVER);
      if (servers.isEmpty()) {
        throw new Failure(NO_SUCH_BREAKER, where + ": there is no interceptor in this JVM");
      }
      if (server != null && !servers.contains(server)) {
        throw new Failure(
            NO_SUCH_BREAKER,
            "--server: no server " + server + " in this JVM" + didYouMean(server, servers),
            "there are: " + String.join(", ", servers));
      }
      Set<ObjectName> names = query("type=" + type + ",*");
      names.removeIf(name -> server != null && !server(name).equals(server));
      return names;
    }

    /** The start of a command line that reaches this breaker again. */
    String again(ObjectName breaker) throws Failure {
      boolean several =
          query("type=Breaker,name=" + breaker.getKeyProperty("name") + ",*").size() > 1;
      return quoted(PROGRAM) + " " + target + (several ? "--server " + server(breaker) + " " : "");
    }
  }

  private static String said(Throwable error) {
    String message = error.getMessage();
    String line = message == null || message.isBlank() ? "" : message.strip().split("\\R", 2)[0];
    boolean plain =
        error instanceof Failure
            || error instanceof IllegalArgumentException
            || error instanceof IllegalStateException
            || error instanceof SecurityException
            || error.getClass() == IOException.class;
    return plain && !line.isEmpty()
        ? line
        : error.getClass().getSimpleName() + (line.isEmpty() ? "" : ": " + line);
  }

  // ---- commands

  private void ps(Arguments arguments, List<Jvm> jvms) throws Failure {
    List<Object> running = new ArrayList<>();
    List<Object> skipped = new ArrayList<>();
    Table table = new Table("PID> SERVERS MAIN<");
    for (Jvm jvm : jvms) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("pid", jvm.pid);
      if (jvm.session == null) {
        row.put("main", jvm.main);
        row.put("reason", jvm.skipped);
        skipped.add(row);
        if (!arguments.json()) {
          err.println(
              Style.printable("skipped " + jvm.pid + " (" + jvm.main + "): " + jvm.skipped));
        }
        continue;
      }
      jvm.session.close();
      row.put("servers", jvm.servers);
      row.put("main", jvm.main);
      running.add(row);
      table.row(String.valueOf(jvm.pid), String.join(", ", jvm.servers), jvm.main);
    }
    if (arguments.json()) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("jvms", running);
      document.put("skipped", skipped);
      out.println(Json.write(document));
    } else if (running.isEmpty()) {
      err.println("no JVM of this user with an interceptor was found");
    } else {
      table.print(out, style);
    }
  }

  private void list(Arguments arguments, Session session) throws Failure {
    List<Object> rows = new ArrayList<>();
    Table table =
        new Table(
            "SERVER< BREAKER< STATE MODE FAIL> WINDOW> FLIGHT> CALLS> SHED> FULL> OPENED> FOR>");
    for (ObjectName name : session.mbeans("Breaker", arguments)) {
      Fields f =
          new Fields(
              session.read(
                  name,
                  "State Mode ModeReason ModeBy ModeUntil ModeFleetWide Refusing Since Until "
                      + "RetryAfterMillis PassingShare Reason LastTrip LastTripHungCalls "
                      + "LastTripOldestCalls FailureRate SlowCallRate WindowCalls InFlight "
                      + "MaxConcurrentCalls MaxConcurrentCallsSetting OldestCalls CallCount "
                      + "ShedCount FullCount HungCount OpenedCount"));
      rows.add(Json.object(name, f));
      table.row(
          Session.server(name),
          name.getKeyProperty("name"),
          f.text("State"),
          f.text("Mode"),
          f.number("WindowCalls") > 0 ? f.percent("FailureRate") : "-",
          f.count("WindowCalls"),
          f.count("InFlight") + (f.isLimited() ? "/" + f.count("MaxConcurrentCalls") : ""),
          f.count("CallCount"),
          f.count("ShedCount"),
          f.count("FullCount"),
          f.count("OpenedCount"),
          f.ago("Since"));
      if (!f.isQuiet()) {
        table.note(f.now() + f.why());
      }
    }
    if (arguments.json()) {
      out.println(Json.write(rows));
    } else if (rows.isEmpty()) {
      err.println("the interceptor has no breakers");
    } else {
      table.print(out, style);
    }
  }

  private void show(Arguments arguments, Session session) throws Failure {
    ObjectName name = session.breaker(arguments.operands.get(0), arguments);
    Fields f = new Fields(session.read(name, Session.ALL));
    if (arguments.json()) {
      out.println(Json.write(Json.object(name, f)));
      return;
    }
    String state = f.text("State");
    boolean auto = f.text("Mode").equals("AUTO");
    out.println(
        style.bold(name.getKeyProperty("name"))
            + " on "
            + Session.server(name)
            + " ("
            + session.where
            + "): "
            + style.coloured(state)
            + (auto ? "" : ", " + style.coloured(f.text("Mode")))
            + ", "
            + f.deed());

    section("Why");
    line(
        "state",
        state
            + " since "
            + f.clock("Since")
            + " ("
            + f.ago("Since")
            + " ago), cause "
            + f.text("Cause"));
    if (f.number("ConsecutiveOpens") > 1) {
      line("", "opened " + f.times("ConsecutiveOpens") + " in a row without having closed");
    }
    line("reason", f.text("Reason"));
    line("mode", auto ? "AUTO: the state decides" : f.now());
    if (!auto) {
      line(
          "",
          "by "
              + f.text("ModeBy")
              + (f.is("ModeFleetWide") ? ", for the whole fleet" : ", for this instance"));
    }
    if (!f.text("LastTrip").equals("-")) {
      line("last trip", f.text("LastTrip"));
      f.map("LastTripErrors").forEach((error, count) -> line("", count + " x " + error));
      if (f.number("LastTripHungCalls") > 0) {
        line("", f.count("LastTripHungCalls") + " hung, the oldest of the calls under way then:");
        f.list("LastTripOldestCalls").forEach(call -> line("", "  " + call));
      }
    }

    section("Next");
    f.next()
        .forEach(
            text ->
                Style.wrapped(Style.printable(text), Table.WIDTH - 2)
                    .forEach(part -> out.println("  " + part)));

    section("Calls");
    line("now", f.count("InFlight") + " in flight" + f.limit() + threads(session, name));
    List<Object> oldest = f.list("OldestCalls");
    for (int i = 0; i < oldest.size(); i++) {
      line(i == 0 ? "oldest" : "", String.valueOf(oldest.get(i)));
    }
    line(
        "window",
        "%s calls, %s failed, %s slow"
            .formatted(
                f.count("WindowCalls"), f.percent("FailureRate"), f.percent("SlowCallRate")));
    line(
        "since start",
        "%s calls: %s succeeded, %s failed, %s ignored; %s slow, %s found hanging, %s late"
            .formatted(
                f.counts(
                    "CallCount SuccessCount FailureCount IgnoredCount SlowCount HungCount "
                        + "LateCount")));
    line(
        "",
        ("%s refused, %s of them as FULL, %s held off; %s passed only by an operator's word; "
                + "%s given to a fallback")
            .formatted(
                f.counts("ShedCount FullCount HeldOffCount WouldRefuseCount FallbackCount")));
    long openMillis = (long) f.number("OpenMillisTotal");
    line(
        "",
        "opened " + f.times("OpenedCount") + ", open for " + Style.time(openMillis) + " in all");
    Fields latency = new Fields(f.map("Latency"));
    if (latency.number("count") > 0) {
      line(
          "latency",
          "p50 %s  p95 %s  p99 %s  p99.9 %s  max %s  of %s"
              .formatted(
                  latency.millis("p50Millis"),
                  latency.millis("p95Millis"),
                  latency.millis("p99Millis"),
                  latency.millis("p999Millis"),
                  latency.millis("maxMillis"),
                  latency.count("count")));
    }

    section("Settings (version " + f.count("ConfigVersion") + ")");
    List<String> settings = new ArrayList<>();
    f.map("Settings").forEach((key, value) -> settings.add(key + " " + value));
    int half = (settings.size() + 1) / 2;
    for (int i = 0; i < half; i++) {
      String right = i + half < settings.size() ? settings.get(i + half) : "";
      out.println(
          Style.printable(
              String.format(Locale.ROOT, "  %-42s %s", settings.get(i), right).stripTrailing()));
    }

    Map<String, Object> rest = new LinkedHashMap<>(f.values);
    rest.keySet().removeAll(Fields.SHOWN);
    if (!rest.isEmpty()) {
      section("More");
      rest.forEach((key, value) -> out.println("  " + Style.printable(key + " " + value)));
    }

    section("What you can do");
    String program = session.again(name);
    for (Hint hint : hints(f, state, auto)) {
      out.println(
          String.format(Locale.ROOT, "  %-27s ", hint.what + ":")
              + program
              + hint.command.word()
              + " "
              + name.getKeyProperty("name")
              + hint.options);
    }
  }

  private record Hint(String what, Command command, String options) {}

  /** How many threads the server has, which is what an automatic limit goes by. */
  private static String threads(Session session, ObjectName breaker) throws Failure {
    for (ObjectName name : session.query("type=Interceptor,server=" + Session.server(breaker))) {
      Fields f = new Fields(session.read(name, "ServerThreads ServerThreadsTold"));
      if (f.number("ServerThreads") > 0) {
        return "; the server has %s threads%s"
            .formatted(f.count("ServerThreads"), f.is("ServerThreadsTold") ? "" : ", as observed");
      }
    }
    return "";
  }

  private static List<Hint> hints(Fields f, String state, boolean auto) {
    List<Hint> hints = new ArrayList<>();
    String why = " --reason \"...\"";
    String time = " --for 5m" + why;
    if (!auto) {
      hints.add(new Hint("let the state decide", Command.RELEASE, ""));
    }
    if (state.equals("OPEN")) {
      hints.add(new Hint("try the dependency now", Command.PROBE, why));
    }
    if (!state.equals("CLOSED")) {
      hints.add(new Hint("close, forget the failures", Command.RESET, why));
    }
    if (f.isLimited() && f.number("FullCount") > 0) {
      long more = 2 * (long) f.number("MaxConcurrentCalls");
      hints.add(
          new Hint("allow more calls at once", Command.SET, " maxConcurrentCalls " + more + why));
    }
    if (auto) {
      hints.add(
          state.equals("CLOSED")
              ? new Hint("pass all, count refusals", Command.SHADOW, time)
              : new Hint("let calls pass anyway", Command.CLOSE, time));
      hints.add(new Hint("refuse calls in any case", Command.OPEN, time));
    }
    hints.add(new Hint("see what happened before", Command.HISTORY, ""));
    return hints;
  }

  private void section(String title) {
    out.println();
    out.println(style.bold(title));
  }

  private void line(String label, String text) {
    boolean first = true;
    for (String part : Style.wrapped(Style.printable(text), Table.WIDTH - 15)) {
      out.println(String.format(Locale.ROOT, "  %-12s %s", first ? label : "", part));
      first = false;
    }
  }

  private void history(Arguments arguments, Session session) throws Failure {
    ObjectName name = session.breaker(arguments.operands.get(0), arguments);
    Fields f = new Fields(session.read(name, "History"));
    if (arguments.json()) {
      out.println(Json.write(Json.object(name, f)));
      return;
    }
    List<Object> lines = f.list("History");
    if (lines.isEmpty()) {
      err.println(name.getKeyProperty("name") + ": no transitions yet");
    }
    lines.forEach(line -> out.println(Style.printable(String.valueOf(line))));
  }

  private void methods(Arguments arguments, Session session) throws Failure {
    List<Object> rows = new ArrayList<>();
    Table table = new Table("SERVER< METHOD< REQUESTS> OK> FAILED> SHED> FLIGHT> P50> P99> NEEDS<");
    for (ObjectName name : session.mbeans("Method", arguments)) {
      Fields f = new Fields(session.read(name, Session.ALL));
      Fields latency = new Fields(f.map("Latency"));
      boolean timed = latency.number("count") > 0;
      rows.add(Json.object(name, f));
      List<Fields> requirements = requirements(f);
      List<String> needs =
          requirements.isEmpty()
              ? f.list("Requires").stream().map(String::valueOf).toList()
              : requirements.stream().filter(r -> r.is("needed")).map(Breakers::need).toList();
      table.row(
          Session.server(name),
          name.getKeyProperty("name"),
          f.count("RequestCount"),
          f.count("SuccessCount"),
          f.count("FailureCount"),
          f.count("ShedCount"),
          f.count("InFlight"),
          timed ? latency.millis("p50Millis") : "-",
          timed ? latency.millis("p99Millis") : "-",
          needs.isEmpty() ? "-" : String.join(",", needs));
      List<String> grounds =
          requirements.stream()
              .filter(r -> !r.text("source").equals("DECLARED"))
              .filter(r -> r.is("needed") || r.text("source").equals("OPERATOR"))
              .map(Breakers::ground)
              .toList();
      if (!grounds.isEmpty()) {
        table.note(String.join("; ", grounds));
      }
    }
    if (arguments.json()) {
      out.println(Json.write(rows));
    } else if (rows.isEmpty()) {
      err.println("no methods are known yet");
    } else {
      table.print(out, style);
    }
  }

  @SuppressWarnings("unchecked")
  private static List<Fields> requirements(Fields method) {
    return method.list("Requirements").stream()
        .map(one -> new Fields((Map<String, Object>) one))
        .toList();
  }

  private static String need(Fields requirement) {
    String source = requirement.text("source");
    return requirement.text("dependency")
        + (source.equals("DECLARED") ? "" : "(" + source.toLowerCase(Locale.ROOT) + ")");
  }

  private static String ground(Fields requirement) {
    String dependency = requirement.text("dependency");
    if (requirement.text("source").equals("OPERATOR")) {
      return dependency
          + (requirement.is("needed") ? ": needed" : ": not needed")
          + ", an operator said";
    }
    return "%s: used by %s of %s requests, %s of %s failed when it refused"
        .formatted(
            dependency,
            requirement.text("uses"),
            requirement.text("requests"),
            requirement.text("failures"),
            requirement.text("refusals"));
  }

  private void redis(Arguments arguments, Session session) throws Failure {
    List<Object> rows = new ArrayList<>();
    for (ObjectName name : session.mbeans("RedisLink", arguments)) {
      Fields f = new Fields(session.read(name, Session.ALL));
      rows.add(Json.object(name, f));
      if (!arguments.json()) {
        out.println(
            style.bold(Session.server(name))
                + ": Redis "
                + Style.printable(f.text("Address"))
                + " "
                + style.coloured(Style.printable(f.text("Status"))));
        f.values.forEach(
            (key, value) -> {
              if (value instanceof List<?> lines) {
                lines.forEach(text -> out.println(Style.printable("  " + key + ": " + text)));
              } else if (!key.equals("Address") && !key.equals("Status")) {
                out.println(
                    Style.printable(String.format(Locale.ROOT, "  %-15s %s", key, f.text(key))));
              }
            });
      }
    }
    if (arguments.json()) {
      out.println(Json.write(rows));
    } else if (rows.isEmpty()) {
      err.println("no server here uses Redis: state is in memory");
    }
  }

  private void change(Arguments arguments, Session session) throws Failure {
    Command command = arguments.command;
    String breaker = arguments.operands.get(0);
    ObjectName name = session.breaker(breaker, arguments);
    String fleet = arguments.has(Option.FLEET) ? "Fleet" : "";
    String reason =
        arguments.has(Option.REASON)
            ? arguments.get(Option.REASON)
            : "released with the breakers command";
    String operation =
        switch (command) {
          case OPEN -> "forceOpen" + fleet;
          case CLOSE -> "forceClosed" + fleet;
          case SHADOW -> "shadow" + fleet;
          case PROBE -> "probeNow";
          default -> command.word();
        };
    List<Object> values = new ArrayList<>();
    List<String> types = new ArrayList<>();
    if (command.forced()) {
      values.add(arguments.seconds());
      types.add("long");
    }
    if (command == Command.SET) {
      values.addAll(arguments.operands.subList(1, 3));
      types.addAll(List.of("java.lang.String", "java.lang.String"));
    }
    values.add(reason);
    types.add("java.lang.String");

    Object changed = invoke(session, name, operation, values, types, "show " + breaker);
    if (arguments.json()) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("server", Session.server(name));
      document.put("breaker", breaker);
      document.put("command", command.word());
      document.put("change", changed);
      new Fields(session.read(name, "State Mode ModeUntil ModeFleetWide Refusing"))
          .values.forEach((key, value) -> document.put(Json.key(key), value));
      out.println(Json.write(document));
      return;
    }
    out.println(Style.printable(breaker + " on " + Session.server(name) + ": " + changed));
    if (command.forced()) {
      err.println("to end it before: " + session.again(name) + "release " + breaker);
    }
  }

  private void need(Arguments arguments, Session session) throws Failure {
    String method = arguments.operands.get(0);
    ObjectName name = session.method(method, arguments);
    String operation =
        switch (arguments.word()) {
          case "yes" -> "declareNeeded";
          case "no" -> "declareNotNeeded";
          default -> "learn";
        };
    Object changed =
        invoke(
            session,
            name,
            operation,
            List.of(arguments.operands.get(1), arguments.get(Option.REASON)),
            List.of("java.lang.String", "java.lang.String"),
            "methods");
    if (arguments.json()) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("server", Session.server(name));
      document.put("method", method);
      document.put("command", arguments.command.word());
      document.put("change", changed);
      new Fields(session.read(name, "Requires LearnedRequires Requirements"))
          .values.forEach((key, value) -> document.put(Json.key(key), value));
      out.println(Json.write(document));
    } else {
      out.println(Style.printable(method + " on " + Session.server(name) + ": " + changed));
    }
  }

  /**
   * @param look the command that shows whether the change was made
   */
  private static Object invoke(
      Session session,
      ObjectName name,
      String operation,
      List<Object> values,
      List<String> types,
      String look)
      throws Failure {
    try {
      return session.call(
          () ->
              session.mbeans.invoke(
                  name, operation, values.toArray(), types.toArray(String[]::new)));
    } catch (Failure failure) {
      if (failure.exit != UNREACHABLE) {
        throw failure;
      }
      throw new Failure(
          UNREACHABLE,
          failure.getMessage() + "; whether the change was made is not known",
          "see: " + quoted(PROGRAM) + " " + session.target + look);
    }
  }

  /** Prints transitions as the server tells of them. Asks for a sign of life once a second. */
  private final class Watch {
    private static final long HEARTBEAT_NANOS = 1_000_000_000;

    /** What the connection's threads hand over to the one that prints. */
    private record Event(ObjectName breaker, Notification notification) {}

    private final Arguments arguments;
    private final Session session;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Set<ObjectName> watched = new TreeSet<>();

    Watch(Arguments arguments, Session session) {
      this.arguments = arguments;
      this.session = session;
    }

    void run() throws Failure {
      session.connector.addConnectionNotificationListener(
          (notification, ignored) -> events.add(new Event(null, notification)), null, null);
      if (!arguments.operands.isEmpty()) {
        session.breaker(arguments.operands.get(0), arguments);
      }
      look();
      err.println(
          "watching "
              + watched.size()
              + (watched.size() == 1 ? " breaker" : " breakers")
              + "; Ctrl-C ends");
      long next = System.nanoTime() + HEARTBEAT_NANOS;
      while (!out.checkError()) {
        long left = next - System.nanoTime();
        if (left <= 0) {
          look();
          next = System.nanoTime() + HEARTBEAT_NANOS;
          continue;
        }
        try {
          Event event = events.poll(left, TimeUnit.NANOSECONDS);
          if (event != null) {
            tell(event);
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }

    /** Takes in breakers that are new, and drops those that are gone. */
    private void look() throws Failure {
      Set<ObjectName> present = session.query("type=Breaker,*");
      present.removeIf(name -> !wanted(name));
      for (ObjectName name : present) {
        if (watched.add(name)) {
          session.call(
              () -> {
                session.mbeans.addNotificationListener(
                    name,
                    (notification, breaker) ->
                        events.add(new Event((ObjectName) breaker, notification)),
                    null,
                    name);
                return null;
              });
          tellState(name);
        }
      }
      for (ObjectName name : List.copyOf(watched)) {
        if (!present.contains(name)) {
          watched.remove(name);
          print(
              System.currentTimeMillis(),
              name,
              "gone",
              Map.of(),
              "gone: its interceptor was closed");
        }
      }
      if (watched.isEmpty()) {
        throw new Failure(UNREACHABLE, session.where + ": no breaker is left to watch");
      }
    }

    private boolean wanted(ObjectName name) {
      String server = arguments.get(Option.SERVER);
      return (server == null || server.equals(Session.server(name)))
          && (arguments.operands.isEmpty()
              || arguments.operands.get(0).equals(name.getKeyProperty("name")));
    }

    private void tellState(ObjectName name) throws Failure {
      Fields f =
          new Fields(
              session.read(
                  name,
                  "State Mode ModeReason ModeUntil Refusing RetryAfterMillis PassingShare Reason "
                      + "InFlight MaxConcurrentCalls"));
      Map<String, Object> values = new LinkedHashMap<>();
      f.values.forEach((key, value) -> values.put(Json.key(key), value));
      print(
          System.currentTimeMillis(),
          name,
          "state",
          values,
          "is " + f.text("State") + (f.isQuiet() ? "" : ", " + f.now()) + ": " + f.text("Reason"));
    }

    private void tell(Event event) throws Failure {
      Notification notification = event.notification;
      if (notification instanceof JMXConnectionNotification) {
        String type = notification.getType();
        if (type.equals(JMXConnectionNotification.NOTIFS_LOST)) {
          err.println("breakers: warning: " + notification.getMessage() + "; the state now:");
          for (ObjectName name : watched) {
            tellState(name);
          }
        } else if (!type.equals(JMXConnectionNotification.OPENED)) {
          throw new Failure(
              UNREACHABLE, session.where + ": connection lost: " + notification.getMessage());
        }
        return;
      }
      Map<String, Object> values = new LinkedHashMap<>();
      values.put("sequence", notification.getSequenceNumber());
      if (notification instanceof AttributeChangeNotification change) {
        values.put("attribute", change.getAttributeName());
        values.put("from", change.getOldValue());
        values.put("to", change.getNewValue());
      }
      values.put("message", notification.getMessage());
      print(
          notification.getTimeStamp(),
          event.breaker,
          "transition",
          values,
          notification.getMessage());
    }

    private void print(
        long atMillis, ObjectName name, String event, Map<String, Object> values, String text) {
      if (arguments.json()) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("time", Instant.ofEpochMilli(atMillis).toString());
        line.put("event", event);
        line.put("server", Session.server(name));
        line.put("breaker", name.getKeyProperty("name"));
        line.putAll(values);
        out.println(Json.write(line));
      } else {
        String who = Session.server(name) + "/" + name.getKeyProperty("name");
        out.println(
            Style.CLOCK_MILLIS.format(Instant.ofEpochMilli(atMillis))
                + String.format(Locale.ROOT, "  %-24s ", who)
                + style.colouredWords(Style.printable(text)));
      }
    }
  }

  // ---- output

  /** The attributes of an MBean, as text for people; what is missing is a dash. */
  private static final class Fields {
    /** What {@code show} prints in its groups; anything else goes under More. */
    static final Set<String> SHOWN =
        words(
            "Name State StateCode States Mode ModeReason ModeBy ModeUntil ModeFleetWide "
                + "Refusing Since Until RetryAfterMillis PassingShare ConsecutiveOpens Cause Reason "
                + "LastTrip LastTripErrors LastTripHungCalls LastTripOldestCalls CallCount "
                + "SuccessCount FailureCount IgnoredCount SlowCount HungCount ShedCount FullCount "
                + "HeldOffCount FallbackCount LateCount WouldRefuseCount InFlight MaxConcurrentCalls "
                + "MaxConcurrentCallsSetting OldestCalls WindowCalls FailureRate "
                + "SlowCallRate OpenedCount OpenMillisTotal Latency Settings ConfigVersion "
                + "History");

    final Map<String, Object> values;

    Fields(Map<String, Object> values) {
      this.values = values;
    }

    String text(String name) {
      Object value = values.get(name);
      return value == null || value.toString().isBlank() ? "-" : value.toString();
    }

    boolean is(String name) {
      return Boolean.TRUE.equals(values.get(name));
    }

    double number(String name) {
      try {
        return Double.parseDouble(text(name)); // settings are texts
      } catch (NumberFormatException e) {
        return Double.NaN;
      }
    }

    String count(String name) {
      return values.get(name) instanceof Number number ? Style.count(number.longValue()) : "-";
    }

    Object[] counts(String names) {
      return Arrays.stream(names.split(" ")).map(this::count).toArray();
    }

    String times(String name) {
      return count(name) + (number(name) == 1 ? " time" : " times");
    }

    String percent(String name) {
      double share = number(name);
      return Double.isNaN(share) ? "-" : Math.round(share * 100) + "%";
    }

    String millis(String name) {
      double millis = number(name);
      return Double.isNaN(millis)
          ? "-"
          : String.format(Locale.ROOT, millis < 10 ? "%.1f ms" : "%.0f ms", millis);
    }

    @SuppressWarnings("unchecked")
    Map<String, Object> map(String name) {
      return values.get(name) instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    @SuppressWarnings("unchecked")
    List<Object> list(String name) {
      return values.get(name) instanceof List<?> list ? (List<Object>) list : List.of();
    }

    private Optional<Instant> instant(String name) {
      try {
        return Optional.of(Instant.parse(text(name)));
      } catch (DateTimeParseException e) {
        return Optional.empty();
      }
    }

    String clock(String name) {
      return instant(name).map(Style.CLOCK::format).orElse(text(name));
    }

    String ago(String name) {
      return instant(name)
          .map(at -> Style.time(Math.max(0, System.currentTimeMillis() - at.toEpochMilli())))
          .orElse("-");
    }

    private String left(String name) {
      return instant(name)
          .map(
              at ->
                  " ("
                      + Style.time(Math.max(0, at.toEpochMilli() - System.currentTimeMillis()))
                      + " left)")
          .orElse("");
    }

    /** What happens at the moment, in half a line. */
    String now() {
      String mode = text("Mode");
      if (!mode.equals("AUTO")) {
        return mode
            + " until "
            + clock("ModeUntil")
            + left("ModeUntil")
            + ": "
            + text("ModeReason");
      }
      return switch (text("State")) {
        case "OPEN" -> "half open " + in("RetryAfterMillis");
        case "HALF_OPEN" -> "probing";
        case "RAMPING" -> "lets " + share() + " of the calls pass";
        default ->
            is("Refusing")
                ? "FULL, " + count("InFlight") + " calls under way" + limit()
                : "watching";
      };
    }

    /** Why that happens, after {@link #now()}; nothing where an operator decides. */
    String why() {
      if (!text("Mode").equals("AUTO")) {
        return "";
      }
      if (text("State").equals("CLOSED")) {
        return oldest("OldestCalls");
      }
      boolean hung = number("LastTripHungCalls") > 0 && text("LastTrip").equals(text("Reason"));
      return ": " + text("Reason") + (hung ? oldest("LastTripOldestCalls") : "");
    }

    private String oldest(String calls) {
      return list(calls).isEmpty() ? "" : "; oldest: " + list(calls).get(0);
    }

    /** Whether it is as it should be, so that there is nothing to say. */
    boolean isQuiet() {
      return text("State").equals("CLOSED") && text("Mode").equals("AUTO") && !is("Refusing");
    }

    /** What it does with calls, in a few words. */
    String deed() {
      String deed = is("Refusing") ? "refuses calls" : "lets calls pass";
      return switch (text("Mode").equals("AUTO") ? text("State") : "") {
        case "HALF_OPEN" -> "lets probes pass";
        case "RAMPING" -> "lets " + share() + " of the calls pass";
        case "CLOSED" -> deed + (is("Refusing") ? " as FULL" : "");
        default -> deed;
      };
    }

    private String share() {
      return Double.isNaN(number("PassingShare")) ? "a growing share" : percent("PassingShare");
    }

    boolean isLimited() {
      return number("MaxConcurrentCalls") > 0;
    }

    /** How many calls may be under way, to follow how many are. */
    String limit() {
      if (!isLimited()) {
        return "";
      }
      boolean auto = text("MaxConcurrentCallsSetting").equals("auto");
      return ", at most " + count("MaxConcurrentCalls") + " at once" + (auto ? " (auto)" : "");
    }

    private String in(String name) {
      double millis = number(name);
      return millis > 0 ? "in " + Style.time((long) millis) : "with the next call";
    }

    /** What will happen, in lines. */
    List<String> next() {
      Fields settings = new Fields(map("Settings"));
      List<String> lines = new ArrayList<>();
      String mode = text("Mode");
      if (!mode.equals("AUTO")) {
        lines.add(
            (mode.equals("FORCED_OPEN")
                    ? "Every call is refused until "
                    : "Every call passes until ")
                + clock("ModeUntil")
                + left("ModeUntil")
                + (mode.equals("SHADOW") ? "; what would be refused is counted." : "."));
        lines.add(
            "After that, or when released, the state decides again; it is "
                + text("State")
                + " now.");
      }
      switch (text("State")) {
        case "OPEN" -> {
          lines.add(
              (mode.equals("AUTO") ? "Refuses calls; half open " : "The state: half open ")
                  + in("RetryAfterMillis")
                  + (number("RetryAfterMillis") > 0 ? ", at " + clock("Until") + "." : "."));
          if (settings.isSet("earlyProbeInterval")) {
            lines.add(
                "Until then a call passes now and then, to try; "
                    + settings.text("probeSuccesses")
                    + " good ones in a row are enough.");
          }
          lines.add(probing(settings));
        }
        case "HALF_OPEN" -> {
          lines.add(
              "Lets up to "
                  + settings.text("probes")
                  + " probes pass at a time, refuses the rest.");
          lines.add(probing(settings));
        }
        case "RAMPING" -> {
          lines.add("Lets " + share() + " of the calls pass, refuses the rest.");
          lines.add(
              "Twice as many after each good "
                  + settings.text("rampInterval")
                  + ", half as many after a bad one, closed at 100%.");
          lines.add("Opens again on what opens a closed breaker.");
        }
        case "CLOSED" -> {
          String inARow =
              settings.number("consecutiveFailures") > 0
                  ? ", or with fewer calls after %s failures in a row"
                      .formatted(settings.text("consecutiveFailures"))
                  : "";
          lines.add(
              "Opens at a failure rate of %s or a slow rate of %s (slow: %s) of at least %s calls%s."
                  .formatted(
                      settings.percent("failureRateThreshold"),
                      settings.percent("slowCallRateThreshold"),
                      settings.text("slowCallDuration"),
                      settings.text("minimumCalls"),
                      inARow));
          if (isLimited()) {
            lines.add(
                "Refuses as FULL what is more than "
                    + count("MaxConcurrentCalls")
                    + " calls at once; opens if those hang.");
          }
        }
        default -> lines.add(now() + ".");
      }
      return lines;
    }

    /** Whether a setting is known and not 0. */
    private boolean isSet(String name) {
      return !Set.of("-", "0s").contains(text(name));
    }

    private static String probing(Fields settings) {
      boolean ramps = settings.isSet("rampInterval") && settings.number("rampStart") < 1;
      return "After "
          + settings.text("probeSuccesses")
          + " good probes "
          + (ramps ? "ramps up from " + settings.percent("rampStart") + " of the calls" : "closes")
          + "; if they fail, opens again for up to "
          + settings.text("maxOpenDuration")
          + ".";
    }
  }

  /** Columns; a title ends with &gt; for numbers, or with &lt; if its texts may be shortened. */
  private static final class Table {
    static final int WIDTH = 100;
    private static final int SHORTEST = 8;

    private final String[] titles;
    private final char[] kinds;
    private final List<String[]> rows = new ArrayList<>();
    private final Map<Integer, String> notes = new HashMap<>();

    Table(String columns) {
      titles = columns.replaceAll("[<>]", "").split(" ");
      kinds = new char[titles.length];
      for (int i = 0; i < titles.length; i++) {
        String column = columns.split(" ")[i];
        kinds[i] = column.charAt(column.length() - 1);
      }
    }

    void row(String... cells) {
      for (int i = 0; i < cells.length; i++) {
        cells[i] = Style.printable(cells[i]);
      }
      rows.add(cells);
    }

    /** A line below the latest row. */
    void note(String text) {
      notes.put(rows.size() - 1, Style.printable(text));
    }

    void print(PrintStream out, Style style) {
      int[] widths = new int[titles.length];
      for (int i = 0; i < widths.length; i++) {
        widths[i] = titles[i].length();
        for (String[] row : rows) {
          widths[i] = Math.max(widths[i], row[i].length());
        }
      }
      int gap = total(widths, 2) <= WIDTH ? 2 : 1;
      while (style.terminal && total(widths, gap) > WIDTH && shrink(widths)) {
        // once more
      }
      out.println(style.bold(line(titles, widths, gap, null)));
      for (int i = 0; i < rows.size(); i++) {
        out.println(line(rows.get(i), widths, gap, style));
        if (notes.containsKey(i)) {
          Style.wrapped(notes.get(i), WIDTH - 4).forEach(part -> out.println("    " + part));
        }
      }
    }

    private static int total(int[] widths, int gap) {
      return Arrays.stream(widths).sum() + gap * (widths.length - 1);
    }

    private boolean shrink(int[] widths) {
      int widest = -1;
      for (int i = 0; i < widths.length; i++) {
        if (kinds[i] == '<' && widths[i] > SHORTEST && (widest < 0 || widths[i] > widths[widest])) {
          widest = i;
        }
      }
      if (widest >= 0) {
        widths[widest]--;
      }
      return widest >= 0;
    }

    private String line(String[] cells, int[] widths, int gap, Style style) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < cells.length; i++) {
        String cell = cells[i];
        if (cell.length() > widths[i]) {
          int head = (widths[i] - 2) / 2;
          cell =
              cell.substring(0, head)
                  + ".."
                  + cell.substring(cell.length() - (widths[i] - 2 - head));
        }
        String space = " ".repeat(widths[i] - cell.length());
        String shown = style == null ? cell : style.coloured(cell);
        line.append(i == 0 ? "" : " ".repeat(gap))
            .append(kinds[i] == '>' ? space + shown : shown + space);
      }
      return line.toString().stripTrailing();
    }
  }

  /** Colours, and how numbers and times are written. */
  private static final class Style {
    static final DateTimeFormatter CLOCK =
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    static final DateTimeFormatter CLOCK_MILLIS =
        DateTimeFormatter.ofPattern("HH:mm:ss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private static final Map<String, String> COLOURS =
        Map.of(
            "CLOSED",
            "32",
            "UP",
            "32",
            "HALF_OPEN",
            "33",
            "RAMPING",
            "33",
            "CONNECTING",
            "33",
            "OPEN",
            "31",
            "DEGRADED",
            "31",
            "FORCED_OPEN",
            "35",
            "FORCED_CLOSED",
            "35",
            "SHADOW",
            "35");
    private static final Pattern COLOURED_WORDS =
        Pattern.compile("\\b(CLOSED|HALF_OPEN|RAMPING|OPEN|FORCED_OPEN|FORCED_CLOSED|SHADOW)\\b");

    final boolean terminal;
    private final boolean colour;

    Style(boolean terminal, boolean colour) {
      this.terminal = terminal;
      this.colour = colour;
    }

    String bold(String text) {
      return colour ? "\u001b[1m" + text + "\u001b[0m" : text;
    }

    String coloured(String word) {
      String code = COLOURS.get(word);
      return colour && code != null ? "\u001b[" + code + "m" + word + "\u001b[0m" : word;
    }

    String colouredWords(String text) {
      return colour
          ? COLOURED_WORDS.matcher(text).replaceAll(match -> coloured(match.group()))
          : text;
    }

    /** One line that cannot steer the terminal, whatever a reason or an error contains. */
    static String printable(String text) {
      StringBuilder line = new StringBuilder(text.length());
      text.chars()
          .forEach(
              c ->
                  line.append(
                      c == '\n' || c == '\t' ? ' ' : Character.isISOControl(c) ? '?' : (char) c));
      return line.toString();
    }

    static List<String> wrapped(String text, int width) {
      List<String> lines = new ArrayList<>();
      String rest = text;
      while (rest.length() > width) {
        int space = rest.lastIndexOf(' ', width);
        int cut = space > width / 2 ? space : width;
        lines.add(rest.substring(0, cut).strip());
        rest = rest.substring(cut).strip();
      }
      lines.add(rest);
      return lines;
    }

    static String count(long number) {
      if (Math.abs(number) < 1_000_000) {
        return String.format(Locale.ROOT, "%,d", number);
      }
      return Math.abs(number) < 1_000_000_000
          ? String.format(Locale.ROOT, "%.1fM", number / 1e6)
          : String.format(Locale.ROOT, "%.1fG", number / 1e9);
    }

    static String time(long millis) {
      if (millis < 1_000) {
        return millis + " ms";
      }
      long seconds = millis / 1_000;
      if (seconds < 60) {
        return seconds < 10 && millis % 1_000 >= 100
            ? String.format(Locale.ROOT, "%d.%d s", seconds, millis % 1_000 / 100)
            : seconds + " s";
      }
      if (seconds < 3_600) {
        return two(seconds / 60, "m", seconds % 60, "s");
      }
      return seconds < 86_400
          ? two(seconds / 3_600, "h", seconds % 3_600 / 60, "m")
          : two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h");
    }

    private static String two(long big, String bigUnit, long small, String smallUnit) {
      return big + bigUnit + (small == 0 ? "" : " " + small + smallUnit);
    }
  }

  /** Writes maps, lists, strings, numbers, booleans and null as JSON on one line. */
  static final class Json {

    private Json() {}

    /** A breaker or the like with its server, name and attributes. */
    private static Map<String, Object> object(ObjectName name, Fields fields) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("server", Session.server(name));
      if (name.getKeyProperty("name") != null) {
        object.put("name", name.getKeyProperty("name"));
      }
      fields.values.forEach((attribute, value) -> object.put(key(attribute), value));
      return object;
    }

    static String key(String attribute) {
      return Character.toLowerCase(attribute.charAt(0)) + attribute.substring(1);
    }

    static String write(Object value) {
      StringBuilder json = new StringBuilder();
      write(value, json);
      return json.toString();
    }

    private static void write(Object value, StringBuilder json) {
      if (value instanceof Map<?, ?> map) {
        String comma = "";
        json.append('{');
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          json.append(comma);
          string(String.valueOf(entry.getKey()), json);
          json.append(':');
          write(entry.getValue(), json);
          comma = ",";
        }
        json.append('}');
      } else if (value instanceof Collection<?> list) {
        String comma = "";
        json.append('[');
        for (Object element : list) {
          json.append(comma);
          write(element, json);
          comma = ",";
        }
        json.append(']');
      } else if (value instanceof Number number) {
        json.append(Double.isFinite(number.doubleValue()) ? number.toString() : "null");
      } else if (value == null || value instanceof Boolean) {
        json.append(value);
      } else {
        string(value.toString(), json);
      }
    }

    private static void string(String text, StringBuilder json) {
      json.append('"');
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        switch (c) {
          case '"' -> json.append("\\\"");
          case '\\' -> json.append("\\\\");
          case '\n' -> json.append("\\n");
          case '\r' -> json.append("\\r");
          case '\t' -> json.append("\\t");
          default -> {
            if (c < 0x20 || c == 0x7f || Character.isSurrogate(c) && !paired(text, i)) {
              json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
              json.append(c);
            }
          }
        }
      }
      json.append('"');
    }

    private static boolean paired(String text, int i) {
      return Character.isHighSurrogate(text.charAt(i))
          ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
          : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }
  }
}
