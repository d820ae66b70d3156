package io.unroll.spark;

import com.sun.management.OperatingSystemMXBean;
import io.unroll.config.ConfigurationException;
import io.unroll.model.Natives;
import java.lang.management.ManagementFactory;
import org.apache.spark.SparkConf;

/**
 * Checks that executors and machines have enough memory outside the Java heap. YARN and Kubernetes kill an executor
 * that exceeds its limit. There, an executor needs
 *
 * <pre>
 *   spark.executor.memoryOverhead  >=  300 MiB for the libraries  +  1.25 x concurrent tasks x memory of a replica
 * </pre>
 */
final class ExecutorMemory {
    private static final long LIBRARIES_MIB = 300;

    /** Factor for a replica that uses more memory than estimated. */
    private static final double MARGIN = 1.25;

    private static final long MIN_DEFAULT_OVERHEAD_MIB = 384;

    private ExecutorMemory() {}

    /**
     * @throws ConfigurationException if the memory overhead on YARN or Kubernetes is too small; names the value to set
     */
    static void check(SparkConf conf, long replicaBytes) {
        String master = conf.get("spark.master");
        if (!master.startsWith("yarn") && !master.startsWith("k8s")) {
            return;
        }
        long needed = LIBRARIES_MIB + (long) Math.ceil(MARGIN * tasksAtOnce(conf) * replicaBytes / 1048576.0);
        long given = givenMebibytes(conf);
        if (given < needed) {
            throw new ConfigurationException("an executor's tasks would take about " + needed
                    + " MiB outside the Java heap, and spark.executor.memoryOverhead is " + given
                    + " MiB: give --conf spark.executor.memoryOverhead=" + needed
                    + "m, or lower model.hidden, training.batch or training.tbptt.");
        }
    }

    /**
     * Fails if this machine, or the container of this process, has too little memory.
     *
     * @param heapBytes memory needed inside the Java heap
     * @param tasks number of concurrent tasks
     * @param replicaBytes memory of one replica outside the Java heap
     */
    static void checkMachine(long heapBytes, int tasks, long replicaBytes) {
        long needed = heapBytes + (LIBRARIES_MIB << 20) + (long) (MARGIN * tasks * replicaBytes);
        long available = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
        if (needed > available) {
            throw new ConfigurationException("training " + tasks + " replicas at once takes about " + (needed >> 20)
                    + " MiB of memory (" + (replicaBytes >> 20) + " MiB for each replica outside the Java heap), but "
                    + ExecutorInfo.thisHost() + " has " + (available >> 20)
                    + " MiB: train fewer replicas at once, or lower model.hidden, training.batch or training.tbptt.");
        }
        Natives.checkLimit(needed);
    }

    /** @return concurrent tasks of one executor, from the configuration */
    static int tasksAtOnce(SparkConf conf) {
        return Math.max(1, conf.getInt("spark.executor.cores", 1) / conf.getInt("spark.task.cpus", 1));
    }

    private static long givenMebibytes(SparkConf conf) {
        double factor = conf.getDouble("spark.executor.memoryOverheadFactor", 0.1);
        long byDefault = (long) (factor * conf.getSizeAsMb("spark.executor.memory", "1g"));
        return conf.contains("spark.executor.memoryOverhead")
                ? conf.getSizeAsMb("spark.executor.memoryOverhead")
                : Math.max(MIN_DEFAULT_OVERHEAD_MIB, byDefault);
    }
}
