package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.Map;

/** How well a network does on some batches. */
public interface Score extends Serializable {
    Loss loss();

    /** @param other the same task's */
    Score plus(Score other);

    /** @return by the names that users read; values that JSON can hold */
    Map<String, Object> metrics(Vocabularies vocabularies);
}
