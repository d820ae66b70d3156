package io.unroll.ml;

import io.unroll.spark.TableInference;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.sql.types.StructType;

/** Params of a language model: the names of the columns, and the rule that decides which scores are anomalies. */
public interface ScoreParams<S> extends UnrollParams<S> {
    /** Output column: mean bits per token. Default: {@code score}. */
    default Param<String> outputCol() {
        return new Param<>(this, "outputCol", "output column: mean bits per token");
    }

    /** @return the name of the column, which begins with the prefix if the Param is not set */
    default String getOutputCol() {
        return prefixed(outputCol());
    }

    default S setOutputCol(String value) {
        return ParamSupport.set(this, outputCol(), value);
    }

    /** @return the name of the column, which begins with the prefix if the Param is not set */
    @Override
    default String getUnscoredCol() {
        return prefixed(unscoredCol());
    }

    private String prefixed(Param<String> column) {
        return (isSet(column) ? "" : getPrefix()) + getOrDefault(column);
    }

    /** Prefix of the output columns whose names are not set by other Params. Default: empty. */
    default Param<String> prefix() {
        return new Param<>(this, "prefix", "prefix of the output columns whose names are not set by other Params");
    }

    default String getPrefix() {
        return getOrDefault(prefix());
    }

    default S setPrefix(String value) {
        return ParamSupport.set(this, prefix(), value);
    }

    /** A score above this quantile of the held-out rows' scores is an anomaly. Default: 0.999. */
    default DoubleParam quantile() {
        return new DoubleParam(
                this,
                "quantile",
                "a score above this quantile of the held-out rows' scores is an anomaly",
                ParamValidators.inRange(0, 1, false, false));
    }

    default double getQuantile() {
        return (double) getOrDefault(quantile());
    }

    default S setQuantile(double value) {
        return ParamSupport.set(this, quantile(), value);
    }

    /** A score above this value is an anomaly. Replaces the quantile. */
    default DoubleParam threshold() {
        return new DoubleParam(
                this,
                "threshold",
                "a score above this value is an anomaly",
                ParamValidators.inRange(-Double.MAX_VALUE, Double.MAX_VALUE));
    }

    default double getThreshold() {
        return (double) getOrDefault(threshold());
    }

    default S setThreshold(double value) {
        return ParamSupport.set(this, threshold(), value);
    }

    /** A text with a token that is not among this number of most probable tokens is an anomaly. Replaces the quantile. */
    default IntParam topG() {
        return new IntParam(
                this,
                "topG",
                "a text with a token that is not among this number of most probable tokens is an anomaly",
                ParamValidators.gtEq(1));
    }

    default int getTopG() {
        return (int) getOrDefault(topG());
    }

    default S setTopG(int value) {
        return ParamSupport.set(this, topG(), value);
    }

    @Override
    default void setDefaults() {
        UnrollParams.super.setDefaults();
        setDefault(outputCol(), TableInference.SCORE);
        setDefault(prefix(), "");
        setDefault(quantile(), 0.999);
    }

    @Override
    default StructType outputs() {
        StructType outputs = new StructType();
        for (var field : TableInference.scoreSchema(false).fields()) {
            outputs = outputs.add(outputName(field.name()), field.dataType());
        }
        return outputs;
    }

    /** @return the name of a column of the command {@code score} */
    private String outputName(String column) {
        return switch (column) {
            case TableInference.SCORE -> getOutputCol();
            case TableInference.UNSCORED -> getUnscoredCol();
            default -> getPrefix() + column;
        };
    }
}
