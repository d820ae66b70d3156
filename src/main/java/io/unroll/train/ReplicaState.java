package io.unroll.train;

import io.unroll.model.FloatArray;
import io.unroll.model.RecurrentState;
import java.io.Serializable;

/**
 * State that a replica keeps from round to round and that is not averaged.
 *
 * @param recurrent hidden states of its lanes
 * @param optimizer state of its optimizer if {@code cluster.averaging.updater = keep}; otherwise empty
 */
public record ReplicaState(RecurrentState recurrent, float[] optimizer) implements Serializable {
    public static final ReplicaState INITIAL = of(RecurrentState.ZERO);

    /** @return the state of a replica that keeps no optimizer */
    public static ReplicaState of(RecurrentState recurrent) {
        return new ReplicaState(recurrent, new float[0]);
    }

    /** @return size of the arrays in bytes */
    public long bytes() {
        return Float.BYTES * (recurrent.size() + optimizer.length);
    }

    private Object writeReplace() {
        return new SerializedForm(recurrent, new FloatArray(optimizer));
    }

    private record SerializedForm(RecurrentState recurrent, FloatArray optimizer) implements Serializable {
        private Object readResolve() {
            return new ReplicaState(recurrent, optimizer.values());
        }
    }

    ReplicaState startOfEpoch() {
        return new ReplicaState(RecurrentState.ZERO, optimizer);
    }
}
