package io.unroll.spark;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.map_from_arrays;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings.Pooling;
import io.unroll.inference.TextInference;
import io.unroll.text.Vocabulary;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Appends the results of a model to the rows of a table, as new columns. All rows and columns are kept. What is computed
 * for a row does not depend on how Spark divides the table; the order of the rows is undefined, as Spark's is.
 */
public final class TableInference implements AutoCloseable {
    /** Why a row has no result; null if it has one. */
    public static final String UNSCORED = "unscored";

    /** Mean bits per token. */
    public static final String SCORE = "score";
    /** The predicted label, target text or caption. */
    public static final String PREDICTION = "prediction";
    /** Logarithm of the probability of a target text or caption, in nats. */
    public static final String LOG_PROBABILITY = "log_probability";
    /** The probability of each label, as a map. */
    public static final String PROBABILITIES = "probabilities";

    private static final String TEXT = "__unroll_text";
    private static final String KEY = "__unroll_key";
    private static final String ORDER = "__unroll_order";

    private final Session session;
    private final TrainedModel model;
    private final Broadcast<TextInference> inference;
    /** Identifies the weights among all that this process has used. */
    private final String weights = UUID.randomUUID().toString();

    public TableInference(Session session, TrainedModel model) {
        this.session = session;
        this.model = model;
        this.inference = session.broadcast(new TextInference(model));
    }

    /** Removes the weights from the executors: results that were not stored can no longer be computed. */
    @Override
    public void close() {
        inference.destroy(true);
    }

    /**
     * Scores each row independently, as one document.
     *
     * @param text the column with the texts
     * @param rule which scores are anomalies
     * @param prefix of the names of the new columns
     * @param keepsBits whether the column {@code bits} is added
     * @throws ConfigurationException if the model is not a language model, or the table has a column of the same name
     */
    public Dataset<Row> score(Dataset<Row> input, Column text, AnomalyRule rule, String prefix, boolean keepsBits) {
        inference.value().languageModel();
        return append(
                input,
                prefix,
                scoreSchema(keepsBits),
                text,
                new InferenceResults.Scores(input.columns().length, rule, keepsBits));
    }

    /**
     * Scores the rows of documents: the state is carried from row to row of equal key.
     *
     * @param key the column that names the document of a row
     * @param order the column that orders the rows of a document; ties are ordered by their texts and other columns
     * @param gapSeconds time after which a new document begins; 0 for no limit
     */
    public Dataset<Row> scoreDocuments(
            Dataset<Row> input,
            Column text,
            Column key,
            Column order,
            double gapSeconds,
            AnomalyRule rule,
            String prefix,
            boolean keepsBits) {
        inference.value().languageModel();
        int columns = input.columns().length;
        Dataset<Row> rows = input.select(all(
                text.as(TEXT), asText(input, key).as(KEY), asText(input, order).as(ORDER)));
        checkNames(input, prefix, scoreSchema(keepsBits));
        Column sortKey = udf(
                        (UDF1<String, String>) value -> value == null ? null : OrderKeys.key(value),
                        DataTypes.StringType)
                .apply(col(ORDER));
        // Rows without a score come first, where they end no document.
        Broadcast<TextInference> reader = inference;
        Column readable = udf(
                        (UDF3<String, String, String, Boolean>) (row, document, place) -> reader.value()
                                .isReadable(InferenceResults.DocumentScores.scored(row, document, place, gapSeconds)),
                        DataTypes.BooleanType)
                .apply(col(TEXT), col(KEY), col(ORDER));
        Column content = xxhash64(Arrays.stream(input.schema().fields())
                .map(field -> TableColumns.text(quoted(field.name()), field.dataType()))
                .toArray(Column[]::new));
        Dataset<Row> sorted =
                rows.repartition(col(KEY)).sortWithinPartitions(col(KEY), readable, sortKey, col(TEXT), content);
        return mapped(
                input,
                prefix,
                scoreSchema(keepsBits),
                sorted,
                new InferenceResults.DocumentScores(columns, gapSeconds, rule, keepsBits));
    }

    private static Column asText(Dataset<Row> input, Column column) {
        return TableColumns.text(
                column, input.select(column).schema().fields()[0].dataType());
    }

    /**
     * Predicts the label or the target of each text, or the caption of each image.
     *
     * @param beam width of the beam search; 1 is greedy decoding
     */
    public Dataset<Row> predict(Dataset<Row> input, Column text, String prefix, int beam) {
        Optional<Vocabulary> labels = model.task().labels(model.vocabularies());
        Dataset<Row> predicted = append(
                input,
                prefix,
                predictionSchema(labels.isPresent()),
                text,
                new InferenceResults.Predictions(
                        input.columns().length,
                        labels.isPresent(),
                        inference.value().readsImages(),
                        beam,
                        model.settings().corpus().images(),
                        session.hadoopBroadcast()));
        return labels.map(names -> withMap(predicted, prefix + PROBABILITIES, names))
                .orElse(predicted);
    }

    private static Dataset<Row> withMap(Dataset<Row> predicted, String column, Vocabulary labels) {
        Column names = array(labels.symbols().stream().map(functions::lit).toArray(Column[]::new));
        return predicted.withColumn(column, when(col(column).isNotNull(), map_from_arrays(names, col(column))));
    }

    /** Reduces each text to a vector, in the column {@code vector}. */
    public Dataset<Row> embed(Dataset<Row> input, Column text, String prefix, Pooling pooling) {
        StructType schema = new StructType()
                .add("vector", DataTypes.createArrayType(DataTypes.FloatType, false))
                .add(UNSCORED, DataTypes.StringType);
        return append(input, prefix, schema, text, new InferenceResults.Vectors(input.columns().length, pooling));
    }

    private Dataset<Row> append(
            Dataset<Row> input, String prefix, StructType added, Column text, InferenceRows.Results results) {
        checkNames(input, prefix, added);
        return mapped(input, prefix, added, input.select(all(text.as(TEXT))), results);
    }

    private Dataset<Row> mapped(
            Dataset<Row> input, String prefix, StructType added, Dataset<Row> rows, InferenceRows.Results results) {
        StructType schema = input.schema();
        for (var field : added.fields()) {
            schema = schema.add(prefix + field.name(), field.dataType());
        }
        return rows.mapPartitions(
                new InferenceRows(inference, weights, input.columns().length, results), Encoders.row(schema));
    }

    private static Column[] all(Column... more) {
        return Stream.concat(Stream.of(col("*")), Stream.of(more)).toArray(Column[]::new);
    }

    private static Column quoted(String name) {
        return col(TableColumns.quoted(name));
    }

    private static void checkNames(Dataset<Row> input, String prefix, StructType added) {
        List<String> names = Arrays.stream(input.columns())
                .map(name -> name.toLowerCase(Locale.ROOT))
                .toList();
        List<String> taken = Arrays.stream(added.fieldNames())
                .map(name -> prefix + name)
                .filter(name -> names.contains(name.toLowerCase(Locale.ROOT)))
                .toList();
        if (!taken.isEmpty()) {
            throw new ConfigurationException("the input has a column " + String.join(" and ", taken)
                    + " already: give --prefix, such as --prefix unroll_, for the names of the new columns.");
        }
    }

    /** @return the columns of scores, without prefix */
    public static StructType scoreSchema(boolean keepsBits) {
        StructType schema = new StructType()
                .add(SCORE, DataTypes.DoubleType)
                .add("max_bits", DataTypes.DoubleType)
                .add("max_position", DataTypes.IntegerType)
                .add("max_token", DataTypes.StringType)
                .add("max_context", DataTypes.StringType)
                .add("max_rank", DataTypes.IntegerType)
                .add("expected", DataTypes.createArrayType(DataTypes.StringType, false))
                .add("tokens", DataTypes.IntegerType)
                .add("unknown_tokens", DataTypes.IntegerType)
                .add("anomaly", DataTypes.BooleanType)
                .add("threshold", DataTypes.DoubleType)
                .add(UNSCORED, DataTypes.StringType);
        return keepsBits ? schema.add("bits", DataTypes.createArrayType(DataTypes.FloatType, false)) : schema;
    }

    private static StructType predictionSchema(boolean labels) {
        StructType schema = new StructType().add(PREDICTION, DataTypes.StringType);
        DataType probabilities = DataTypes.createArrayType(DataTypes.DoubleType, false);
        return (labels
                        ? schema.add("probability", DataTypes.DoubleType).add(PROBABILITIES, probabilities)
                        : schema.add(LOG_PROBABILITY, DataTypes.DoubleType))
                .add(UNSCORED, DataTypes.StringType);
    }
}
