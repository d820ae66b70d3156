package io.unroll.train;

import io.unroll.chunk.CorpusSize;
import io.unroll.chunk.Plan;

/** Listener for the progress of a run. */
public interface Progress {
    /** The run waits to see whether the process that locked its directory is still alive. */
    void waitingForLock(String reason);

    /** @param found whether an already prepared corpus is reused */
    void prepared(String folder, CorpusSize size, boolean found);

    void planned(Plan plan);

    /**
     * The network to train.
     *
     * @param replicaBytes memory of a replica outside the Java heap
     * @param float32Instead whether float32 replaces bfloat16, because the processor has no bfloat16 instructions
     */
    void network(int parameters, long replicaBytes, boolean float32Instead);

    /** The run is already complete: its model exists, from the same settings and corpus. */
    void finished(String model);

    /** The run starts from the weights of a trained model (warm start). */
    void startsFrom(String model);

    /** The run resumes from a checkpoint that was written after this round. */
    void resumed(String checkpoint, int round);

    /** A checkpoint is damaged and is skipped. */
    void damaged(String checkpoint, String problem);

    void round(RoundReport report);

    /**
     * The run was interrupted.
     *
     * @param round round of the checkpoint that the run can resume from; 0 if there is none
     */
    void interrupted(int round);
}
