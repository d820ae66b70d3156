package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartChecksTest {
    @Test
    void choosesAnotherUiPortIfAllAreInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            String port = Integer.toString(taken.getLocalPort());
            SparkConf conf = conf("local").set("spark.ui.port", port).set("spark.port.maxRetries", "0");
            StartChecks.check(conf);
            assertEquals("0", conf.get("spark.ui.port"));

            SparkConf off = conf("local").set("spark.ui.port", port).set("spark.ui.enabled", "false");
            StartChecks.check(off);
            assertEquals(port, off.get("spark.ui.port"));
        }
    }

    @Test
    void keepsAFreeUiPort() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        SparkConf conf = conf("local").set("spark.ui.port", Integer.toString(port));
        StartChecks.check(conf);
        assertEquals(port, conf.getInt("spark.ui.port", 0));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spark://127.0.0.1:1",
                "spark://127.0.0.1:1,127.0.0.1:2",
                "spark://host",
                "spark://no.invalid:7077",
                "spark://127.0.0.1:99999"
            })
    void namesAMasterThatDoesNotAnswer(String master) {
        long start = System.nanoTime();
        ConfigurationException e = assertThrows(ConfigurationException.class, () -> StartChecks.check(conf(master)));
        assertTrue(e.getMessage().contains(master), e.getMessage());
        assertTrue(System.nanoTime() - start < 30e9, "Spark itself takes a minute");
    }

    @Test
    void acceptsOneReachableMasterOfSeveral() throws Exception {
        try (ServerSocket listening = new ServerSocket(0)) {
            StartChecks.check(conf("spark://127.0.0.1:1,127.0.0.1:" + listening.getLocalPort()));
        }
    }

    @Test
    void namesAFolderForTemporaryFilesThatCannotBeWritten(@TempDir Path folder) throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        SparkConf conf = conf("local").set("spark.local.dir", file + "/below");
        ConfigurationException e = assertThrows(ConfigurationException.class, () -> StartChecks.check(conf));
        assertTrue(e.getMessage().contains(file + "/below"), e.getMessage());

        Path writable = folder.resolve("writable");
        StartChecks.check(conf.set("spark.local.dir", file + "/below," + writable));
        assertTrue(Files.isDirectory(writable));
        assertEquals(0, writable.toFile().list().length);
    }

    private static SparkConf conf(String master) {
        return new SparkConf(false).setMaster(master);
    }
}
