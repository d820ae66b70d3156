package io.unroll.spark.dl4j;

import java.io.Serializable;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An array of ND4J as plain Java, which any of Spark's serializers carries. What is mostly zero, as one-hot arrays
 * are, travels as the numbers that are not, with their places row by row.
 */
final class PlainArray implements Serializable {
    private static final long serialVersionUID = 1;

    private final String type;
    private final long[] shape;
    private final float[] values;
    /** Null where all values are there. */
    private final int[] places;

    private PlainArray(String type, long[] shape, float[] values, int[] places) {
        this.type = type;
        this.shape = shape;
        this.values = values;
        this.places = places;
    }

    /** @return null for null */
    static PlainArray of(INDArray array) {
        if (array == null) {
            return null;
        }
        float[] all = array.isEmpty()
                ? new float[0]
                : array.castTo(DataType.FLOAT).dup('c').data().asFloat();
        int count = 0;
        for (float value : all) {
            count += value == 0 ? 0 : 1;
        }
        String type = array.dataType().name();
        return 2L * count < all.length
                ? sparse(type, array.shape(), all, count)
                : new PlainArray(type, array.shape(), all, null);
    }

    private static PlainArray sparse(String type, long[] shape, float[] all, int count) {
        float[] values = new float[count];
        int[] places = new int[count];
        int next = 0;
        for (int i = 0; i < all.length; i++) {
            if (all[i] != 0) {
                values[next] = all[i];
                places[next++] = i;
            }
        }
        return new PlainArray(type, shape, values, places);
    }

    static PlainArray[] of(INDArray[] arrays) {
        PlainArray[] plain = new PlainArray[arrays == null ? 0 : arrays.length];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = of(arrays[i]);
        }
        return plain;
    }

    INDArray array() {
        float[] all = values;
        if (places != null) {
            all = new float[length()];
            for (int i = 0; i < places.length; i++) {
                all[places[i]] = values[i];
            }
        }
        return Nd4j.create(all, shape, 'c').castTo(DataType.valueOf(type));
    }

    /** @return null where there is none */
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

    long[] shape() {
        return shape;
    }

    int length() {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        return Math.toIntExact(length);
    }

    /** @return how many numbers are not zero */
    long nonZero() {
        long count = 0;
        for (float value : values) {
            count += value == 0 ? 0 : 1;
        }
        return count;
    }
}
