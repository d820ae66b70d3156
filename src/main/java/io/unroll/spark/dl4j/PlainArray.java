package io.unroll.spark.dl4j;

import java.io.Serializable;
import java.util.Arrays;
import java.util.stream.Collectors;
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
        int count = 0;
        for (float value : dense) {
            count += value == 0 ? 0 : 1;
        }
        String type = array.dataType().name();
        return 2L * count < dense.length
                ? sparse(type, array.shape(), dense, count)
                : new PlainArray(type, array.shape(), dense, null);
    }

    private static PlainArray sparse(String type, long[] shape, float[] dense, int count) {
        float[] values = new float[count];
        int[] indices = new int[count];
        int next = 0;
        for (int i = 0; i < dense.length; i++) {
            if (dense[i] != 0) {
                values[next] = dense[i];
                indices[next++] = i;
            }
        }
        return new PlainArray(type, shape, values, indices);
    }

    static PlainArray[] of(INDArray[] arrays) {
        PlainArray[] plain = new PlainArray[arrays == null ? 0 : arrays.length];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = of(arrays[i]);
        }
        return plain;
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
        boolean any = false;
        INDArray[] arrays = new INDArray[plain.length];
        for (int i = 0; i < arrays.length; i++) {
            any |= plain[i] != null;
            arrays[i] = plain[i] == null ? null : plain[i].array();
        }
        return any ? arrays : null;
    }

    static String shapes(PlainArray[] arrays) {
        return Arrays.stream(arrays).map(array -> Arrays.toString(array.shape)).collect(Collectors.joining(", "));
    }

    int length() {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        return Math.toIntExact(length);
    }

    /** @return the number of values that are not zero */
    long nonZero() {
        long count = 0;
        for (float value : values) {
            count += value == 0 ? 0 : 1;
        }
        return count;
    }
}
