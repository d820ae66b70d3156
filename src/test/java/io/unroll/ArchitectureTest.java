package io.unroll;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameStartingWith;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.util.List;

/** Holds the table of rooms in {@code io.unroll}'s package-info. */
@AnalyzeClasses(packages = "io.unroll", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    /** From the top; a room may use those after it. */
    private static final List<String> ROOMS = List.of(
            "cli",
            "bench",
            "spark",
            "inference",
            "checkpoint",
            "train",
            "task",
            "model",
            "kernel",
            "chunk",
            "text",
            "config");

    @ArchTest
    static final ArchRule aRoomUsesOnlyRoomsBelowIt = rooms();

    @ArchTest
    static final ArchRule onlySparkImportsSpark = noClasses()
            .that()
            .resideOutsideOfPackage("io.unroll.spark..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.spark..");

    @ArchTest
    static final ArchRule onlySparkDl4jImportsDeeplearning4jsSparkModules = noClasses()
            .that()
            .resideOutsideOfPackage("io.unroll.spark.dl4j")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.deeplearning4j.spark..", "org.deeplearning4j.core..", "io.unroll.spark.dl4j")
            .because("it is a door for others' code, and Unroll itself goes in by another");

    @ArchTest
    static final ArchRule onlyTheCommandLinePrintsOrExits = noClasses()
            .that()
            .resideOutsideOfPackage("io.unroll.cli..")
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class);

    @ArchTest
    static final ArchRule randomnessIsSeeded = noClasses()
            .should()
            .callMethod(Math.class, "random")
            .orShould()
            .callConstructor(java.util.Random.class)
            .orShould()
            .callConstructor(java.util.SplittableRandom.class)
            .orShould()
            .callMethod(java.util.concurrent.ThreadLocalRandom.class, "current")
            .orShould()
            .callMethod(java.util.Collections.class, "shuffle", List.class)
            .orShould()
            .callMethodWhere(target(owner(equivalentTo(org.nd4j.linalg.factory.Nd4j.class)))
                    .and(target(nameStartingWith("rand"))))
            .because("a result depends on the configuration and the seed alone");

    private static LayeredArchitecture rooms() {
        LayeredArchitecture rooms = layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .ensureAllClassesAreContainedInArchitectureIgnoring("io.unroll");
        for (String room : ROOMS) {
            rooms = rooms.layer(room).definedBy("io.unroll." + room + "..");
        }
        rooms = rooms.whereLayer(ROOMS.get(0)).mayNotBeAccessedByAnyLayer();
        for (int i = 1; i < ROOMS.size(); i++) {
            rooms = rooms.whereLayer(ROOMS.get(i))
                    .mayOnlyBeAccessedByLayers(ROOMS.subList(0, i).toArray(String[]::new));
        }
        return rooms;
    }
}
