package io.unroll.spark.dl4j;

import java.io.Serializable;

/** What all replicas start a round with. A class, because Spark's Kryo cannot deserialize records. */
final class RoundStart implements Serializable {
    private static final long serialVersionUID = 1;

    /** Deeplearning4j's JSON of a {@code ComputationGraphConfiguration}. */
    final String configuration;

    final float[] parameters;
    final float[] updater;
    final int iteration;
    final int epoch;

    /** Index, within each replica, of the round's first chunk. */
    final long chunk;

    RoundStart(String configuration, float[] parameters, float[] updater, int iteration, int epoch, long chunk) {
        this.configuration = configuration;
        this.parameters = parameters;
        this.updater = updater;
        this.iteration = iteration;
        this.epoch = epoch;
        this.chunk = chunk;
    }
}
