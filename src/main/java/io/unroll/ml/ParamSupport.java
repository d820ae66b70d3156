package io.unroll.ml;

import java.util.List;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Sets Params, and checks the columns that they name. */
final class ParamSupport {
    private ParamSupport() {}

    /** @return the stage */
    @SuppressWarnings("unchecked")
    static <S, T> S set(UnrollParams<S> stage, Param<T> param, T value) {
        stage.set(param, value);
        return (S) stage;
    }

    /**
     * @return the columns of the input, and those that a stage appends
     * @throws IllegalArgumentException if the input column is not of strings, or an output column exists
     */
    static StructType withOutputs(UnrollParams<?> stage, StructType input) {
        requireStrings(stage, stage.inputCol(), input);
        StructType all = input;
        for (StructField output : stage.outputs().fields()) {
            for (String name : all.fieldNames()) {
                if (name.equalsIgnoreCase(output.name())) {
                    throw new IllegalArgumentException("the output column " + output.name()
                            + " exists already: rename it, or set the Param of " + stage.uid()
                            + " that names or prefixes the output.");
                }
            }
            all = all.add(output);
        }
        return all;
    }

    /** @throws IllegalArgumentException if the column that a Param names is not a column of strings */
    static void requireStrings(Params stage, Param<String> param, StructType input) {
        StructField field = field(stage, param, input);
        if (!field.dataType().equals(DataTypes.StringType)) {
            throw wrongType(field, param, "of type string");
        }
    }

    static IllegalArgumentException wrongType(StructField field, Param<String> param, String expected) {
        return new IllegalArgumentException("column " + field.name() + " (" + param.name() + ") is of type "
                + field.dataType().catalogString() + "; it must be " + expected + ".");
    }

    /** @throws IllegalArgumentException if the column that a Param names does not exist */
    static StructField field(Params stage, Param<String> param, StructType input) {
        String name = stage.getOrDefault(param);
        if (!List.of(input.fieldNames()).contains(name)) {
            throw new IllegalArgumentException("there is no column " + name + " (" + param.name()
                    + "); the columns are " + String.join(", ", input.fieldNames()) + ".");
        }
        return input.apply(name);
    }

    /** @return the column of this name, even if the name contains a dot */
    static Column column(String name) {
        return functions.col("`" + name.replace("`", "``") + "`");
    }
}
