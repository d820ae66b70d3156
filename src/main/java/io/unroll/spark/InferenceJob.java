package io.unroll.spark;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings.Pooling;
import io.unroll.config.SettingsReader;
import io.unroll.inference.TextInference;
import java.util.List;
import org.apache.commons.collections4.ListUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Observation;
import org.apache.spark.sql.Row;

/** Reads rows like the model's training, and writes them with a model's predictions or vectors. */
public final class InferenceJob {
    private final Session session;
    private final TrainedModel model;
    private final List<String> paths;
    private final TableOutput output;
    private final String prefix;

    /**
     * @param paths of files in the format of the corpus; none for its table or query
     * @param prefix of the names of the new columns
     */
    public InferenceJob(Session session, TrainedModel model, List<String> paths, TableOutput output, String prefix) {
        this.session = session;
        this.model = model;
        this.paths = paths;
        this.output = output;
        this.prefix = prefix;
    }

    /** @param beam width of the beam search; 1 is greedy decoding */
    public RowCounts predict(int beam) {
        return write("predict", (inference, table, input) -> inference.predict(table, input, prefix, beam));
    }

    public RowCounts embed(Pooling pooling) {
        return write("embed", (inference, table, input) -> inference.embed(table, input, prefix, pooling));
    }

    /** Appends results to a table; its column {@code input} has the texts or images. */
    private interface Append {
        Dataset<Row> apply(TableInference inference, Dataset<Row> table, Column input);
    }

    private RowCounts write(String description, Append append) {
        String field = new TextInference(model).inputField();
        var corpus = SettingsReader.override(
                        model.settings(),
                        ListUtils.union(
                                CorpusPreparation.ONLY_FOR_TRAINING,
                                List.of("corpus.columns.document=", "corpus.columns.order=")))
                .corpus();
        Dataset<Row> table = new RowSource(session, corpus, List.of(field), false).table(paths);
        Observation observation = new Observation();
        try (TableInference inference = new TableInference(session, model)) {
            Dataset<Row> results = append.apply(inference, table, RowSource.column(field));
            Dataset<Row> written =
                    RowCounts.observe(results, observation, prefix).drop(RowSource.columnName(field));
            session.describe(description, description, () -> {
                output.write(session, written);
                return null;
            });
        }
        return RowCounts.of(RowCounts.values(observation));
    }
}
