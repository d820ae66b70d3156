package io.unroll.train;

import io.unroll.model.RecurrentState;
import java.io.Serializable;

/**
 * What is a replica's own from round to round.
 *
 * @param recurrent what its lanes remember
 * @param optimizer its optimizer's state, where each replica keeps its own; else empty
 */
public record ReplicaState(RecurrentState recurrent, float[] optimizer) implements Serializable {
    static final ReplicaState INITIAL = new ReplicaState(RecurrentState.ZERO, new float[0]);

    public long bytes() {
        return Float.BYTES * (recurrent.size() + optimizer.length);
    }

    private Object writeReplace() {
        return new Travelling(recurrent, new FloatArray(optimizer));
    }

    private record Travelling(RecurrentState recurrent, FloatArray optimizer) implements Serializable {
        private Object readResolve() {
            return new ReplicaState(recurrent, optimizer.values());
        }
    }

    ReplicaState startOfEpoch() {
        return new ReplicaState(RecurrentState.ZERO, optimizer);
    }
}
