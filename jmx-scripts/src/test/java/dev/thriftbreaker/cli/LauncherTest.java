package dev.thriftbreaker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.thriftbreaker.cli.Cli.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bash script: which Java, which program. */
class LauncherTest {

  private static final Path SOURCE = Path.of("src/main/java/dev/thriftbreaker/cli/Breakers.java");

  @TempDir Path directory;
  private Path copy;

  @BeforeEach
  void copyIntoADirectoryWithSpaces() throws IOException {
    Path home = directory.resolve("a home");
    copy = home.resolve("breakers");
    Files.createDirectories(home.resolve(SOURCE).getParent());
    Files.copy(SOURCE, home.resolve(SOURCE));
    Files.copy(Cli.LAUNCHER, copy, StandardCopyOption.COPY_ATTRIBUTES);
  }

  @Test
  void runsTheJarThatMavenBuilt() {
    assertThat(Cli.run("--version").out()).startsWith("breakers ").doesNotContain("source");
  }

  @Test
  void runsTheSourceThroughLinksWhereThereIsNoJar() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("a link"), Path.of("a home/breakers"));
    Path linkToLink = Files.createSymbolicLink(directory.resolve("brk"), link);

    Result result =
        Cli.finish(Cli.builder(linkToLink, "--version").directory(Path.of("/").toFile()));

    assertThat(result.err()).isEmpty();
    assertThat(result.out()).contains("run from source");
  }

  @Test
  void aJarOlderThanTheSourceIsNotRun() throws Exception {
    Path jar = Files.createDirectory(copy.resolveSibling("target")).resolve("breakers.jar");
    Files.writeString(jar, "not a jar");
    Files.setLastModifiedTime(jar, FileTime.fromMillis(0));

    assertThat(Cli.run(copy, "--version").exit()).isZero();
  }

  @Test
  void javaThatIsMissingOrTooOldIsSaid() throws Exception {
    Path tools = Files.createDirectory(directory.resolve("tools"));
    for (String tool : new String[] {"bash", "env", "sed", "head", "readlink"}) {
      Path found = Path.of("/usr/bin", tool);
      Files.copy(
          Files.exists(found) ? found : Path.of("/bin", tool),
          tools.resolve(tool),
          StandardCopyOption.COPY_ATTRIBUTES);
    }
    Path old = Files.createDirectories(directory.resolve("old/bin")).resolve("java");
    Files.writeString(old, "#!/bin/sh\necho 'openjdk version \"1.8.0_292\"' >&2\n");
    Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rwxr-xr-x"));

    Result none = withPath(tools, null);
    Result tooOld = withPath(tools, directory.resolve("old"));
    Result wrong = withPath(tools, directory.resolve("nowhere"));

    assertThat(none.exit()).isEqualTo(3);
    assertThat(none.err()).contains("no Java 17 or newer: none in JAVA_HOME or on the PATH");
    assertThat(tooOld.exit()).isEqualTo(3);
    assertThat(tooOld.err()).contains(old + " (Java 8)");
    assertThat(wrong.exit()).isEqualTo(3);
    assertThat(wrong.err()).contains("nowhere/bin/java (not there)");
  }

  private Result withPath(Path path, Path javaHome) {
    ProcessBuilder builder = Cli.builder(Cli.LAUNCHER, "ps");
    Map<String, String> environment = builder.environment();
    environment.put("PATH", path.toString());
    environment.remove("JAVA_HOME");
    if (javaHome != null) {
      environment.put("JAVA_HOME", javaHome.toString());
    }
    return Cli.finish(builder);
  }

  @Test
  void withoutTheAttachModuleProcessesCannotBeReachedAndThatIsSaid() {
    ProcessBuilder builder = Cli.builder(Cli.LAUNCHER, "ps");
    builder.environment().put("BREAKERS_JAVA_OPTS", "--limit-modules java.management.rmi");

    Result result = Cli.finish(builder);

    assertThat(result.exit()).isEqualTo(3);
    assertThat(result.err()).contains("no module jdk.attach").contains("-u host:port needs none");
  }

  @Test
  void optionsMeantForServersDoNotReachTheProgram() {
    ProcessBuilder builder = Cli.builder(Cli.LAUNCHER, "--version");
    builder.environment().put("JAVA_TOOL_OPTIONS", "-XX:NoSuchOption");

    Result result = Cli.finish(builder);

    assertThat(result.exit()).isZero();
    assertThat(result.err()).isEmpty();
  }
}
