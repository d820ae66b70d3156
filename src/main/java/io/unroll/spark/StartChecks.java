package io.unroll.spark;

import io.unroll.config.ConfigurationException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks before Spark starts, for problems that would make it exit, or retry for a minute and print stack traces. */
final class StartChecks {
    private static final Logger LOG = LoggerFactory.getLogger(StartChecks.class);
    private static final Pattern STANDALONE = Pattern.compile("spark://(.+)");
    private static final Pattern ADDRESS = Pattern.compile("(.+):(\\d{1,5})");
    private static final int CONNECT_TIMEOUT_MILLIS = 10_000;
    private static final int MAX_PORT = 65_535;

    private StartChecks() {}

    /** @throws ConfigurationException if Spark would not start with these settings */
    static void check(SparkConf conf) {
        checkMaster(conf.get("spark.master"));
        if (conf.get("spark.master").startsWith("local")) {
            checkFolders(conf);
        }
        chooseUiPort(conf);
    }

    private static void checkMaster(String master) {
        Matcher addresses = STANDALONE.matcher(master);
        if (!addresses.matches()) {
            return;
        }
        List<String> problems = new ArrayList<>();
        for (String text : addresses.group(1).split(",")) {
            Matcher address = ADDRESS.matcher(text);
            String problem = address.matches()
                    ? connect(address.group(1), Integer.parseInt(address.group(2)))
                    : "it is not HOST:PORT";
            if (problem == null) {
                return;
            }
            problems.add(text + ": " + problem);
        }
        throw new ConfigurationException("no Spark master answers at " + master + " (" + String.join("; ", problems)
                + "): start it, or correct --master.");
    }

    /** @return the problem; null if there is none */
    private static String connect(String host, int port) {
        try (Socket socket = new Socket()) {
            InetSocketAddress address = new InetSocketAddress(host, port);
            if (address.isUnresolved()) {
                return "the host name cannot be resolved";
            }
            socket.connect(address, CONNECT_TIMEOUT_MILLIS);
            return null;
        } catch (IOException | IllegalArgumentException e) {
            return e.getMessage();
        }
    }

    private static void checkFolders(SparkConf conf) {
        String given = System.getenv("SPARK_LOCAL_DIRS");
        String folders = given != null ? given : conf.get("spark.local.dir", System.getProperty("java.io.tmpdir"));
        for (String folder : folders.split(",")) {
            try {
                Files.createDirectories(Path.of(folder));
                Files.delete(Files.createTempDirectory(Path.of(folder), "unroll-"));
                return;
            } catch (IOException e) {
                LOG.debug("{} is not used", folder, e);
            }
        }
        throw new ConfigurationException("Spark's folder for temporary files, " + folders
                + ", cannot be written: point TMPDIR, or --conf spark.local.dir=FOLDER, at one that can.");
    }

    /** Lets the system choose the port of the web UI if all ports that Spark would try are in use. */
    static void chooseUiPort(SparkConf conf) {
        int first = conf.getInt("spark.ui.port", 4040);
        int last = Math.min(MAX_PORT, first + conf.getInt("spark.port.maxRetries", 16));
        if (first > 0
                && conf.getBoolean("spark.ui.enabled", true)
                && isFree(0)
                && IntStream.rangeClosed(first, last).noneMatch(StartChecks::isFree)) {
            LOG.warn("ports {} to {} are in use: Spark's web UI uses another port", first, last);
            conf.set("spark.ui.port", "0");
        }
    }

    private static boolean isFree(int port) {
        String host = System.getenv("SPARK_LOCAL_IP");
        try (ServerSocket socket = new ServerSocket(port, 1, host == null ? null : InetAddress.getByName(host))) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
