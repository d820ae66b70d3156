package io.unroll.kernel;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.softmax_forward;

/** Primitives that overwrite an array with a function of it. */
final class Elementwise {
    private Elementwise() {}

    /** Returns the log-softmax of each row of {@code data [rows, columns]}. */
    static BoundPrimitive logSoftmax(memory data, KernelMemory kernelMemory) {
        try (memory.desc layout = data.get_desc();
                primitive_attr attributes = BoundPrimitive.attributes();
                softmax_forward.primitive_desc description = new softmax_forward.primitive_desc(
                        OneDnn.engine(),
                        prop_kind.forward_inference,
                        algorithm.softmax_log,
                        layout,
                        layout,
                        1,
                        attributes,
                        false)) {
            return new BoundPrimitive(description, kernelMemory)
                    .with(DNNL_ARG_SRC, data)
                    .with(DNNL_ARG_DST, data);
        }
    }

    static BoundPrimitive exp(memory data, KernelMemory kernelMemory) {
        return of(algorithm.eltwise_exp, 0, data, kernelMemory);
    }

    static BoundPrimitive add(double number, memory data, KernelMemory kernelMemory) {
        return of(algorithm.eltwise_linear, (float) number, data, kernelMemory);
    }

    /** @param beta the added number of {@code eltwise_linear}; other functions ignore it */
    private static BoundPrimitive of(algorithm function, float beta, memory data, KernelMemory kernelMemory) {
        try (memory.desc layout = data.get_desc();
                primitive_attr attributes = BoundPrimitive.attributes();
                eltwise_forward.primitive_desc description = new eltwise_forward.primitive_desc(
                        OneDnn.engine(),
                        prop_kind.forward_inference,
                        function,
                        layout,
                        layout,
                        1f,
                        beta,
                        attributes,
                        false)) {
            return new BoundPrimitive(description, kernelMemory)
                    .with(DNNL_ARG_SRC, data)
                    .with(DNNL_ARG_DST, data);
        }
    }
}
