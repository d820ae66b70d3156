package io.unroll.ml;

import io.unroll.checkpoint.Reference;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings;
import io.unroll.spark.AnomalyRule;
import io.unroll.spark.TableInference;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Appends the surprisal of texts: the columns of the command {@code score}. */
public final class UnrollLanguageModel extends UnrollModel<UnrollLanguageModel>
        implements ScoreParams<UnrollLanguageModel> {
    private static final Logger LOG = LoggerFactory.getLogger(UnrollLanguageModel.class);
    private static final long serialVersionUID = 1;

    /** Creates a model without weights, for Spark Connect. */
    public UnrollLanguageModel() {
        this(Identifiable.randomUID("unrollLanguage"));
    }

    /** Creates a model without weights, for Spark Connect. */
    public UnrollLanguageModel(String uid) {
        this(uid, null);
    }

    UnrollLanguageModel(String uid, TrainedModel trained) {
        super(uid, trained);
    }

    /**
     * Reads a model that {@code jobs/unroll} has trained. The input column is that of the training.
     *
     * @param folder a model folder or the directory of a run
     */
    public static UnrollLanguageModel fromFolder(String folder) {
        TrainedModel trained = read(folder, Settings.TaskName.LANGUAGE_MODEL);
        return new UnrollLanguageModel(Identifiable.randomUID("unrollLanguage"), trained)
                .setInputCol(trained.settings().corpus().columns().get("text"));
    }

    @Override
    Dataset<Row> results(TableInference inference, Dataset<Row> input, String prefix) {
        Column text = ParamSupport.column(getInputCol());
        return columnOf("document").isBlank()
                ? inference.score(input, text, rule(), prefix, false)
                : inference.scoreDocuments(
                        input,
                        text,
                        column(input, columnOf("document")),
                        column(input, columnOf("order")),
                        trained().settings().corpus().gap().toNanos() / 1e9,
                        rule(),
                        prefix,
                        false);
    }

    @Override
    public StructType transformSchema(StructType schema) {
        if (hasWeights() && !columnOf("document").isBlank()) {
            checkExists("document", schema);
            checkExists("order", schema);
        }
        return super.transformSchema(schema);
    }

    private String columnOf(String field) {
        return trained().settings().corpus().columns().get(field);
    }

    private void checkExists(String field, StructType schema) {
        String name = columnOf(field);
        String first = name.replace("`", "").split("\\.")[0];
        List<String> columns = List.of(schema.fieldNames());
        if (columns.stream().noneMatch(column -> column.equalsIgnoreCase(name) || column.equalsIgnoreCase(first))) {
            throw new IllegalArgumentException("the dataset has no column " + name
                    + ", which was corpus.columns." + field + " in the training of " + uid() + "; its columns are "
                    + String.join(", ", columns) + ".");
        }
    }

    /** @return the column of this name, or the field of a struct */
    private static Column column(Dataset<Row> input, String name) {
        return List.of(input.columns()).contains(name) ? ParamSupport.column(name) : functions.col(name);
    }

    private AnomalyRule rule() {
        if (isSet(threshold()) && isSet(topG())) {
            throw new IllegalArgumentException("threshold and topG of " + uid() + " are both set: clear one of them.");
        }
        if (isSet(topG())) {
            int vocabulary = trained().vocabularies().tokens().size();
            if (getTopG() >= vocabulary) {
                throw new IllegalArgumentException("topG of " + uid() + " is " + getTopG()
                        + ", but the vocabulary has only " + vocabulary
                        + " tokens, so no rank is above it: set a smaller one.");
            }
            return new AnomalyRule(AnomalyRule.By.RANK, (double) getTopG());
        }
        if (isSet(threshold())) {
            return new AnomalyRule(AnomalyRule.By.SCORE, getThreshold());
        }
        Reference reference = trained().manifest().reference();
        if (reference == null && isSet(quantile())) {
            throw new IllegalArgumentException("quantile of " + uid()
                    + " is set, but no rows were held out from the training: set threshold or topG.");
        }
        if (reference == null) {
            LOG.warn("{} has no held-out rows, so the column anomaly is null: set threshold or topG", uid());
            return AnomalyRule.NONE;
        }
        reference.warning(getQuantile()).ifPresent(warning -> LOG.warn("{}: {}", uid(), warning));
        return new AnomalyRule(AnomalyRule.By.SCORE, reference.quantile(getQuantile()));
    }

    @Override
    List<Column> outputs(String prefix) {
        return Stream.of(TableInference.scoreSchema(false).fieldNames())
                .map(name -> ParamSupport.column(prefix + name))
                .toList();
    }

    @Override
    UnrollLanguageModel model(String modelUid, TrainedModel weights) {
        return new UnrollLanguageModel(modelUid, weights);
    }

    public static MLReader<UnrollLanguageModel> read() {
        return reader(UnrollLanguageModel.class, UnrollLanguageModel::new);
    }

    public static UnrollLanguageModel load(String path) {
        return read().load(path);
    }
}
