package io.unroll.model;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/** Settings of the native libraries. */
public final class Natives {
    static {
        // JavaCPP would stop a process that is larger than four times its heap. Ours may be: Spark limits it.
        System.setProperty("org.bytedeco.javacpp.maxBytes", System.getProperty("org.bytedeco.javacpp.maxBytes", "0"));
        System.setProperty(
                "org.bytedeco.javacpp.maxPhysicalBytes",
                System.getProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0"));
    }

    private static volatile int threadsOfProcess;

    private Natives() {}

    /**
     * One replica is one Spark task: its arithmetic must not spread over cores that other tasks own. Holds for the
     * calling thread (oneDNN and ND4J share OpenMP, which counts by thread), whatever {@code OMP_NUM_THREADS} says.
     */
    public static void useThreads(int threads) {
        if (threadsOfProcess != threads) {
            setProcess(threads);
        }
        NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
    }

    /** What is not by thread: networks of one process have the same number. */
    private static synchronized void setProcess(int threads) {
        Nd4j.getMemoryManager().togglePeriodicGc(false);
        Nd4j.getEnvironment().setMaxThreads(threads);
        Nd4j.getEnvironment().setMaxMasterThreads(threads);
        Nd4j.factory().blas().setMaxThreads(threads);
        threadsOfProcess = threads;
    }
}
