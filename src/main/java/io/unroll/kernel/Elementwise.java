package io.unroll.kernel;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.softmax_forward;

/** Functions of an array in its own place. */
final class Elementwise {
    private Elementwise() {}

    /** @param data {@code [rows, columns]}, each row by itself */
    static Call logSoftmax(memory data, Scratchpad scratchpad) {
        try (memory.desc layout = data.get_desc();
                primitive_attr attributes = Call.attributes();
                softmax_forward.primitive_desc description = new softmax_forward.primitive_desc(
                        OneDnn.engine(),
                        prop_kind.forward_inference,
                        algorithm.softmax_log,
                        layout,
                        layout,
                        1,
                        attributes,
                        false)) {
            return new Call(description, new softmax_forward(description), scratchpad)
                    .with(DNNL_ARG_SRC, data)
                    .with(DNNL_ARG_DST, data);
        }
    }

    static Call exp(memory data, Scratchpad scratchpad) {
        return of(algorithm.eltwise_exp, 0, data, scratchpad);
    }

    static Call add(double number, memory data, Scratchpad scratchpad) {
        return of(algorithm.eltwise_linear, (float) number, data, scratchpad);
    }

    /** @param added by the linear one, which multiplies by 1; not read by others */
    private static Call of(algorithm function, float added, memory data, Scratchpad scratchpad) {
        try (memory.desc layout = data.get_desc();
                primitive_attr attributes = Call.attributes();
                eltwise_forward.primitive_desc description = new eltwise_forward.primitive_desc(
                        OneDnn.engine(),
                        prop_kind.forward_inference,
                        function,
                        layout,
                        layout,
                        1f,
                        added,
                        attributes,
                        false)) {
            return new Call(description, new eltwise_forward(description), scratchpad)
                    .with(DNNL_ARG_SRC, data)
                    .with(DNNL_ARG_DST, data);
        }
    }
}
