package io.unroll.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.SampleText;
import io.unroll.checkpoint.Versions;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;

/** What the profile "release" makes, built from a copy of the sources in another folder, time zone and language. */
@Tag("nightly")
class ReleaseIT {
    private static final String VERSION = Versions.all().get("unroll");
    private static final String JAVA = System.getProperty("java.home");
    private static final List<String> NOT_SOURCES = List.of(".git", "target", "data", "runs");

    @TempDir
    private static Path folder;

    private static Path target;

    @BeforeAll
    static void build() throws Exception {
        Path checkout = folder.resolve("checkout");
        FileUtils.copyDirectory(
                new File("."),
                checkout.toFile(),
                file -> !NOT_SOURCES.contains(file.getName()) || isBelowSources(file));
        List<String> maven = new ArrayList<>(List.of("mvn", "-q", "-B", "-Prelease", "package", "-DskipTests"));
        String repository = System.getProperty("maven.repo.local");
        if (repository != null) {
            maven.add("-Dmaven.repo.local=" + repository);
        }
        run(checkout, Map.of("TZ", "Asia/Tokyo", "LC_ALL", "C"), maven);
        target = checkout.resolve("target");
    }

    private static boolean isBelowSources(File file) {
        return file.toPath().startsWith("./src");
    }

    @Test
    void theJobJarIsTheJarOfAnyOtherBuild() throws IOException {
        assertEquals(-1, Files.mismatch(Path.of("target/unroll.jar"), published("unroll-linux-x86_64", ".jar")));
    }

    @Nested
    class Arm64JobJar extends JarIT {
        @Override
        Path file() {
            return published("unroll-linux-arm64", ".jar");
        }

        @Override
        String platform() {
            return "linux-arm64";
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"unroll", "unroll-natives", "unroll-linux-x86_64", "unroll-linux-arm64"})
    void anArtifactHasWhatMavenCentralAsksFor(String artifact) throws Exception {
        for (String suffix : List.of(".jar", "-sources.jar", "-javadoc.jar", ".pom", "-cyclonedx.json")) {
            Path file = published(artifact, suffix);
            byte[] bytes = Files.readAllBytes(file);
            assertEquals(
                    DigestUtils.md5Hex(bytes),
                    Files.readString(Path.of(file + ".md5")).strip());
            assertEquals(
                    DigestUtils.sha1Hex(bytes),
                    Files.readString(Path.of(file + ".sha1")).strip());
        }
        Element pom = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(published(artifact, ".pom").toFile())
                .getDocumentElement();
        assertEquals(artifact, pom.getElementsByTagName("artifactId").item(0).getTextContent());
        for (String element : List.of("name", "description", "url", "license", "developer", "scm")) {
            assertTrue(pom.getElementsByTagName(element).getLength() > 0, element);
        }
        assertFalse(Files.readString(published(artifact, ".pom")).contains("${"));
        assertEquals(
                artifact.equals("unroll"),
                pom.getElementsByTagName("dependency").getLength() > 0);
        try (ZipFile jar = new ZipFile(published(artifact, ".jar").toFile())) {
            for (String entry : List.of("META-INF/LICENSE", "META-INF/NOTICE", "META-INF/licenses/oneDNN.txt")) {
                assertNotNull(jar.getEntry(entry), entry);
            }
        }
    }

    @Test
    void theNativesOfBothPlatformsAreInOneArtifact() throws IOException {
        Set<String> ofJobJars = natives("unroll-linux-x86_64");
        ofJobJars.addAll(natives("unroll-linux-arm64"));
        assertEquals(ofJobJars, natives("unroll-natives"));
    }

    private static Set<String> natives(String artifact) throws IOException {
        try (ZipFile jar = new ZipFile(published(artifact, ".jar").toFile())) {
            return jar.stream()
                    .map(ZipEntry::getName)
                    .filter(name -> name.matches("org/.*/linux-[^/]+/.+"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"unroll", "unroll-linux-x86_64"})
    void sparkSubmitResolvesAnArtifactAndTrains(String artifact) throws Exception {
        Path work = Files.createDirectories(folder.resolve("packages-" + artifact));
        Files.writeString(work.resolve("text"), SampleText.lines(200));
        List<String> command = new ArrayList<>(List.of(
                JAVA + "/bin/java",
                "@" + Path.of("target/spark/java-options").toAbsolutePath(),
                "-cp",
                Path.of("target/spark/jars").toAbsolutePath() + "/*",
                "org.apache.spark.deploy.SparkSubmit"));
        command.addAll(packages(artifact, work));
        command.addAll(List.of("--class", "io.unroll.cli.Main", "spark-internal", "train"));
        command.add(Files.createFile(work.resolve("run.conf")).toString());
        command.addAll(tinyRun(work));
        run(work, Map.of(), command);
        assertTrue(Files.exists(work.resolve("run/model/network.zip")));
    }

    /** The stages of Spark ML, trained, saved and loaded in Python. */
    @ParameterizedTest
    @ValueSource(strings = {"unroll", "unroll-linux-x86_64"})
    void pythonFindsThePackageInAnArtifact(String artifact) throws Exception {
        String spark = System.getenv("PYSPARK_HOME");
        assumeTrue(spark != null, "PYSPARK_HOME is not set, so the Python package is not tested.");
        Path work = Files.createDirectories(folder.resolve("python-" + artifact));
        List<String> command = new ArrayList<>(List.of(spark + "/bin/spark-submit"));
        command.addAll(packages(artifact, work));
        command.add(Path.of("src/test/python/test_unroll.py").toAbsolutePath().toString());
        command.add(work.toString());
        String printed = run(work, Map.of("JAVA_HOME", JAVA), command);
        assertTrue(printed.contains("all is well"), printed);
    }

    @Test
    void theTarballRunsWithoutMaven() throws Exception {
        Path work = Files.createDirectories(folder.resolve("unpacked"));
        String name = "unroll-" + VERSION + "-linux-x86_64";
        run(
                work,
                Map.of(),
                List.of("tar", "-xzf", target.resolve(name + ".tar.gz").toString()));
        Files.writeString(work.resolve("text"), SampleText.lines(200));
        String launcher = work.resolve(name + "/jobs/unroll").toString();
        Path bin = Files.createDirectories(work.resolve("bin"));
        Files.writeString(bin.resolve("mvn"), "#!/bin/sh\nexit 1\n");
        assertTrue(bin.resolve("mvn").toFile().setExecutable(true));
        Map<String, String> environment = Map.of("PATH", bin + ":/usr/bin:/bin", "JAVA_HOME", JAVA);
        List<String> train = new ArrayList<>(List.of(launcher, "train", name + "/conf/quickstart.conf"));
        train.addAll(tinyRun(work));
        run(work, environment, train);
        run(work, environment, List.of(launcher, "generate", "run/model", "--length", "10"));
        assertTrue(Files.exists(work.resolve(name + "/data/dickens.txt")), "the quickstart's corpus");
        assertTrue(Files.exists(work.resolve(name + "/target/spark/java-options")), "as in a clone");
        String licenses = Files.readString(work.resolve(name + "/target/spark/THIRD-PARTY.txt"));
        assertTrue(licenses.contains("(org.apache.spark:spark-core_2.12:"), licenses);
    }

    private static List<String> packages(String artifact, Path work) {
        return List.of(
                "--master",
                "local[1]",
                "--conf",
                "spark.jars.ivy=" + work.resolve("ivy"),
                "--repositories",
                target.resolve("release").toUri().toString(),
                "--packages",
                "io.unroll:" + artifact + ":" + VERSION);
    }

    private static List<String> tinyRun(Path work) {
        return List.of(
                "corpus.path=" + work.resolve("text"),
                "run.directory=" + work.resolve("run"),
                "model.hidden=8",
                "model.layers=1",
                "training.epochs=1",
                "training.batch=2",
                "training.tbptt=8",
                "cluster.replicas=1");
    }

    private static Path published(String artifact, String suffix) {
        return target.resolve("release/io/unroll/%1$s/%2$s/%1$s-%2$s%3$s".formatted(artifact, VERSION, suffix));
    }

    private static String run(Path directory, Map<String, String> environment, List<String> command) throws Exception {
        Path output = Files.createTempFile(folder, "output", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().keySet().removeAll(List.of("SPARK_HOME", "SPARK_CONF_DIR"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertTrue(process.waitFor(20, TimeUnit.MINUTES), command.toString());
        String printed = Files.readString(output);
        assertEquals(0, process.exitValue(), printed);
        return printed;
    }
}
