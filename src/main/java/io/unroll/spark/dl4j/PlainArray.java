package io.unroll.spark.dl4j;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An ND4J array as plain Java. Arrays that are mostly zero, such as one-hot labels, are stored as the values that are
 * not zero and their indices.
 *
 * @param indices indices of the values, in row-major order; null if all values are stored
 */
record PlainArray(String type, long[] shape, float[] values, int[] indices) implements Serializable {
    /** @return null for null */
    static PlainArray of(INDArray array) {
        if (array == null) {
            return null;
        }
        float[] dense = array.isEmpty()
                ? new float[0]
                : array.castTo(DataType.FLOAT).dup('c').data().asFloat();
        int[] nonZero = nonZero(dense);
        String type = array.dataType().name();
        if (2L * nonZero.length >= dense.length) {
            return new PlainArray(type, array.shape(), dense, null);
        }
        float[] values = new float[nonZero.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = dense[nonZero[i]];
        }
        return new PlainArray(type, array.shape(), values, nonZero);
    }

    /** @return the indices of the values that are not zero */
    private static int[] nonZero(float[] values) {
        return IntStream.range(0, values.length).filter(i -> values[i] != 0).toArray();
    }

    static PlainArray[] of(INDArray[] arrays) {
        return arrays == null
                ? new PlainArray[0]
                : Arrays.stream(arrays).map(PlainArray::of).toArray(PlainArray[]::new);
    }

    INDArray array() {
        float[] dense = values;
        if (indices != null) {
            dense = new float[length()];
            for (int i = 0; i < indices.length; i++) {
                dense[indices[i]] = values[i];
            }
        }
        return Nd4j.create(dense, shape, 'c').castTo(DataType.valueOf(type));
    }

    /** @return the arrays; null if all of them are null */
    static INDArray[] arrays(PlainArray[] plain) {
        return Arrays.stream(plain).allMatch(Objects::isNull)
                ? null
                : Arrays.stream(plain)
                        .map(array -> array == null ? null : array.array())
                        .toArray(INDArray[]::new);
    }

    static String shapes(PlainArray[] arrays) {
        return Arrays.stream(arrays).map(array -> Arrays.toString(array.shape)).collect(Collectors.joining(", "));
    }

    int length() {
        return Math.toIntExact(LongStream.of(shape).reduce(1, (a, b) -> a * b));
    }

    /** @return the number of values that are not zero */
    int nonZero() {
        return nonZero(values).length;
    }
}
