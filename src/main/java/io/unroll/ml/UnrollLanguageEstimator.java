package io.unroll.ml;

import io.unroll.checkpoint.TrainedModel;
import java.util.Map;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;

/**
 * Trains a language model on rows, each of which is a document. With {@code corpus.columns.document} and {@code
 * corpus.columns.order} in {@link #settings}, the rows of a session are a document.
 */
public final class UnrollLanguageEstimator extends UnrollEstimator<UnrollLanguageEstimator, UnrollLanguageModel>
        implements ScoreParams<UnrollLanguageEstimator> {
    private static final long serialVersionUID = 1;

    public UnrollLanguageEstimator() {
        this(Identifiable.randomUID("unrollLanguage"));
    }

    public UnrollLanguageEstimator(String uid) {
        super(uid);
    }

    @Override
    Map<String, String> taskSettings() {
        return Map.of(
                "task", "language-model",
                "corpus.documents", "reset",
                "corpus.columns.text", getInputCol());
    }

    @Override
    UnrollLanguageModel model(String modelUid, TrainedModel trained) {
        return new UnrollLanguageModel(modelUid, trained);
    }

    public static MLReader<UnrollLanguageEstimator> read() {
        return reader();
    }

    public static UnrollLanguageEstimator load(String path) {
        return read().load(path);
    }
}
