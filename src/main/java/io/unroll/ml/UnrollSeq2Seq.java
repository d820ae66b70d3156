package io.unroll.ml;

import io.unroll.checkpoint.TrainedModel;
import java.util.Map;
import org.apache.spark.ml.util.Identifiable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.types.StructType;

/** Trains a model that maps texts ({@code inputCol}) to target texts ({@code labelCol}). */
public final class UnrollSeq2Seq extends UnrollEstimator<UnrollSeq2Seq, UnrollSeq2SeqModel>
        implements Seq2SeqParams<UnrollSeq2Seq> {
    private static final long serialVersionUID = 1;

    public UnrollSeq2Seq() {
        this(Identifiable.randomUID("unrollSeq2Seq"));
    }

    public UnrollSeq2Seq(String uid) {
        super(uid);
    }

    @Override
    public StructType transformSchema(StructType schema) {
        ParamSupport.requireStrings(this, labelCol(), schema);
        return super.transformSchema(schema);
    }

    @Override
    Map<String, String> taskSettings() {
        return Map.of(
                "task", "seq2seq",
                "corpus.columns.source", getInputCol(),
                "corpus.columns.target", getLabelCol());
    }

    @Override
    UnrollSeq2SeqModel model(String modelUid, TrainedModel trained) {
        return new UnrollSeq2SeqModel(modelUid, trained);
    }

    public static MLReader<UnrollSeq2Seq> read() {
        return reader();
    }

    public static UnrollSeq2Seq load(String path) {
        return read().load(path);
    }
}
