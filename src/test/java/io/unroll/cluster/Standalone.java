package io.unroll.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A standalone Spark cluster on loopback: a master, and workers with one core each. */
record Standalone(Path folder, Server master, String address, List<Server> workers) implements AutoCloseable {
    static final Path SPARK = Path.of("target/spark").toAbsolutePath();

    static Standalone start(Path folder) throws IOException, InterruptedException {
        Server master = server(folder, "127.0.0.1", Map.of(), "master.Master", "--port", "0");
        String address = master.awaitLog("Starting Spark master at (spark://[\\w.:]+)");
        return new Standalone(folder, master, address, new ArrayList<>());
    }

    Server worker() throws IOException, InterruptedException {
        return worker(Map.of());
    }

    /** @param environment of the worker and its executors */
    Server worker(Map<String, String> environment) throws IOException, InterruptedException {
        String workDirectory = Files.createTempDirectory(folder, "work").toString();
        // A different host per worker: Spark does not run the speculative copy of a task on the same host.
        String host = "127.0.0." + (workers.size() + 2);
        Server worker = server(
                folder,
                host,
                environment,
                "worker.Worker",
                "--cores",
                "1",
                "--memory",
                "1g",
                "--work-dir",
                workDirectory,
                address);
        workers.add(worker);
        worker.awaitLog("(Successfully registered with master)");
        return worker;
    }

    private static Server server(
            Path folder, String host, Map<String, String> environment, String name, String... arguments)
            throws IOException {
        Map<String, String> serverEnvironment = new HashMap<>(environment);
        serverEnvironment.putAll(Map.of(
                "SPARK_HOME",
                SPARK.toString(),
                "SPARK_SCALA_VERSION",
                scala.util.Properties.versionNumberString().replaceFirst("\\.\\d+$", ""),
                "SPARK_LOCAL_IP",
                host));
        List<String> command =
                new ArrayList<>(List.of("org.apache.spark.deploy." + name, "--host", host, "--webui-port", "0"));
        command.addAll(List.of(arguments));
        return Server.start(folder, serverEnvironment, SPARK + "/jars/*", command.toArray(String[]::new));
    }

    @Override
    public void close() {
        workers.forEach(Server::close);
        master.close();
    }
}
