package io.unroll.spark.dl4j;

import java.io.Serializable;

/** What a replica gives back after a round. A class, not a record: those Spark's Kryo cannot read back. */
final class Trained implements Serializable {
    private static final long serialVersionUID = 1;

    final float[] parameters;
    final float[] updater;
    final CarriedState state;
    final long tokens;

    /** Deeplearning4j's score of each chunk, weighted by its tokens. */
    final double scores;

    /** What the user must hear of; null where all went well. */
    final String problem;

    Trained(float[] parameters, float[] updater, CarriedState state, long tokens, double scores) {
        this(parameters, updater, state, tokens, scores, null);
    }

    private Trained(
            float[] parameters, float[] updater, CarriedState state, long tokens, double scores, String problem) {
        this.parameters = parameters;
        this.updater = updater;
        this.state = state;
        this.tokens = tokens;
        this.scores = scores;
        this.problem = problem;
    }

    static Trained failed(String problem) {
        return new Trained(null, null, null, 0, 0, problem);
    }
}
