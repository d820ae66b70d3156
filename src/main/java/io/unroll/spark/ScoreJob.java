package io.unroll.spark;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.percentile_approx;
import static org.apache.spark.sql.functions.sum;

import io.unroll.checkpoint.Reference;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.task.LanguageModel;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.collections4.ListUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/** Reads rows like the model's training, scores them, and writes them with their scores. */
public final class ScoreJob implements AutoCloseable {
    private static final int EXACT_UP_TO = 1_000_000;
    private static final String NO_KEY = "none";
    /** Prefix of columns that are not written. */
    private static final String REFERENCE = "unroll_reference_";

    private final Session session;
    private final Settings settings;
    private final TableInference inference;
    private final boolean areDocuments;
    private final int vocabulary;

    /**
     * @param key column that names the document of a row, or none; if empty, that of the model
     * @param order column that orders the rows of a document; if empty, that of the model
     */
    public ScoreJob(Session session, TrainedModel model, Optional<String> key, Optional<String> order) {
        Settings.Corpus corpus = model.settings().corpus();
        String document = key.orElse(corpus.columns().get(RowSource.DOCUMENT));
        this.areDocuments = !document.isBlank() && !document.equals(NO_KEY);
        String orderColumn = areDocuments ? order.orElse(corpus.columns().get(RowSource.ORDER)) : "";
        if (areDocuments && orderColumn.isBlank()) {
            throw new ConfigurationException(
                    "--key is " + document + ", but --order-by is not set: name the column that orders the rows.");
        }
        if (order.isPresent() && !areDocuments) {
            throw new ConfigurationException(
                    "--order-by is " + order.get() + ", but rows are no documents: give --key.");
        }
        LanguageModel languageModel = (LanguageModel) model.task();
        if (areDocuments && corpus.hasDocuments() && !languageModel.separates()) {
            throw new ConfigurationException(
                    "--key is " + document + ", but the model was trained on documents of one row,"
                            + " without corpus.columns.document: leave it out, or train a model on sessions.");
        }
        this.session = session;
        this.settings = SettingsReader.override(
                model.settings(),
                ListUtils.union(
                        CorpusPreparation.ONLY_FOR_TRAINING,
                        List.of(
                                "corpus.columns.document=" + (areDocuments ? document : ""),
                                "corpus.columns.order=" + orderColumn)));
        this.vocabulary = model.vocabularies().tokens().size();
        this.inference = new TableInference(session, model);
    }

    @Override
    public void close() {
        inference.close();
    }

    private Dataset<Row> table(List<String> paths, Settings settings) {
        return new RowSource(session, settings.corpus(), List.of("text"), false).table(paths);
    }

    /**
     * @param paths of files in the format of the corpus; none for its table or query
     * @param prefix of the names of the new columns
     * @param keepsBits whether the column {@code bits} is added
     * @return the rows, with additional columns; that their scores can be written is checked, but nothing is computed
     */
    public Dataset<Row> read(List<String> paths, TableOutput output, String prefix, boolean keepsBits) {
        Dataset<Row> table = table(paths, settings);
        Dataset<Row> independent =
                inference.score(table, RowSource.column("text"), AnomalyRule.NONE, prefix, keepsBits);
        output.check(session, withoutAdded(independent));
        return table;
    }

    private static Dataset<Row> withoutAdded(Dataset<Row> rows) {
        return rows.drop(Stream.of("text", RowSource.DOCUMENT, RowSource.ORDER)
                .map(RowSource::columnName)
                .toArray(String[]::new));
    }

    /** Reads a path, which may lie outside the folder that is the base of the input's partitions, a table or a query. */
    private Dataset<Row> referenceTable(String input) {
        if (isTableOrQuery(input)) {
            List<String> source = List.of("corpus.path=", "corpus.table=", "corpus.query=", input);
            return table(List.of(), SettingsReader.override(settings, source));
        }
        List<String> otherBase = settings.corpus().options().entrySet().stream()
                .filter(option -> option.getKey().equalsIgnoreCase(SparkFiles.BASE_PATH))
                .filter(option -> !input.startsWith(option.getValue()))
                .map(option -> "corpus.options." + option.getKey() + "=")
                .toList();
        return table(List.of(input), SettingsReader.override(settings, otherBase));
    }

    /** @return whether the input is corpus.table=NAME or corpus.query=SELECT..., not a path */
    public static boolean isTableOrQuery(String input) {
        return input.startsWith("corpus.table=") || input.startsWith("corpus.query=");
    }

    private Dataset<Row> scored(Dataset<Row> table, AnomalyRule rule, String prefix, boolean keepsBits) {
        Column text = RowSource.column("text");
        Dataset<Row> scored = areDocuments
                ? inference.scoreDocuments(
                        table,
                        text,
                        RowSource.column(RowSource.DOCUMENT),
                        RowSource.column(RowSource.ORDER),
                        settings.corpus().gap().toNanos() / 1e9,
                        rule,
                        prefix,
                        keepsBits)
                : inference.score(table, text, rule, prefix, keepsBits);
        return withoutAdded(scored);
    }

    /**
     * Scores normal rows.
     *
     * @param input a path, or corpus.table=NAME or corpus.query=SELECT...
     * @throws ConfigurationException if no row can be scored
     */
    public Reference reference(String input) {
        Column levels = array(Reference.levels().stream().map(functions::lit).toArray(Column[]::new));
        Dataset<Row> scores = scored(referenceTable(input), AnomalyRule.NONE, REFERENCE, false)
                .agg(
                        count(col(REFERENCE + "score")),
                        coalesce(sum(REFERENCE + "tokens"), lit(0L)),
                        coalesce(sum(REFERENCE + "unknown_tokens"), lit(0L)),
                        percentile_approx(col(REFERENCE + "score"), levels, lit(EXACT_UP_TO)),
                        percentile_approx(col(REFERENCE + "max_rank"), levels, lit(EXACT_UP_TO)));
        Row row = SparkErrors.read(
                "--reference", () -> session.describe("score: reference", "score: reference", scores::head));
        if (row.getLong(0) == 0) {
            throw new ConfigurationException("--reference is " + input + ", which has no rows that can be scored.");
        }
        return new Reference(
                input,
                row.getLong(0),
                (double) row.getLong(2) / row.getLong(1),
                List.copyOf(row.<Double>getList(3)),
                List.copyOf(row.<Integer>getList(4)));
    }

    /**
     * Writes the rows with their scores.
     *
     * @param table what {@link #read} has returned for this output
     * @param normal scores of normal rows, with which the summary compares
     * @param prefix of the names of the new columns
     */
    public ScoreSummary.Counts score(
            Dataset<Row> table,
            TableOutput output,
            AnomalyRule rule,
            Optional<Reference> normal,
            String prefix,
            boolean keepsBits) {
        Optional<Column> label =
                TableColumns.find(table, settings.corpus().columns().get("label"));
        ScoreSummary summary = new ScoreSummary(normal, rule, prefix, label, vocabulary);
        Dataset<Row> scored = summary.observe(scored(table, rule, prefix, keepsBits));
        session.describe("score", "score", () -> {
            output.write(session, scored);
            return null;
        });
        return summary.counts();
    }
}
