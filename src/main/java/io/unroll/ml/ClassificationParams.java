package io.unroll.ml;

import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.Param;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Params of a classifier. */
public interface ClassificationParams<S> extends PredictionParams<S> {
    /** Output column: vector of the labels' probabilities. Default: {@code probability}. */
    default Param<String> probabilityCol() {
        return new Param<>(this, "probabilityCol", "output column: vector of the labels' probabilities");
    }

    default String getProbabilityCol() {
        return getOrDefault(probabilityCol());
    }

    default S setProbabilityCol(String value) {
        return ParamSupport.set(this, probabilityCol(), value);
    }

    /** Output column: vector of the labels' log-probabilities, in nats. Default: {@code rawPrediction}. */
    default Param<String> rawPredictionCol() {
        return new Param<>(this, "rawPredictionCol", "output column: vector of the labels' log-probabilities, in nats");
    }

    default String getRawPredictionCol() {
        return getOrDefault(rawPredictionCol());
    }

    default S setRawPredictionCol(String value) {
        return ParamSupport.set(this, rawPredictionCol(), value);
    }

    /** Output column: the predicted label as text. Default: {@code predictedLabel}. */
    default Param<String> predictedLabelCol() {
        return new Param<>(this, "predictedLabelCol", "output column: the predicted label as text");
    }

    default String getPredictedLabelCol() {
        return getOrDefault(predictedLabelCol());
    }

    default S setPredictedLabelCol(String value) {
        return ParamSupport.set(this, predictedLabelCol(), value);
    }

    @Override
    default void setDefaults() {
        PredictionParams.super.setDefaults();
        setDefault(probabilityCol(), "probability");
        setDefault(rawPredictionCol(), "rawPrediction");
        setDefault(predictedLabelCol(), "predictedLabel");
    }

    @Override
    default StructType outputs() {
        return new StructType()
                .add(getPredictionCol(), DataTypes.DoubleType)
                .add(getProbabilityCol(), SQLDataTypes.VectorType())
                .add(getRawPredictionCol(), SQLDataTypes.VectorType())
                .add(getPredictedLabelCol(), DataTypes.StringType)
                .add(getUnscoredCol(), DataTypes.StringType);
    }
}
