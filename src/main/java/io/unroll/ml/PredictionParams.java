package io.unroll.ml;

import org.apache.spark.ml.param.Param;

/** Params of what is learned from examples: labels or target texts. */
public interface PredictionParams<S> extends UnrollParams<S> {
    /** Column of labels, or of target texts. Default: {@code label}. */
    default Param<String> labelCol() {
        return new Param<>(this, "labelCol", "column of labels, or of target texts");
    }

    default String getLabelCol() {
        return getOrDefault(labelCol());
    }

    default S setLabelCol(String value) {
        return ParamSupport.set(this, labelCol(), value);
    }

    /** Output column of predictions. Default: {@code prediction}. */
    default Param<String> predictionCol() {
        return new Param<>(this, "predictionCol", "output column of predictions");
    }

    default String getPredictionCol() {
        return getOrDefault(predictionCol());
    }

    default S setPredictionCol(String value) {
        return ParamSupport.set(this, predictionCol(), value);
    }

    @Override
    default void setDefaults() {
        UnrollParams.super.setDefaults();
        setDefault(labelCol(), "label");
        setDefault(predictionCol(), "prediction");
    }
}
