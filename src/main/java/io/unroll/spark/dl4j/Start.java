package io.unroll.spark.dl4j;

import java.io.Serializable;

/** With what all replicas start a round. A class, not a record: those Spark's Kryo cannot read back. */
final class Start implements Serializable {
    private static final long serialVersionUID = 1;

    /** Deeplearning4j's JSON of a {@code ComputationGraphConfiguration}. */
    final String configuration;

    final float[] parameters;
    final float[] updater;
    final int iteration;
    final int epoch;

    /** The round's first chunk, counted in each replica. */
    final long chunk;

    Start(String configuration, float[] parameters, float[] updater, int iteration, int epoch, long chunk) {
        this.configuration = configuration;
        this.parameters = parameters;
        this.updater = updater;
        this.iteration = iteration;
        this.epoch = epoch;
        this.chunk = chunk;
    }
}
