package io.unroll.ml;

import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Params of a sequence-to-sequence model. */
public interface Seq2SeqParams<S> extends PredictionParams<S> {
    /** Output column: log-probability of the predicted text, in nats. Default: {@code logProbability}. */
    default Param<String> logProbabilityCol() {
        return new Param<>(this, "logProbabilityCol", "output column: log-probability of the predicted text, in nats");
    }

    default String getLogProbabilityCol() {
        return getOrDefault(logProbabilityCol());
    }

    default S setLogProbabilityCol(String value) {
        return ParamSupport.set(this, logProbabilityCol(), value);
    }

    /** Width of the beam search. Default: 1, greedy decoding. */
    default IntParam beam() {
        return new IntParam(this, "beam", "width of the beam search; 1 is greedy decoding", ParamValidators.gtEq(1));
    }

    default int getBeam() {
        return (int) getOrDefault(beam());
    }

    default S setBeam(int value) {
        return ParamSupport.set(this, beam(), value);
    }

    @Override
    default void setDefaults() {
        PredictionParams.super.setDefaults();
        setDefault(logProbabilityCol(), "logProbability");
        setDefault(beam(), 1);
    }

    @Override
    default StructType outputs() {
        return new StructType()
                .add(getPredictionCol(), DataTypes.StringType)
                .add(getLogProbabilityCol(), DataTypes.DoubleType)
                .add(getUnscoredCol(), DataTypes.StringType);
    }
}
