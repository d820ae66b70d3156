package io.unroll.cluster;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.SampleText;
import io.unroll.Unroll;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Trains the same bits on every kind of cluster and file system, all started on loopback, also with stragglers, lost
 * executors and killed drivers.
 */
@Tag("full")
class AnyClusterIT {
    private static final Path CLUSTERS = Path.of("target/clusters").toAbsolutePath();

    @TempDir
    private static Path folder;

    private static byte[] network;

    @BeforeAll
    static void trainOnOneCore() throws Exception {
        Files.writeString(folder.resolve("text"), SampleText.lines(8000));
        assertSucceeds(start("file:" + folder, Map.of(), List.of("--master", "local[1]"), "one")
                .end());
        network = Files.readAllBytes(folder.resolve("one/model/network.zip"));
    }

    @Test
    void trainsTheSameBitsOnAllCores() throws Exception {
        assertSucceeds(start("file:" + folder, Map.of(), List.of("--master", "local[*]"), "all")
                .end());
        assertArrayEquals(network, Files.readAllBytes(folder.resolve("all/model/network.zip")));
    }

    @Test
    void trainsTheSameBitsOnStandaloneWithASpeculatedStraggler() throws Exception {
        try (Standalone cluster = Standalone.start(folder)) {
            Server slow = cluster.worker();
            cluster.worker();
            Unroll.Running running = onStandalone(
                    cluster,
                    "straggler",
                    "spark.speculation=true",
                    "spark.speculation.interval=50ms",
                    "spark.speculation.quantile=0.3",
                    "spark.speculation.multiplier=1.1");
            assertTrue(running.shows("round 3/"), running.progress());
            ProcessHandle straggler = Unroll.executorsOf(slow.process()).get(0);
            assertTrue(Unroll.Running.await(() -> {
                pause(straggler, 300);
                return events("straggler").contains("\"Speculative\":true");
            }));
            assertSucceeds(running.end());
        }
        assertArrayEquals(network, Files.readAllBytes(folder.resolve("straggler/model/network.zip")));
    }

    @Test
    void trainsTheSameBitsOnStandaloneThatLosesExecutors() throws Exception {
        try (Standalone cluster = Standalone.start(folder)) {
            cluster.worker();
            cluster.worker();
            Unroll.Running running = onStandalone(
                    cluster,
                    "lost",
                    "spark.dynamicAllocation.enabled=true",
                    "spark.executor.cores=1",
                    "spark.dynamicAllocation.shuffleTracking.enabled=true",
                    "spark.dynamicAllocation.minExecutors=0",
                    "spark.dynamicAllocation.schedulerBacklogTimeout=1s",
                    "spark.dynamicAllocation.executorIdleTimeout=1s");
            for (int round = 3; round <= 9; round += 3) {
                assertTrue(running.shows("round " + round + "/"), running.progress());
                cluster.workers().stream()
                        .flatMap(worker -> Unroll.executorsOf(worker.process()).stream())
                        .findFirst()
                        .orElseThrow()
                        .destroyForcibly();
            }
            assertSucceeds(running.end());
        }
        assertArrayEquals(network, Files.readAllBytes(folder.resolve("lost/model/network.zip")));
        assertTrue(events("lost").split("SparkListenerExecutorRemoved").length > 3, "executors were lost");
    }

    @Test
    void resumesOnYarnAndHdfsWithTheSameBits() throws Exception {
        try (Server hadoop = Server.start(
                folder,
                Map.of(),
                CLUSTERS + "/hadoop/*:" + Standalone.SPARK + "/jars/*",
                Path.of("src/test/cluster/MiniHadoop.java").toAbsolutePath().toString(),
                folder.resolve("hadoop").toString())) {
            hadoop.awaitLog("(MiniHadoop is up)");
            Path client = folder.resolve("hadoop/conf");
            Configuration configuration = new Configuration();
            configuration.addResource(client.resolve("core-site.xml").toUri().toURL());
            try (FileSystem hdfs = FileSystem.newInstance(configuration)) {
                hdfs.copyFromLocalFile(
                        new org.apache.hadoop.fs.Path(folder.resolve("text").toUri()),
                        new org.apache.hadoop.fs.Path("/unroll/text"));
                String home = hdfs.getUri() + "/unroll";
                Unroll.Running running =
                        start(home, Map.of("HADOOP_CONF_DIR", client.toString()), yarnOptions(), "yarn");
                assertTrue(running.shows("round 3/"), running.progress());
                Unroll.executorsOf(hadoop.process()).get(0).destroyForcibly();
                assertTrue(running.shows("round 6/"), running.progress());
                running.process().destroyForcibly().waitFor();

                Unroll.Output resumed = start(home, Map.of("HADOOP_CONF_DIR", client.toString()), yarnOptions(), "yarn")
                        .end();
                assertSucceeds(resumed);
                assertTrue(resumed.err().contains("resuming after round "), resumed.err());
                try (InputStream in = hdfs.open(new org.apache.hadoop.fs.Path(home + "/yarn/model/network.zip"))) {
                    assertArrayEquals(network, in.readAllBytes());
                }
                assertTrue(hdfs.exists(new org.apache.hadoop.fs.Path(home + "/yarn/metrics.jsonl")));
            }
        }
    }

    @Test
    void resumesFromS3WithTheSameBits() throws Exception {
        try (Server s3 = Server.start(
                folder,
                Map.of(),
                CLUSTERS + "/s3/*",
                "-Dserver.address=127.0.0.1",
                "-Dcom.adobe.testing.s3mock.httpPort=0",
                "-jar",
                jars("s3"),
                "--server.port=0")) {
            String endpoint = "http://127.0.0.1:" + s3.awaitLog("(\\d+) \\(http/1.1\\) with context path");
            assertEquals(200, put(endpoint + "/unroll", HttpRequest.BodyPublishers.noBody()));
            assertEquals(
                    200, put(endpoint + "/unroll/text", HttpRequest.BodyPublishers.ofFile(folder.resolve("text"))));

            Unroll.Running interrupted = start("s3a://unroll", Map.of(), s3Options(endpoint), "s3");
            assertTrue(interrupted.shows("round 4/"), interrupted.progress());
            signal("INT", interrupted.process().toHandle());
            Unroll.Output output = interrupted.end();
            assertEquals(130, output.status(), output.err());
            assertTrue(output.err().contains("interrupted; the checkpoint of round "), output.err());

            Unroll.Output resumed =
                    start("s3a://unroll", Map.of(), s3Options(endpoint), "s3").end();
            assertSucceeds(resumed);
            assertTrue(resumed.err().contains("resuming after round "), resumed.err());
            assertArrayEquals(network, bytes(endpoint + "/unroll/s3/model/network.zip"));
        }
    }

    private static Unroll.Running start(String home, Map<String, String> environment, List<String> options, String run)
            throws IOException {
        Path conf = folder.resolve(run + ".conf");
        Files.writeString(
                conf,
                """
                corpus { path = "%1$s/text", validation = 0.05, test = 0, prepared = "%1$s/prepared" }
                model { hidden = 64, layers = 1, dropout = 0.1 }
                training { epochs = 2, batch = 4, tbptt = 16 }
                cluster { replicas = 4, averaging { every = 40, method = bmuf } }
                run.directory = "%1$s/%2$s"
                """
                        .formatted(home, run));
        List<String> arguments = new ArrayList<>(options);
        arguments.addAll(List.of("train", conf.toString()));
        return new Unroll(folder).with(environment).start(arguments.toArray(String[]::new));
    }

    private static Unroll.Running onStandalone(Standalone cluster, String run, String... conf) throws Exception {
        Path events = Files.createDirectory(folder.resolve(run + "-events"));
        List<String> options = new ArrayList<>(List.of("--master", cluster.address()));
        options.addAll(List.of("--executor-memory", "768m"));
        // Spark 4 compresses event logs by default, and divides them into files.
        Stream<String> eventLog = Stream.of(
                "spark.eventLog.enabled=true",
                "spark.eventLog.compress=false",
                "spark.eventLog.rolling.enabled=false",
                "spark.eventLog.dir=" + events.toUri());
        Stream.concat(eventLog, Stream.of(conf)).forEach(setting -> options.addAll(List.of("--conf", setting)));
        return start("file:" + folder, Map.of(), options, run);
    }

    /** @return Spark's event log of a run on a standalone cluster */
    private static String events(String run) {
        try (Stream<Path> logs = Files.list(folder.resolve(run + "-events"))) {
            StringBuilder text = new StringBuilder();
            for (Path log : logs.filter(Files::isRegularFile).toList()) {
                text.append(Files.readString(log));
            }
            return text.toString();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static List<String> yarnOptions() throws IOException {
        String yarnJars = jars("yarn");
        String executors = "local:" + Standalone.SPARK + "/jars/*," + yarnJars.replaceAll("(^|,)", "$1local:");
        List<String> options =
                new ArrayList<>(List.of("--master", "yarn", "--driver-class-path", yarnJars.replace(',', ':')));
        options.addAll(List.of("--num-executors", "2", "--executor-memory", "768m"));
        options.addAll(List.of("--conf", "spark.yarn.am.memory=512m", "--conf", "spark.yarn.jars=" + executors));
        return options;
    }

    private static List<String> s3Options(String endpoint) throws IOException {
        List<String> options = new ArrayList<>(List.of("--master", "local[2]", "--jars", jars("s3a")));
        for (String setting : List.of(
                "endpoint=" + endpoint,
                "access.key=any",
                "secret.key=any",
                "path.style.access=true",
                // The client sends ETags without quotes, which this server does not match.
                "change.detection.mode=none")) {
            options.addAll(List.of("--conf", "spark.hadoop.fs.s3a." + setting));
        }
        return options;
    }

    private static String jars(String cluster) throws IOException {
        try (Stream<Path> jars = Files.list(CLUSTERS.resolve(cluster))) {
            return jars.map(Path::toString).sorted().collect(Collectors.joining(","));
        }
    }

    /** Pauses a process, like a machine under heavy load. */
    private static void pause(ProcessHandle process, int millis) {
        try {
            signal("STOP", process);
            Thread.sleep(millis);
            signal("CONT", process);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void signal(String name, ProcessHandle process) throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor());
    }

    private static int put(String address, HttpRequest.BodyPublisher body) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(address)).PUT(body).build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private static byte[] bytes(String address) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address)).build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofByteArray())
                .body();
    }

    private static void assertSucceeds(Unroll.Output output) {
        assertEquals(0, output.status(), output.err());
    }
}
