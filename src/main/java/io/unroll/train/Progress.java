package io.unroll.train;

import io.unroll.chunk.CorpusSize;
import io.unroll.chunk.Plan;

/** Who follows a run. */
public interface Progress {
    /** The run waits to see whether another process still holds its directory. */
    void waits(String why);

    /** @param found it had been prepared before */
    void prepared(String folder, CorpusSize size, boolean found);

    void planned(Plan plan);

    /**
     * What will be trained.
     *
     * @param replicaBytes memory of a replica outside the Java heap
     * @param float32Instead the processor has no instructions for the bfloat16 that was asked for
     */
    void network(int parameters, long replicaBytes, boolean float32Instead);

    /** The run is finished: its model is there, from the same settings and corpus, and nothing is left to do. */
    void finished(String model);

    /** The run begins with the weights of a trained model. */
    void startsFrom(String model);

    /** The run goes on from a checkpoint of so many rounds. */
    void resumed(String checkpoint, int round);

    /** A checkpoint that cannot be used, and why. */
    void damaged(String checkpoint, String problem);

    void round(RoundReport report);

    /**
     * The run is told to end.
     *
     * @param round after which there is a checkpoint to go on from; 0 where there is none
     */
    void interrupted(int round);
}
