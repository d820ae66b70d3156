package io.unroll.model;

import org.nd4j.linalg.factory.Nd4j;

/** The native libraries' settings that hold for the whole process. */
final class Natives {
    private Natives() {}

    /** One replica is one Spark task: its arithmetic must not spread over cores that other tasks own. */
    static synchronized void useThreads(int threads) {
        Nd4j.getMemoryManager().togglePeriodicGc(false);
        Nd4j.getEnvironment().setMaxThreads(threads);
        Nd4j.getEnvironment().setMaxMasterThreads(threads);
        Nd4j.factory().blas().setMaxThreads(threads);
    }
}
