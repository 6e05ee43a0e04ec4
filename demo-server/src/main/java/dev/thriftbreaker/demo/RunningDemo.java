package dev.thriftbreaker.demo;

import dev.thriftbreaker.demo.process.Cleanup;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/**
 * Where a running demo can be steered: a file in the directory for temporary files, one per user
 * and port of the shop, that {@code fault} and {@code load} find it by.
 *
 * @param pid the process that wrote the file; when it is gone the file is void
 * @param controlPort the port of the control service
 * @param faultPorts the ports where downstream services take faults, by name
 */
record RunningDemo(long pid, int controlPort, Map<String, Integer> faultPorts) {

  private static final String FAULTS = "faults.";

  void announce(int port) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("pid", String.valueOf(pid));
    properties.setProperty("control", String.valueOf(controlPort));
    faultPorts.forEach(
        (name, faultPort) -> properties.setProperty(FAULTS + name, String.valueOf(faultPort)));
    Path file = file(port);
    Files.deleteIfExists(file);
    try (var out = Files.newBufferedWriter(file, StandardOpenOption.CREATE_NEW)) {
      properties.store(out, null);
    }
    Cleanup.atExit(() -> Files.deleteIfExists(file));
  }

  /** The demo whose shop has this port, or null. */
  static RunningDemo find(int port) {
    Properties properties = new Properties();
    try (Reader in = new StringReader(Files.readString(file(port)))) {
      properties.load(in);
      long pid = Long.parseLong(properties.getProperty("pid"));
      if (ProcessHandle.of(pid).isEmpty()) {
        return null;
      }
      Map<String, Integer> faultPorts = new HashMap<>();
      for (String key : properties.stringPropertyNames()) {
        if (key.startsWith(FAULTS)) {
          faultPorts.put(
              key.substring(FAULTS.length()), Integer.valueOf(properties.getProperty(key)));
        }
      }
      return new RunningDemo(pid, Integer.parseInt(properties.getProperty("control")), faultPorts);
    } catch (IOException | NumberFormatException e) {
      return null;
    }
  }

  private static Path file(int port) {
    return Path.of(
        System.getProperty("java.io.tmpdir"),
        "thrift-breaker-demo-" + System.getProperty("user.name") + "-" + port + ".properties");
  }
}
