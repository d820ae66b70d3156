package io.unroll.spark.dl4j;

import java.io.Serializable;

/** The result of a replica's round. A class, because Spark's Kryo cannot deserialize records. */
final class ReplicaOutcome implements Serializable {
    private static final long serialVersionUID = 1;

    final float[] parameters;
    final float[] updater;
    final CarriedState state;
    final long tokens;

    /** Sum over the chunks of Deeplearning4j's score times the tokens. */
    final double scores;

    /** Error message for the user; null after success. */
    final String problem;

    ReplicaOutcome(float[] parameters, float[] updater, CarriedState state, long tokens, double scores) {
        this(parameters, updater, state, tokens, scores, null);
    }

    private ReplicaOutcome(
            float[] parameters, float[] updater, CarriedState state, long tokens, double scores, String problem) {
        this.parameters = parameters;
        this.updater = updater;
        this.state = state;
        this.tokens = tokens;
        this.scores = scores;
        this.problem = problem;
    }

    static ReplicaOutcome failed(String problem) {
        return new ReplicaOutcome(null, null, null, 0, 0, problem);
    }
}
