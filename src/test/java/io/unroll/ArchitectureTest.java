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

/** Checks the table of packages in package-info.java of {@code io.unroll}, and rules about the use of libraries. */
@AnalyzeClasses(packages = "io.unroll", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    /** From the top layer to the bottom; a package may use only those after it. */
    private static final List<String> PACKAGES = List.of(
            "cli",
            "bench",
            "ml",
            "spark",
            "inference",
            "checkpoint",
            "train",
            "task",
            "model",
            "kernel",
            "chunk",
            "storage",
            "text",
            "config");

    @ArchTest
    static final ArchRule aPackageUsesOnlyPackagesBelowIt = layers();

    @ArchTest
    static final ArchRule onlySparkAndMlImportSpark = noClasses()
            .that()
            .resideOutsideOfPackages("io.unroll.spark..", "io.unroll.ml..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.spark..");

    @ArchTest
    static final ArchRule internalsOfSparkAreNotUsed = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.apache.spark.sql.catalyst..",
                    "org.apache.spark.sql.execution..",
                    "org.apache.spark.sql.internal..",
                    "org.apache.spark.internal..")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("org.apache.spark.package$")
            .because("they change between versions of Spark");

    @ArchTest
    static final ArchRule textIsPlainJava = noClasses()
            .that()
            .resideInAPackage("io.unroll.text..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.hadoop..");

    @ArchTest
    static final ArchRule onlySparkDl4jImportsDeeplearning4jsSparkModules = noClasses()
            .that()
            .resideOutsideOfPackage("io.unroll.spark.dl4j")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.deeplearning4j.spark..", "org.deeplearning4j.core..", "io.unroll.spark.dl4j")
            .because("only the TrainingMaster needs them; Unroll trains without them");

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

    private static LayeredArchitecture layers() {
        LayeredArchitecture layers = layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .ensureAllClassesAreContainedInArchitectureIgnoring("io.unroll");
        for (String name : PACKAGES) {
            layers = layers.layer(name).definedBy("io.unroll." + name + "..");
        }
        layers = layers.whereLayer(PACKAGES.get(0)).mayNotBeAccessedByAnyLayer();
        for (int i = 1; i < PACKAGES.size(); i++) {
            layers = layers.whereLayer(PACKAGES.get(i))
                    .mayOnlyBeAccessedByLayers(PACKAGES.subList(0, i).toArray(String[]::new));
        }
        return layers;
    }
}
