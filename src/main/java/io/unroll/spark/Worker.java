package io.unroll.spark;

import io.unroll.config.Settings;
import io.unroll.config.UnrollException;
import io.unroll.model.Network;
import java.io.Serializable;
import java.util.Collection;
import java.util.Optional;
import org.apache.spark.SparkEnv;
import org.apache.spark.util.Utils;

/**
 * The machine that a replica was trained on.
 *
 * @param bfloat16 whether it computed in that precision
 */
record Worker(String host, boolean bfloat16) implements Serializable {
    /** As they were trained, and as they go out. */
    static final int COPIES_OF_A_TASK = 2;

    static Worker here(Settings.Model model) {
        return new Worker(thisHost(), Network.computesInBfloat16(model));
    }

    static String thisHost() {
        return Utils.localCanonicalHostName();
    }

    /**
     * @param weightBytes weights and optimizer state, which are here as they were broadcast, and twice for each task
     * @param replicaBytes what a task takes outside the Java heap
     */
    static void checkMemory(long weightBytes, long replicaBytes) {
        int tasks = ExecutorMemory.tasksAtOnce(SparkEnv.get().conf());
        long needed = (1 + COPIES_OF_A_TASK * (long) tasks) * weightBytes;
        long heap = Runtime.getRuntime().maxMemory();
        if (needed > heap) {
            throw new UnrollException("the weights of the replicas that train at once take about " + (needed >> 20)
                    + " MiB of the Java heap, and that of " + thisHost() + " has " + (heap >> 20)
                    + " MiB: give executors more, as in --executor-memory " + ((needed >> 30) + 1)
                    + "g.");
        }
        ExecutorMemory.checkMachine(needed, tasks, replicaBytes);
    }

    /** @throws UnrollException where some computed in bfloat16 and others could not: the bits would depend on luck */
    static void checkAlike(Collection<Worker> workers) {
        Optional<Worker> with = workers.stream().filter(Worker::bfloat16).findFirst();
        Optional<Worker> without =
                workers.stream().filter(worker -> !worker.bfloat16).findFirst();
        if (with.isPresent() && without.isPresent()) {
            throw new UnrollException("the processor of " + with.get().host + " computes in bfloat16, and that of "
                    + without.get().host + " cannot, so the result would depend on which trained what: set"
                    + " model.precision = float32, or model.emulate-bfloat16 = true, or use executors that are alike.");
        }
    }
}
