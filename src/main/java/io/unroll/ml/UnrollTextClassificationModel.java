package io.unroll.ml;

import static org.apache.spark.ml.functions.array_to_vector;
import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.array_position;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings;
import io.unroll.spark.TableInference;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/**
 * Appends the predicted label: its index in {@link #labels} as a number ({@code predictionCol}) and its text ({@code
 * predictedLabelCol}), the probabilities of all labels, and their logarithms.
 */
public final class UnrollTextClassificationModel extends UnrollModel<UnrollTextClassificationModel>
        implements ClassificationParams<UnrollTextClassificationModel> {
    private static final long serialVersionUID = 1;

    /** Labels above it are texts: a vector has an element for each smaller number. */
    static final int MAX_NUMBER = 999;

    /** Creates a model without weights, for Spark Connect. */
    public UnrollTextClassificationModel() {
        this(Identifiable.randomUID("unrollClassifier"));
    }

    /** Creates a model without weights, for Spark Connect. */
    public UnrollTextClassificationModel(String uid) {
        this(uid, null);
    }

    UnrollTextClassificationModel(String uid, TrainedModel trained) {
        super(uid, trained);
    }

    /**
     * Reads a model that {@code jobs/unroll} has trained. The input column is that of the training.
     *
     * @param folder a model folder or the directory of a run
     */
    public static UnrollTextClassificationModel fromFolder(String folder) {
        TrainedModel trained = read(folder, Settings.TaskName.CLASSIFICATION);
        return new UnrollTextClassificationModel(Identifiable.randomUID("unrollClassifier"), trained)
                .setInputCol(trained.settings().corpus().columns().get("text"));
    }

    /**
     * @return the labels in the order of the vectors: sorted as texts, as a {@code StringIndexer} with {@code alphabetAsc}
     *     does. If all labels are whole numbers from 0 to 999, each number is at its own index, as Spark's classifiers
     *     have it; the probability of a number that is no label is 0.
     */
    public String[] labels() {
        List<String> labels =
                trained().task().labels(trained().vocabularies()).orElseThrow().symbols();
        if (!labels.stream().allMatch(label -> label.matches("0|[1-9]\\d{0,2}"))) {
            return labels.toArray(String[]::new);
        }
        int max = labels.stream().mapToInt(Integer::parseInt).max().orElseThrow();
        return IntStream.rangeClosed(0, max).mapToObj(Integer::toString).toArray(String[]::new);
    }

    @Override
    Dataset<Row> results(TableInference inference, Dataset<Row> input, String prefix) {
        return inference.predict(input, ParamSupport.column(getInputCol()), prefix, 1);
    }

    @Override
    List<Column> outputs(String prefix) {
        Column label = ParamSupport.column(prefix + TableInference.PREDICTION);
        Column probability = ParamSupport.column(prefix + TableInference.PROBABILITIES);
        Column labels = array(Stream.of(labels()).map(functions::lit).toArray(Column[]::new));
        Column probabilities = functions.transform(labels, name -> coalesce(element_at(probability, name), lit(0.0)));
        Column logarithms =
                functions.transform(probabilities, value -> functions.log(greatest(value, lit(Double.MIN_VALUE))));
        return List.of(
                array_position(labels, label).minus(1).cast("double"),
                when(label.isNotNull(), array_to_vector(probabilities)),
                when(label.isNotNull(), array_to_vector(logarithms)),
                label,
                ParamSupport.column(prefix + TableInference.UNSCORED));
    }

    @Override
    UnrollTextClassificationModel model(String modelUid, TrainedModel weights) {
        return new UnrollTextClassificationModel(modelUid, weights);
    }

    public static MLReader<UnrollTextClassificationModel> read() {
        return reader(UnrollTextClassificationModel.class, UnrollTextClassificationModel::new);
    }

    public static UnrollTextClassificationModel load(String path) {
        return read().load(path);
    }
}
