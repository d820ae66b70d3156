package io.unroll.spark;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.ConfigurationException;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class ExecutorMemoryTest {
    private static final long REPLICA_BYTES = 200L << 20;

    private final SparkConf conf = new SparkConf(false).set("spark.master", "yarn");

    @Test
    void refusesTheDefaultOverheadForAReplicaOf200Mebibytes() {
        String message = refusal();
        assertTrue(message.contains("--conf spark.executor.memoryOverhead=550m"), message);
        assertTrue(message.contains("is 384 MiB"), message);
    }

    @Test
    void multipliesByConcurrentTasks() {
        conf.set("spark.executor.cores", "4").set("spark.task.cpus", "2").set("spark.executor.memoryOverhead", "700m");
        assertTrue(refusal().contains("memoryOverhead=800m"), refusal());
        conf.set("spark.executor.memoryOverhead", "800");
        assertDoesNotThrow(() -> ExecutorMemory.check(conf, REPLICA_BYTES));
    }

    @Test
    void acceptsTheDefaultOverheadOfALargeHeap() {
        conf.set("spark.executor.memory", "8g");
        assertDoesNotThrow(() -> ExecutorMemory.check(conf, REPLICA_BYTES));
        conf.set("spark.executor.memoryOverheadFactor", "0.05");
        assertTrue(refusal().contains("is 409 MiB"), refusal());
    }

    @Test
    void checksNoOverheadOnAStandaloneCluster() {
        conf.set("spark.master", "spark://host:7077");
        assertDoesNotThrow(() -> ExecutorMemory.check(conf, REPLICA_BYTES));
    }

    @Test
    void refusesMoreMemoryThanTheMachineHas() {
        ExecutorMemory.checkMachine(REPLICA_BYTES, 1, REPLICA_BYTES);
        String message = assertThrows(
                        ConfigurationException.class, () -> ExecutorMemory.checkMachine(REPLICA_BYTES, 4, 1L << 40))
                .getMessage();
        assertTrue(
                message.startsWith("training 4 replicas at once takes about 5243380 MiB of memory (1048576 MiB for each"
                        + " replica outside the Java heap), but "),
                message);
    }

    private String refusal() {
        return assertThrows(ConfigurationException.class, () -> ExecutorMemory.check(conf, REPLICA_BYTES))
                .getMessage();
    }
}
