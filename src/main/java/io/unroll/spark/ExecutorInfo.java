package io.unroll.spark;

import io.unroll.config.UnrollException;
import java.io.Serializable;
import java.util.Collection;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hadoop.net.NetUtils;
import org.apache.spark.SparkEnv;

/**
 * The executor that trained a replica.
 *
 * @param bfloat16 whether it computed in bfloat16
 */
record ExecutorInfo(String host, boolean bfloat16) implements Serializable {
    /** Copies of the weights per task: those being trained, and those being sent. */
    static final int COPIES_PER_TASK = 2;

    static String thisHost() {
        return NetUtils.getLocalHostname();
    }

    /**
     * Fails if this executor has too little memory; called in its tasks.
     *
     * @param weightBytes size of weights and optimizer state; the executor holds the broadcast and two copies per task
     * @param replicaBytes memory of one replica outside the Java heap
     */
    static void checkMemory(long weightBytes, long replicaBytes) {
        int tasks = ExecutorMemory.tasksAtOnce(SparkEnv.get().conf());
        long needed = (1 + COPIES_PER_TASK * (long) tasks) * weightBytes;
        long heap = Runtime.getRuntime().maxMemory();
        if (needed > heap) {
            throw new UnrollException("the weights of the replicas that train at the same time need about "
                    + (needed >> 20) + " MiB of Java heap, but an executor on " + thisHost() + " has " + (heap >> 20)
                    + " MiB: give executors more, as in --executor-memory " + ((needed >> 30) + 1)
                    + "g.");
        }
        ExecutorMemory.checkMachine(needed, tasks, replicaBytes);
    }

    /** @throws UnrollException if only some executors computed in bfloat16: the result would not be deterministic */
    static void checkSamePrecision(Collection<ExecutorInfo> executors) {
        Map<Boolean, String> hosts = executors.stream()
                .collect(Collectors.toMap(ExecutorInfo::bfloat16, ExecutorInfo::host, (first, second) -> first));
        if (hosts.size() > 1) {
            throw new UnrollException("the processor of " + hosts.get(true) + " computes in bfloat16, and that of "
                    + hosts.get(false) + " cannot, so the result would depend on which one trains which"
                    + " replica: set model.precision = float32 or model.emulate-bfloat16 = true, or use executors with"
                    + " the same kind of processor.");
        }
    }
}
