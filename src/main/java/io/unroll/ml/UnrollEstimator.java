package io.unroll.ml;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.SettingNames;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.ml.util.DefaultParamsReadable;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Trains a recurrent network on the rows of a DataFrame, with the executors of its Spark session. The session's
 * configuration does not change. Each fit has a run directory; see {@link #checkpointDir}.
 *
 * @param <E> this estimator
 * @param <M> its model
 */
public abstract sealed class UnrollEstimator<E extends UnrollEstimator<E, M>, M extends UnrollModel<M>>
        extends Estimator<M> implements UnrollParams<E>, DefaultParamsWritable
        permits UnrollLanguageEstimator, UnrollTextClassifier, UnrollSeq2Seq {
    private static final long serialVersionUID = 1;

    /** The defaults of reference.conf. */
    private static final Settings REFERENCE =
            SettingsReader.parse("run.directory = any, corpus.table = any", "reference.conf");

    private final String uid;

    UnrollEstimator(String uid) {
        this.uid = uid;
        setDefaults();
        setDefault(maxEpochs(), REFERENCE.training().epochs());
        setDefault(learningRate(), REFERENCE.training().learningRate());
        setDefault(batchSize(), REFERENCE.training().batch());
        setDefault(hiddenSize(), REFERENCE.model().hidden());
        setDefault(numLayers(), REFERENCE.model().layers());
        setDefault(cellType(), SettingNames.kebab(REFERENCE.model().cell()));
        setDefault(numWorkers(), REFERENCE.cluster().replicas());
        setDefault(seed(), REFERENCE.run().seed());
        setDefault(settings(), new String[0]);
    }

    @Override
    public String uid() {
        return uid;
    }

    /** Boolean column: whether a row is held out for validation. By default, 5 % are, and 5 % for the test. */
    public Param<String> validationIndicatorCol() {
        return new Param<>(this, "validationIndicatorCol", "boolean column: whether a row is held out for validation");
    }

    public String getValidationIndicatorCol() {
        return getOrDefault(validationIndicatorCol());
    }

    public E setValidationIndicatorCol(String value) {
        return ParamSupport.set(this, validationIndicatorCol(), value);
    }

    /**
     * Column of numbers from 0 to 1e9, the weights of the rows: a row of weight 2 contributes to the gradient like two
     * rows. By default, all weights are 1.
     */
    public Param<String> weightCol() {
        return new Param<>(this, "weightCol", "column of the weights of the rows in training");
    }

    public String getWeightCol() {
        return getOrDefault(weightCol());
    }

    public E setWeightCol(String value) {
        return ParamSupport.set(this, weightCol(), value);
    }

    /** Number of passes over the training rows: {@code training.epochs}. */
    public IntParam maxEpochs() {
        return count("maxEpochs", "number of passes over the training rows");
    }

    public int getMaxEpochs() {
        return (int) getOrDefault(maxEpochs());
    }

    public E setMaxEpochs(int value) {
        return ParamSupport.set(this, maxEpochs(), value);
    }

    /** Learning rate at the start: {@code training.learning-rate}. */
    public DoubleParam learningRate() {
        return new DoubleParam(this, "learningRate", "learning rate at the start", ParamValidators.gt(0));
    }

    public double getLearningRate() {
        return (double) getOrDefault(learningRate());
    }

    public E setLearningRate(double value) {
        return ParamSupport.set(this, learningRate(), value);
    }

    /** Number of rows in a batch of each replica: {@code training.batch}. */
    public IntParam batchSize() {
        return count("batchSize", "number of rows in a batch of each replica");
    }

    public int getBatchSize() {
        return (int) getOrDefault(batchSize());
    }

    public E setBatchSize(int value) {
        return ParamSupport.set(this, batchSize(), value);
    }

    /** Hidden size of each recurrent layer: {@code model.hidden}. */
    public IntParam hiddenSize() {
        return count("hiddenSize", "hidden size of each recurrent layer");
    }

    public int getHiddenSize() {
        return (int) getOrDefault(hiddenSize());
    }

    public E setHiddenSize(int value) {
        return ParamSupport.set(this, hiddenSize(), value);
    }

    /** Number of recurrent layers: {@code model.layers}. */
    public IntParam numLayers() {
        return count("numLayers", "number of recurrent layers");
    }

    public int getNumLayers() {
        return (int) getOrDefault(numLayers());
    }

    public E setNumLayers(int value) {
        return ParamSupport.set(this, numLayers(), value);
    }

    /** Recurrent cell, lstm, gru or rnn: {@code model.cell}. */
    public Param<String> cellType() {
        return new Param<>(
                this,
                "cellType",
                "recurrent cell: lstm, gru or rnn",
                ParamValidators.inArray(List.of("lstm", "gru", "rnn")));
    }

    public String getCellType() {
        return getOrDefault(cellType());
    }

    public E setCellType(String value) {
        return ParamSupport.set(this, cellType(), value.toLowerCase(Locale.ROOT));
    }

    /**
     * Number of replicas that train in parallel, one Spark task each: {@code cluster.replicas}. More replicas than cores
     * train in turns. The result depends on this number, but not on the cluster.
     */
    public IntParam numWorkers() {
        return count("numWorkers", "number of replicas that train in parallel, one Spark task each");
    }

    public int getNumWorkers() {
        return (int) getOrDefault(numWorkers());
    }

    public E setNumWorkers(int value) {
        return ParamSupport.set(this, numWorkers(), value);
    }

    /** Seed of all random numbers: {@code run.seed}. */
    public LongParam seed() {
        return new LongParam(this, "seed", "seed of all random numbers");
    }

    public long getSeed() {
        return (long) getOrDefault(seed());
    }

    public E setSeed(long value) {
        return ParamSupport.set(this, seed(), value);
    }

    /**
     * Folder for run directories, in a file system that all machines share. Each fit has a subfolder, named by a hash of
     * its settings and rows: a fit that was killed resumes if it is repeated, a fit that is complete returns its model,
     * and the fits of a {@code CrossValidator} do not collide. By default, a temporary folder, in local mode only.
     */
    public Param<String> checkpointDir() {
        return new Param<>(this, "checkpointDir", "folder for checkpoints, in a file system that all machines share");
    }

    public String getCheckpointDir() {
        return getOrDefault(checkpointDir());
    }

    public E setCheckpointDir(String value) {
        return ParamSupport.set(this, checkpointDir(), value);
    }

    /** Other keys of conf/reference.conf, as {@code key=value}. A Param that is set may not be given here, too. */
    public StringArrayParam settings() {
        return new StringArrayParam(this, "settings", "other keys of conf/reference.conf, as key=value");
    }

    public String[] getSettings() {
        return getOrDefault(settings());
    }

    public E setSettings(String... values) {
        return ParamSupport.set(this, settings(), values);
    }

    private IntParam count(String name, String doc) {
        return new IntParam(this, name, doc, ParamValidators.gtEq(1));
    }

    /**
     * Trains a model.
     *
     * @throws IllegalArgumentException if a column or a setting does not fit, before any Spark job
     * @throws io.unroll.config.UnrollException if a row cannot be used and {@code corpus.malformed} is not {@code skip}, or
     *     if training fails
     */
    @Override
    public M fit(Dataset<?> dataset) {
        transformSchema(dataset.schema());
        return copyValues(model(uid, Fit.of(this, dataset)).setParent(this), ParamMap.empty());
    }

    @Override
    public StructType transformSchema(StructType schema) {
        if (isDefined(validationIndicatorCol())) {
            StructField field = ParamSupport.field(this, validationIndicatorCol(), schema);
            if (!field.dataType().equals(DataTypes.BooleanType)) {
                throw ParamSupport.wrongType(field, validationIndicatorCol(), "of type boolean");
            }
        }
        if (isDefined(weightCol()) && !getWeightCol().isEmpty()) {
            StructField field = ParamSupport.field(this, weightCol(), schema);
            if (!(field.dataType() instanceof NumericType)) {
                throw ParamSupport.wrongType(field, weightCol(), "a number");
            }
        }
        return ParamSupport.withOutputs(this, schema);
    }

    @Override
    public E copy(ParamMap extra) {
        return defaultCopy(extra);
    }

    /** @return the keys that the task determines, with their values */
    abstract Map<String, String> taskSettings();

    /** @return the rows, with labels as texts */
    Dataset<Row> prepared(Dataset<Row> rows) {
        return rows;
    }

    abstract M model(String modelUid, TrainedModel trained);

    /** @return the Params that are a key of reference.conf, by key */
    Map<String, Param<?>> keys() {
        Map<String, Param<?>> keys = new LinkedHashMap<>();
        keys.put("corpus.columns.weight", weightCol());
        keys.put("training.epochs", maxEpochs());
        keys.put("training.learning-rate", learningRate());
        keys.put("training.batch", batchSize());
        keys.put("model.hidden", hiddenSize());
        keys.put("model.layers", numLayers());
        keys.put("model.cell", cellType());
        keys.put("cluster.replicas", numWorkers());
        keys.put("run.seed", seed());
        return keys;
    }

    static <T> MLReader<T> reader() {
        return new DefaultParamsReadable<T>() {
            private static final long serialVersionUID = 1;
        }.read();
    }
}
