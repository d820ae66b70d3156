package io.unroll.model;

import java.lang.ref.Reference;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Native pointers to ND4J's arrays, for kernels, and copies of such arrays. */
final class NativeFloats {
    private NativeFloats() {}

    /** @param array contiguous float32 array, which must stay reachable as long as the pointer is used */
    static FloatPointer of(INDArray array) {
        return new FloatPointer(new Address(array.data().addressPointer().address()));
    }

    /** @param array contiguous float32 array */
    static float[] copy(INDArray array) {
        float[] values = new float[Math.toIntExact(array.length())];
        try {
            of(array).get(values);
        } finally {
            Reference.reachabilityFence(array);
        }
        return values;
    }

    private static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }
    }
}
