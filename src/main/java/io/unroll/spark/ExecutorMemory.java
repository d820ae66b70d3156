package io.unroll.spark;

import com.sun.management.OperatingSystemMXBean;
import io.unroll.config.ConfigurationException;
import io.unroll.model.Natives;
import java.lang.management.ManagementFactory;
import org.apache.spark.SparkConf;

/**
 * What an executor has outside its Java heap, where YARN and Kubernetes kill it for taking more:
 *
 * <pre>
 *   spark.executor.memoryOverhead  >=  300 MiB for the libraries  +  1.2 x tasks at once x what a replica takes
 * </pre>
 */
final class ExecutorMemory {
    private static final long LIBRARIES = 300;

    /** Factor by which a replica may use more memory than estimated. */
    private static final double MARGIN = 1.2;

    private static final long LEAST_BY_DEFAULT = 384;

    private ExecutorMemory() {}

    /** @throws ConfigurationException saying what to give */
    static void check(SparkConf conf, long replicaBytes) {
        String master = conf.get("spark.master");
        if (!master.startsWith("yarn") && !master.startsWith("k8s")) {
            return;
        }
        long needed = neededMebibytes(conf, replicaBytes);
        long given = givenMebibytes(conf);
        if (given < needed) {
            throw new ConfigurationException("an executor's tasks would take about " + needed
                    + " MiB outside the Java heap, and spark.executor.memoryOverhead is " + given
                    + " MiB: give --conf spark.executor.memoryOverhead=" + needed
                    + "m, or lower model.hidden, training.batch or training.tbptt.");
        }
    }

    /**
     * Refuses what this machine, or the container that this process is in, has no memory for.
     *
     * @param heapBytes that are needed inside the Java heap
     * @param tasks at once
     */
    static void checkMachine(long heapBytes, int tasks, long replicaBytes) {
        long needed = heapBytes + (LIBRARIES << 20) + (long) (MARGIN * tasks * replicaBytes);
        long there = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
        if (needed > there) {
            throw new ConfigurationException("training " + tasks + " replicas at once takes about " + (needed >> 20)
                    + " MiB of memory, " + (replicaBytes >> 20) + " MiB for each outside the Java heap, and "
                    + Worker.thisHost() + " has " + (there >> 20)
                    + " MiB: train fewer at once, or lower model.hidden, training.batch or training.tbptt.");
        }
        Natives.checkLimit(needed);
    }

    private static long neededMebibytes(SparkConf conf, long replicaBytes) {
        return LIBRARIES + (long) Math.ceil(MARGIN * tasksAtOnce(conf) * replicaBytes / 1048576.0);
    }

    /** @return of one executor, as far as the configuration tells */
    static int tasksAtOnce(SparkConf conf) {
        return Math.max(1, conf.getInt("spark.executor.cores", 1) / conf.getInt("spark.task.cpus", 1));
    }

    private static long givenMebibytes(SparkConf conf) {
        double factor = conf.getDouble("spark.executor.memoryOverheadFactor", 0.1);
        long byDefault = (long) (factor * conf.getSizeAsMb("spark.executor.memory", "1g"));
        return conf.contains("spark.executor.memoryOverhead")
                ? conf.getSizeAsMb("spark.executor.memoryOverhead")
                : Math.max(LEAST_BY_DEFAULT, byDefault);
    }
}
