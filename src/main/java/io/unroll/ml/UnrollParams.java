package io.unroll.ml;

import java.util.List;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
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
        return with(inputCol(), value);
    }

    /** Output column: why a row has no result (null, empty, too_long or malformed). Default: {@code unscored}. */
    default Param<String> unscoredCol() {
        return new Param<>(this, "unscoredCol", "output column: why a row has no result, or null if it has one");
    }

    default String getUnscoredCol() {
        return getOrDefault(unscoredCol());
    }

    default S setUnscoredCol(String value) {
        return with(unscoredCol(), value);
    }

    /** Sets the defaults; constructors call it. */
    default void setDefaults() {
        setDefault(inputCol(), "text");
        setDefault(unscoredCol(), "unscored");
    }

    /** @return the columns that a model appends */
    StructType outputs();

    /** Sets a Param. */
    @SuppressWarnings("unchecked")
    default <T> S with(Param<T> param, T value) {
        set(param, value);
        return (S) this;
    }

    /**
     * @return the columns of the input, and those that a model appends
     * @throws IllegalArgumentException if the input column is not of strings, or an output column exists
     */
    default StructType withOutputs(StructType input) {
        requireStrings(input, inputCol());
        StructType all = input;
        for (StructField output : outputs().fields()) {
            for (String name : all.fieldNames()) {
                if (name.equalsIgnoreCase(output.name())) {
                    throw new IllegalArgumentException("the output column " + output.name()
                            + " exists already: rename it, or set another name if a Param of " + uid() + " names it.");
                }
            }
            all = all.add(output);
        }
        return all;
    }

    /** @throws IllegalArgumentException if the column that a Param names is not a column of strings */
    default void requireStrings(StructType input, Param<String> column) {
        StructField field = field(input, column);
        if (!field.dataType().equals(DataTypes.StringType)) {
            throw new IllegalArgumentException("column " + field.name() + " (" + column.name() + ") is of type "
                    + field.dataType().catalogString() + "; it must be of type string.");
        }
    }

    /** @throws IllegalArgumentException if the column that a Param names does not exist */
    default StructField field(StructType input, Param<String> column) {
        String name = getOrDefault(column);
        if (!List.of(input.fieldNames()).contains(name)) {
            throw new IllegalArgumentException("there is no column " + name + " (" + column.name()
                    + "); the columns are " + String.join(", ", input.fieldNames()) + ".");
        }
        return input.apply(name);
    }

    /** @return the column of this name, even if the name contains a dot */
    static Column column(String name) {
        return functions.col("`" + name.replace("`", "``") + "`");
    }
}
