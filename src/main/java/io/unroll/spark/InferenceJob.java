package io.unroll.spark;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings.Pooling;
import io.unroll.config.SettingsReader;
import io.unroll.inference.TextInference;
import java.util.List;
import java.util.function.Function;
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
        String field = new TextInference(model).inputField();
        try (TableInference inference = new TableInference(session, model)) {
            return write("predict", field, table -> inference.predict(table, RowSource.column(field), prefix, beam));
        }
    }

    public RowCounts embed(Pooling pooling) {
        String field = new TextInference(model).inputField();
        try (TableInference inference = new TableInference(session, model)) {
            return write("embed", field, table -> inference.embed(table, RowSource.column(field), prefix, pooling));
        }
    }

    private RowCounts write(String description, String field, Function<Dataset<Row>, Dataset<Row>> append) {
        var corpus = SettingsReader.override(
                        model.settings(),
                        List.of("corpus.split-by=auto", "corpus.columns.document=", "corpus.columns.order="))
                .corpus();
        Dataset<Row> table = new RowSource(session, corpus, List.of(field), false).table(paths);
        Observation observation = new Observation();
        Dataset<Row> results =
                RowCounts.observe(append.apply(table), observation, prefix).drop(RowSource.columnName(field));
        session.describe(description, description, () -> {
            output.write(session, results);
            return null;
        });
        return RowCounts.of(RowCounts.values(observation));
    }
}
