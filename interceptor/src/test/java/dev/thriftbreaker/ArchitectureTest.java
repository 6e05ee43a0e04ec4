package dev.thriftbreaker;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

/**
 * The direction of imports: root, management, fleet.redis, fleet, breaker; and root, thrift,
 * breaker.
 */
@AnalyzeClasses(
    packages = "dev.thriftbreaker",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule importsPointOneWay =
      Architectures.layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("root")
          .definedBy("dev.thriftbreaker")
          .layer("management")
          .definedBy("dev.thriftbreaker.management")
          .layer("redis")
          .definedBy("dev.thriftbreaker.fleet.redis")
          .layer("fleet")
          .definedBy("dev.thriftbreaker.fleet")
          .layer("thrift")
          .definedBy("dev.thriftbreaker.thrift")
          .layer("breaker")
          .definedBy("dev.thriftbreaker.breaker")
          .whereLayer("root")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("management")
          .mayOnlyBeAccessedByLayers("root")
          .whereLayer("redis")
          .mayOnlyBeAccessedByLayers("root", "management")
          .whereLayer("fleet")
          .mayOnlyBeAccessedByLayers("root", "management", "redis")
          .whereLayer("thrift")
          .mayOnlyBeAccessedByLayers("root")
          .ensureAllClassesAreContainedInArchitecture();

  @ArchTest
  static final ArchRule packagesFormNoRing =
      SlicesRuleDefinition.slices().matching("dev.thriftbreaker.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule theBreakerNeedsOnlyTheJdkAndSlf4j =
      classes()
          .that()
          .resideInAPackage("dev.thriftbreaker.breaker")
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage("dev.thriftbreaker.breaker", "java..", "org.slf4j"));

  @ArchTest
  static final ArchRule redisIsKnownInOnePlace =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.thriftbreaker.fleet.redis")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("redis.clients..");

  @ArchTest
  static final ArchRule thriftIsKnownToTheRequestPathOnly =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.thriftbreaker", "dev.thriftbreaker.thrift")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.thrift..");
}
