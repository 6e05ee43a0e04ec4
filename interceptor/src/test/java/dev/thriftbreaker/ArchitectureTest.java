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
  static final ArchRule imports_point_one_way =
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
  static final ArchRule packages_form_no_ring =
      SlicesRuleDefinition.slices().matching("dev.thriftbreaker.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule the_breaker_needs_only_the_jdk_and_slf4j =
      classes()
          .that()
          .resideInAPackage("dev.thriftbreaker.breaker")
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage("dev.thriftbreaker.breaker", "java..", "org.slf4j"));

  @ArchTest
  static final ArchRule redis_is_known_in_one_place =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.thriftbreaker.fleet.redis")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("redis.clients..");

  @ArchTest
  static final ArchRule thrift_is_known_to_the_request_path_only =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.thriftbreaker", "dev.thriftbreaker.thrift")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.thrift..");
}
