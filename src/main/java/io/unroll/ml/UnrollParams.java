package io.unroll.ml;

import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.types.StructType;

/**
 * Params that all estimators and models have. Spark identifies a Param by its parent and its name, so each call may
 * return a new object.
 *
 * @param <S> the class whose setters these are
 */
public interface UnrollParams<S> extends Params {
    /** Column of texts. Default: {@code text}. */
    default Param<String> inputCol() {
        return new Param<>(this, "inputCol", "column of texts");
    }

    default String getInputCol() {
        return getOrDefault(inputCol());
    }

    default S setInputCol(String value) {
        return ParamSupport.set(this, inputCol(), value);
    }

    /** Output column: why a row has no result (null, empty, too_long or malformed). Default: {@code unscored}. */
    default Param<String> unscoredCol() {
        return new Param<>(this, "unscoredCol", "output column: why a row has no result, or null if it has one");
    }

    default String getUnscoredCol() {
        return getOrDefault(unscoredCol());
    }

    default S setUnscoredCol(String value) {
        return ParamSupport.set(this, unscoredCol(), value);
    }

    /** Sets the defaults; constructors call it. */
    default void setDefaults() {
        setDefault(inputCol(), "text");
        setDefault(unscoredCol(), "unscored");
    }

    /** @return the columns that the model appends to its input */
    StructType outputs();
}
