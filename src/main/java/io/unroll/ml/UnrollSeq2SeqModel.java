package io.unroll.ml;

import io.unroll.checkpoint.TrainedModel;
import io.unroll.config.Settings;
import io.unroll.spark.TableInference;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Appends the most probable target text of each text, and the logarithm of its probability. */
public final class UnrollSeq2SeqModel extends UnrollModel<UnrollSeq2SeqModel>
        implements Seq2SeqParams<UnrollSeq2SeqModel> {
    private static final long serialVersionUID = 1;

    /** Creates a model without weights, for Spark Connect. */
    public UnrollSeq2SeqModel() {
        this(Identifiable.randomUID("unrollSeq2Seq"));
    }

    /** Creates a model without weights, for Spark Connect. */
    public UnrollSeq2SeqModel(String uid) {
        this(uid, null);
    }

    UnrollSeq2SeqModel(String uid, TrainedModel trained) {
        super(uid, trained);
    }

    /**
     * Reads a model that {@code jobs/unroll} has trained. The input column is that of the training.
     *
     * @param folder a model folder or the directory of a run
     */
    public static UnrollSeq2SeqModel fromFolder(String folder) {
        TrainedModel trained = read(folder, Settings.TaskName.SEQ2SEQ);
        return new UnrollSeq2SeqModel(Identifiable.randomUID("unrollSeq2Seq"), trained)
                .setInputCol(trained.settings().corpus().columns().get("source"));
    }

    @Override
    Dataset<Row> results(TableInference inference, Dataset<Row> input, String prefix) {
        return inference.predict(input, ParamSupport.column(getInputCol()), prefix, getBeam());
    }

    @Override
    List<Column> outputs(String prefix) {
        return Stream.of(TableInference.PREDICTION, TableInference.LOG_PROBABILITY, TableInference.UNSCORED)
                .map(name -> ParamSupport.column(prefix + name))
                .toList();
    }

    @Override
    UnrollSeq2SeqModel model(String modelUid, TrainedModel weights) {
        return new UnrollSeq2SeqModel(modelUid, weights);
    }

    public static MLReader<UnrollSeq2SeqModel> read() {
        return reader(UnrollSeq2SeqModel.class, UnrollSeq2SeqModel::new);
    }

    public static UnrollSeq2SeqModel load(String path) {
        return read().load(path);
    }
}
