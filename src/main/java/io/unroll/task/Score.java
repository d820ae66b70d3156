package io.unroll.task;

import io.unroll.model.Loss;
import io.unroll.text.Vocabularies;
import java.io.Serializable;
import java.util.Map;

/** Scores of a network, which can be added up over batches. */
public interface Score extends Serializable {
    Loss loss();

    /** @param other a score of the same task */
    Score plus(Score other);

    /** @return the metrics by name, with values that can be written as JSON */
    Map<String, Object> metrics(Vocabularies vocabularies);
}
