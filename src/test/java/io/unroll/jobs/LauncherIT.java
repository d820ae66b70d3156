package io.unroll.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.unroll.checkpoint.Versions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script {@code jobs/unroll}: working directories, environments and options. */
class LauncherIT {
    private static final Path HOME = Path.of("").toAbsolutePath();
    private static final String LAUNCHER = HOME + "/jobs/unroll";
    private static final String SPARK = Versions.all().get("spark");
    private static final String JAVA = System.getProperty("java.home");
    private static final String FOLDER_WITH_ODD_NAME = "a folder's \"näme\"";

    @TempDir
    private Path folder;

    private record Output(int status, String out, String err) {}

    private record Running(Process process, Path out, Path err) {
        Output end() throws IOException, InterruptedException {
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException("the process does not end: " + process.info());
            }
            return new Output(process.exitValue(), Files.readString(out), Files.readString(err));
        }
    }

    @Test
    void itRunsThroughSymbolicLinks() throws Exception {
        Path bin = Files.createDirectories(folder.resolve(FOLDER_WITH_ODD_NAME));
        Path first = Files.createSymbolicLink(bin.resolve("first"), Path.of(LAUNCHER));
        Path second = Files.createSymbolicLink(bin.resolve("second link"), first.getFileName());
        Path third = Files.createSymbolicLink(folder.resolve("third"), folder.relativize(second));
        for (Path link : List.of(first, second, third)) {
            assertVersion(run(folder, Map.of(), link.toString(), "--version"));
            assertVersion(run(bin, Map.of(), "./" + bin.relativize(link), "--version"));
        }
    }

    @Test
    void itRunsInAnyEnvironment() throws Exception {
        Path shellStartup = Files.writeString(folder.resolve("env.sh"), "export CDPATH=.:/tmp; set -o noclobber\n");
        Map<String, String> environment = Map.of(
                "CDPATH",
                ".:/tmp",
                "BASH_ENV",
                shellStartup.toString(),
                "GREP_OPTIONS",
                "-v",
                "POSIXLY_CORRECT",
                "1",
                "LC_ALL",
                "C",
                "SHELLOPTS",
                "noclobber:nounset");
        assertVersion(run(HOME, environment, "jobs/unroll", "--version"));
        assertVersion(run(HOME.resolve("src"), environment, "../jobs/unroll", "--version"));
        assertVersion(run(
                folder,
                Map.of(),
                "env",
                "-i",
                "PATH=" + System.getenv("PATH"),
                "JAVA_HOME=" + JAVA,
                LAUNCHER,
                "--version"));
    }

    @Test
    void anUnsuitableJavaIsRefused() throws Exception {
        assertRefused("JAVA_HOME is /nowhere, which contains no bin/java", Map.of("JAVA_HOME", "/nowhere"));
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        script(java, "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2");
        Map<String, String> otherJava =
                Map.of("JAVA_HOME", folder.resolve("jdk").toString());
        assertRefused(java + " is Java 11.0.2, but Unroll needs Java 17 or later", otherJava);
        Files.writeString(folder.resolve("jdk/release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25.0.1\"\n");
        Path spark = sparkHome("4.0.1");
        assertRefused(
                java + " is Java 25.0.1, on which Spark 4.0.1 does not run: set JAVA_HOME to a JDK 17, or SPARK_HOME",
                Map.of("JAVA_HOME", folder.resolve("jdk").toString(), "SPARK_HOME", spark.toString()));
        Path conf = Files.createDirectories(spark.resolve("conf"));
        Files.writeString(
                conf.resolve("spark-env.sh"), "unset NONE\nexport JAVA_HOME='" + JAVA + "'\n[ -n \"$NONE\" ]\n");
        Output output = run(
                folder,
                Map.of("JAVA_HOME", folder.resolve("jdk").toString(), "SPARK_HOME", spark.toString()),
                LAUNCHER,
                "--version");
        assertEquals(0, output.status(), output.err());

        Path bin = Files.createDirectories(folder.resolve("bin"));
        for (String tool : List.of("bash", "env", "readlink", "sed", "locale", "find", "grep", "id")) {
            Files.createSymbolicLink(
                    bin.resolve(tool),
                    Path.of(run(folder, Map.of(), "which", tool).out().strip()));
        }
        assertRefused("no Java found", Map.of("JAVA_HOME", "", "PATH", bin.toString()));
    }

    @Test
    void invalidVariablesAndOptionsAreRefused() throws Exception {
        assertRefused("SPARK_HOME is /nowhere", Map.of("SPARK_HOME", "/nowhere"));
        assertRefused("the folder for temporary files, /nowhere", Map.of("TMPDIR", "/nowhere"));
        assertRefused("--driver-memory is lots", Map.of(), "--driver-memory", "lots");
        for (String master : List.of("yarn", "k8s://https://h:1", "spark:/x", "x")) {
            assertRefused(
                    "the embedded Spark does not support the master " + master + ":", Map.of(), "--master", master);
            assertRefused("the embedded Spark does not support the master " + master + ":", Map.of("MASTER", master));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "launcher"})
    void itChangesNothingInTheCheckout(String launcher) throws Exception {
        Path checkout = checkout();
        Files.createSymbolicLink(checkout.resolve("target"), HOME.resolve("target"));
        String before = files(checkout);
        List<String> options = launcher.isEmpty() ? List.of() : List.of("--name", "x");
        Output output = show(checkout + "/jobs/unroll", Map.of(), options);
        assertEquals(0, output.status(), output.err());
        // Spark 4's launcher asks for the module, and Java warns of it.
        String warnings = output.err().replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "");
        assertEquals("", warnings, "a class archive that was made for another path is ignored silently");
        assertEquals("[one two, \"three\"]", shown(output).get("arguments"));
        assertTrue(shown(output).get("log").contains("conf/log4j2.properties"), output.out());
        assertEquals(before, files(checkout));
    }

    @Test
    void concurrentLaunchesBuildOnce() throws Exception {
        Path checkout = checkout();
        Path calls = folder.resolve("calls");
        Path bin = Files.createDirectories(folder.resolve("bin"));
        script(
                bin.resolve("mvn"),
                """
                echo "$@" >>'%s'
                printf half >target/unroll.jar
                sleep 1
                [ ! -e ../fails ] || exit 1
                rm target/unroll.jar
                ln -s '%s/target/spark' target/
                ln -s '%s/target/unroll.jar' target/
                touch target/unroll.stamp
                """
                        .formatted(calls, HOME, HOME));
        Map<String, String> environment = Map.of("PATH", bin + ":" + System.getenv("PATH"), "JAVA_HOME", JAVA);
        String launcher = checkout + "/jobs/unroll";
        Files.createFile(checkout.resolveSibling("fails"));
        Output failed = run(folder, environment, launcher, "--version");
        assertEquals(1, failed.status(), failed.err());
        assertTrue(failed.err().endsWith("unroll: the build failed, see above.\n"), failed.err());

        Files.delete(checkout.resolveSibling("fails"));
        Files.delete(calls);
        Running first = start(folder, environment, launcher, "--version");
        Running second = start(folder, environment, launcher, "--version");
        for (Output output : List.of(first.end(), second.end())) {
            assertEquals(0, output.status(), output.err());
            assertTrue(output.out().contains("spark " + SPARK), output.out());
        }
        assertEquals(List.of("-q -B -Dstyle.color=never package -DskipTests"), Files.readAllLines(calls));

        Path jdk = folder.resolve("jdk");
        Files.createDirectories(jdk.resolve("bin"));
        script(jdk.resolve("bin/java"), "exit 1");
        script(jdk.resolve("bin/javac"), "exit 1");
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        Files.setLastModifiedTime(
                checkout.resolve("pom.xml"), FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        Output refused = run(
                folder, Map.of("PATH", environment.get("PATH"), "JAVA_HOME", jdk.toString()), launcher, "--version");
        assertEquals(2, refused.status(), refused.err());
        assertTrue(refused.err().contains("is Java 25.0.1, but the build needs JDK 17"), refused.err());
        assertTrue(Files.exists(checkout.resolve("target/unroll.jar")), "the old jar is kept");
    }

    @Test
    void optionsMeanTheSameWithAndWithoutSparksLauncher() throws Exception {
        Path hadoop = Files.createDirectories(folder.resolve("hadoop"));
        Files.writeString(
                hadoop.resolve("core-site.xml"),
                "<configuration><property><name>x</name><value>site</value></property></configuration>");
        for (List<String> options : List.of(
                List.<String>of(),
                List.of("--master", "local[2]", "--driver-memory", "300m"),
                List.of("--driver-memory=300m", "--conf", "spark.a=b c=d", "--conf=spark.ui.port=1"),
                List.of("--conf", "spark.driver.maxResultSize=1g", "--conf", "spark.hadoop.x=given"))) {
            Map<String, String> environment = new TreeMap<>(Map.of(
                    "SPARK_SUBMIT_OPTS", " -Da.property=1\t-XX:TieredStopAtLevel=1 ",
                    "YARN_CONF_DIR", hadoop.toString(),
                    "SPARK_EXECUTOR_MEMORY", "1g"));
            Map<String, String> direct = shown(show(LAUNCHER, environment, options));
            // The same options, but quotation marks make the script use Spark's launcher.
            environment.put("SPARK_SUBMIT_OPTS", "'-Da.property=1' -XX:TieredStopAtLevel=1");
            Map<String, String> launched = shown(show(LAUNCHER, environment, options));
            assertTrue(launched.containsKey("spark.submit.deployMode"), launched.toString());
            assertFalse(direct.containsKey("spark.submit.deployMode"), direct.toString());
            for (Map<String, String> settings : List.of(direct, launched)) {
                settings.keySet().removeAll(List.of("spark.jars", "spark.app.name", "spark.app.submitTime"));
                settings.keySet().removeIf(name -> name.startsWith("spark.submit."));
            }
            assertEquals(launched, direct, options.toString());
            assertEquals("1", direct.get("property"));
            assertNotEquals("null", direct.get("hadoop"));
        }
    }

    @Test
    void aLocalMasterListensOnTheLoopbackAddress() throws Exception {
        Map<String, String> noAddress = Map.of("SPARK_LOCAL_IP", "");
        assertEquals("127.0.0.1", shown(show(LAUNCHER, noAddress, List.of())).get("address"));
        assertEquals(
                "127.0.0.1",
                shown(show(LAUNCHER, noAddress, List.of("--name", "x"))).get("address"));
        assertEquals(
                "127.0.0.7",
                shown(show(LAUNCHER, Map.of("SPARK_LOCAL_IP", "127.0.0.7"), List.of()))
                        .get("address"));
        for (List<String> remote : List.of(
                List.of("--master", "spark://127.0.0.1:1"), List.of("--conf", "spark.driver.bindAddress=127.0.0.8"))) {
            assertEquals("", shown(show(LAUNCHER, noAddress, remote)).get("address"), remote.toString());
        }
    }

    @Test
    void classesComeFromTheBuildsArchive() throws Exception {
        assumeTrue(Files.exists(Path.of("target/unroll.jsa")), "this Java cannot create a class archive");
        Path log = folder.resolve("classes");
        Map<String, String> environment =
                Map.of("SPARK_SUBMIT_OPTS", "-Xlog:class+load:file=" + log, "JAVA_HOME", JAVA);
        Output output = run(folder, environment, LAUNCHER, "generate", "/nowhere");
        assertEquals(2, output.status(), output.err());
        List<String> classes = Files.readAllLines(log);
        assertTrue(classes.stream()
                .anyMatch(line -> line.contains("io.unroll.cli.GenerateCommand source: shared objects file")));
        long archived = classes.stream()
                .filter(line -> line.endsWith("shared objects file (top)"))
                .count();
        long fromFiles =
                classes.stream().filter(line -> line.contains("source: file:")).count();
        assertTrue(archived > 5 * fromFiles, archived + " classes from the archive, " + fromFiles + " from files");
    }

    @Test
    @Tag("full")
    void itRunsForAUserWithoutAName() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        List<String> asNamelessUser = List.of("setpriv", "--reuid", "12345", "--clear-groups");
        assumeTrue(
                canRun(asNamelessUser, "test", "-r", HOME + "/target/unroll.jar"),
                "needs setpriv with the right to use it, and a checkout that everybody may read");
        for (List<String> options : List.of(List.<String>of(), List.of("--name", "x"))) {
            Map<String, String> shown = shown(show(asNamelessUser, LAUNCHER, Map.of(), options, "start"));
            assertEquals("uid-12345", shown.get("user"));
            assertEquals("3", shown.get("sum"));
        }
    }

    @Test
    @Tag("full")
    void itRunsOnAHostWhoseNameHasNoAddress() throws Exception {
        List<String> onRenamedHost = List.of("unshare", "-u", "sh", "-c", "hostname no-such-host && exec \"$@\"", "sh");
        assumeTrue(canRun(onRenamedHost, "true"), "needs unshare and the right to use it");
        Map<String, String> shown =
                shown(show(onRenamedHost, LAUNCHER, Map.of("SPARK_LOCAL_IP", ""), List.of(), "start"));
        assertEquals("3", shown.get("sum"));
        assertTrue(shown.get("page").matches("http://(127\\.0\\.0\\.1|localhost):\\d+"), shown.toString());
    }

    /** @return a folder with an odd name and old copies of the files that the launcher reads, but without target */
    private Path checkout() throws IOException {
        Path checkout =
                Files.createDirectories(folder.resolve(FOLDER_WITH_ODD_NAME).resolve("unroll"));
        for (String file : List.of("jobs/unroll", "pom.xml", "conf/reference.conf", "conf/log4j2.properties")) {
            Path copy = checkout.resolve(file);
            Files.createDirectories(copy.getParent());
            Files.copy(HOME.resolve(file), copy, StandardCopyOption.COPY_ATTRIBUTES);
            Files.setLastModifiedTime(copy, FileTime.fromMillis(0));
        }
        Path main = Files.createDirectories(checkout.resolve("src/main"));
        Files.setLastModifiedTime(main, FileTime.fromMillis(0));
        return checkout;
    }

    private static String files(Path checkout) throws IOException {
        try (var files = Files.walk(checkout)) {
            return files.sorted().toList().toString();
        }
    }

    /** @return a folder that looks like a Spark of this version; its spark-submit prints its arguments */
    private Path sparkHome(String version) throws IOException {
        Path home = Files.createDirectories(folder.resolve("spark-" + version));
        script(Files.createDirectories(home.resolve("bin")).resolve("spark-submit"), "echo submit \"$@\"");
        Files.createFile(Files.createDirectories(home.resolve("jars")).resolve("spark-core_2.13-" + version + ".jar"));
        return home;
    }

    @Test
    void anySparkIsUsedAndAnUntestedOneIsNamed() throws Exception {
        for (String version : List.of("3.5.0-amzn-0", "4.0.1", "4.2.0", "4.1.3")) {
            Path spark = sparkHome(version);
            Output output = run(folder, Map.of("SPARK_HOME", spark.toString()), LAUNCHER, "--version");
            assertEquals(0, output.status(), output.err());
            assertTrue(output.out().startsWith("submit --class io.unroll.cli.Main "), output.out());
            String warning = "unroll: warning: Unroll is tested with Spark 3.5, 4.0 and 4.2, but SPARK_HOME is " + spark
                    + ", with Spark 4.1.3.\n";
            assertEquals(version.equals("4.1.3") ? warning : "", output.err());
        }
    }

    private static void script(Path path, String body) throws IOException {
        Files.writeString(path, "#!/bin/sh\n" + body + "\n");
        assertTrue(path.toFile().setExecutable(true));
    }

    private boolean canRun(List<String> wrapper, String... command) throws InterruptedException {
        try {
            return run(wrapper, folder, Map.of(), command).status() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private void assertRefused(String sentence, Map<String, String> environment, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(LAUNCHER));
        command.addAll(List.of(options));
        command.add("--version");
        Output output = run(folder, environment, command.toArray(String[]::new));
        assertEquals(2, output.status(), output.err());
        assertTrue(output.err().startsWith("unroll: " + sentence), output.err());
        assertEquals(1, output.err().lines().count(), output.err());
        assertEquals("", output.out());
    }

    private static void assertVersion(Output output) {
        assertEquals(0, output.status(), output.err());
        assertTrue(output.out().contains("spark " + SPARK), output.out());
        assertEquals("", output.err());
    }

    private Output show(String launcher, Map<String, String> environment, List<String> options)
            throws IOException, InterruptedException {
        return show(List.of(), launcher, environment, options, "one two", "\"three\"");
    }

    private Output show(
            List<String> wrapper,
            String launcher,
            Map<String, String> environment,
            List<String> options,
            String... arguments)
            throws IOException, InterruptedException {
        Map<String, String> variables = new TreeMap<>(environment);
        variables.put("HADOOP_CONF_DIR", HOME + "/target/test-classes");
        List<String> command = new ArrayList<>(List.of(launcher));
        command.addAll(options);
        command.addAll(List.of("--class", ShowStart.class.getName()));
        command.addAll(List.of(arguments));
        return run(wrapper, folder, variables, command.toArray(String[]::new));
    }

    private static Map<String, String> shown(Output output) {
        assertEquals(0, output.status(), output.err());
        Map<String, String> shown = new TreeMap<>();
        output.out().lines().filter(line -> line.startsWith("shown ")).forEach(line -> {
            int sign = line.indexOf(" = ");
            shown.put(line.substring("shown ".length(), sign), line.substring(sign + 3));
        });
        return shown;
    }

    private Output run(Path workingDirectory, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        return run(List.of(), workingDirectory, environment, command);
    }

    private Output run(List<String> wrapper, Path workingDirectory, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(wrapper);
        arguments.addAll(List.of(command));
        return start(workingDirectory, environment, arguments.toArray(String[]::new))
                .end();
    }

    private Running start(Path workingDirectory, Map<String, String> environment, String... command)
            throws IOException {
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(workingDirectory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment()
                .keySet()
                .removeAll(List.of("SPARK_HOME", "SPARK_CONF_DIR", "MASTER", "TMPDIR", "JAVA_TOOL_OPTIONS"));
        builder.environment().put("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1");
        builder.environment().putAll(environment);
        return new Running(builder.start(), out, err);
    }
}
