package io.unroll.ml;

import io.unroll.checkpoint.ModelFolder;
import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings.TaskName;
import io.unroll.spark.Session;
import io.unroll.spark.TableInference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A trained network as a transformer. It is saved as a folder with {@code metadata/}, as Spark writes it, and {@code
 * model/}, a model folder of Unroll, which {@code jobs/unroll} and {@link io.unroll.inference.Scorer} read.
 *
 * @param <M> this model
 */
public abstract sealed class UnrollModel<M extends UnrollModel<M>> extends Model<M>
        implements UnrollParams<M>, MLWritable
        permits UnrollLanguageModel, UnrollTextClassificationModel, UnrollSeq2SeqModel {
    private static final long serialVersionUID = 1;

    private static final String FOLDER = "model";

    private final String uid;
    private final TrainedModel trained;
    /** Null until the first use in a Spark application. */
    private transient TableInference inference;

    private transient SparkSession application;

    /** @param trained null in a model without weights, of which Spark Connect only reads the Params */
    UnrollModel(String uid, TrainedModel trained) {
        this.uid = uid;
        this.trained = trained;
        setDefaults();
    }

    @Override
    public String uid() {
        return uid;
    }

    @Override
    public StructType transformSchema(StructType schema) {
        return ParamSupport.withOutputs(this, schema);
    }

    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        transformSchema(dataset.schema());
        String prefix = uid + "_";
        List<Column> columns = new ArrayList<>();
        // With the metadata of Spark ML, which a map of rows loses.
        for (StructField field : dataset.schema().fields()) {
            columns.add(ParamSupport.column(field.name()).as(field.name(), field.metadata()));
        }
        String[] names = outputs().fieldNames();
        List<Column> outputs = outputs(prefix);
        for (int i = 0; i < names.length; i++) {
            columns.add(outputs.get(i).as(names[i]));
        }
        return results(inference(dataset.sparkSession()), dataset.toDF(), prefix)
                .select(columns.toArray(Column[]::new));
    }

    /** @return the input, with the results of the model in columns whose names begin with the prefix */
    abstract Dataset<Row> results(TableInference model, Dataset<Row> input, String prefix);

    /** @return the columns of {@link #outputs()}, from the results */
    abstract List<Column> outputs(String prefix);

    /** The executors keep the weights until neither this model nor a DataFrame of its results is reachable. */
    private synchronized TableInference inference(SparkSession spark) {
        if (inference == null || application.sparkContext() != spark.sparkContext()) {
            inference = new TableInference(Session.of(spark), trained());
            application = spark;
        }
        return inference;
    }

    final boolean hasWeights() {
        return trained != null;
    }

    final TrainedModel trained() {
        if (trained == null) {
            throw new IllegalStateException(uid + " has no weights: fit an estimator, or load a model.");
        }
        return trained;
    }

    abstract M model(String modelUid, TrainedModel weights);

    @Override
    public M copy(ParamMap extra) {
        M copy = model(uid, trained);
        UnrollModel<M> other = copy;
        synchronized (this) {
            other.inference = inference;
            other.application = application;
        }
        return copyValues(copy, extra).setParent(parent());
    }

    @Override
    public MLWriter write() {
        return new MLWriter() {
            @Override
            public void saveImpl(String path) {
                var hadoop = sc().hadoopConfiguration();
                new ModelFolder(path + "/" + FOLDER, hadoop).write(trained(), true);
                StageMetadata.write(UnrollModel.this, sc().version(), path, hadoop);
            }
        };
    }

    /** @param model makes a model of a uid and weights */
    static <M extends UnrollModel<M>> MLReader<M> reader(Class<M> type, BiFunction<String, TrainedModel, M> model) {
        return new MLReader<>() {
            @Override
            public M load(String path) {
                var hadoop = sc().hadoopConfiguration();
                StageMetadata metadata = StageMetadata.read(type, path, hadoop);
                M loaded = model.apply(metadata.uid(), new ModelFolder(path + "/" + FOLDER, hadoop).read());
                metadata.setParams(loaded);
                return loaded;
            }
        };
    }

    /** @throws IllegalArgumentException if the model has another task */
    static TrainedModel read(String folder, TaskName task) {
        TrainedModel model =
                new ModelFolder(folder, SparkSession.active().sparkContext().hadoopConfiguration()).read();
        if (model.settings().task() != task) {
            throw new IllegalArgumentException(folder + " has task = "
                    + SettingNames.kebab(model.settings().task()) + "; it must be " + SettingNames.kebab(task) + ".");
        }
        return model;
    }
}
