package io.unroll.model;

import java.lang.ref.Reference;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where the numbers of an array lie, for kernels. */
final class Floats {
    private Floats() {}

    /** @param array of float32 without gaps; it must outlive the pointer */
    static FloatPointer of(INDArray array) {
        return new FloatPointer(new Address(array.data().addressPointer().address()));
    }

    /** @param array of float32 without gaps */
    static float[] copy(INDArray array) {
        float[] values = new float[Math.toIntExact(array.length())];
        try {
            of(array).get(values);
        } finally {
            Reference.reachabilityFence(array);
        }
        return values;
    }

    static float[] join(float[] first, float[] second) {
        float[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }
    }
}
