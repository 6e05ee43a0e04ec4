package dev.thriftbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * In JVMs where nobody has used JMX yet, MBeans are registered on another thread than build()'s.
 */
class ColdStartTest {

  private static final String ALL = "Breaker=2 Interceptor=1 Method=1 Metric=62";

  private static String run(String what) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-cp",
                System.getProperty("java.class.path"),
                ColdStartMain.class.getName(),
                what)
            .redirectErrorStream(true)
            .start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
  }

  @Test
  void whoeverLooksAfterBuildFindsAllMBeans() throws Exception {
    assertThat(run("look")).isEqualTo("true " + ALL);
  }

  @Test
  void aNameTakenAMomentAgoIsRefusedByBuild() throws Exception {
    assertThat(run("clash").lines())
        .satisfiesExactly(
            message ->
                assertThat(message)
                    .startsWith("dev.thriftbreaker:type=Interceptor,server=cold is registered"),
            rest -> assertThat(rest).isEqualTo(ALL));
  }

  @Test
  void oneThatIsClosedAtOnceLeavesNothing() throws Exception {
    assertThat(run("close")).isEqualTo("left:");
  }

  /** What the way MBeans are registered relies on. */
  @Test
  void theJdkLocksItsMBeanServerWhileItIsMade() throws Exception {
    int modifiers = ManagementFactory.class.getMethod("getPlatformMBeanServer").getModifiers();
    assertThat(Modifier.isSynchronized(modifiers)).isTrue();
  }
}
