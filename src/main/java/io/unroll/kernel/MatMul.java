package io.unroll.kernel;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import org.bytedeco.dnnl.global.dnnl.query;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;

/**
 * Multiplies two matrices, {@code a b}.
 *
 * @param packing copies b into the layout that oneDNN prefers, in the data type of a; must run after each change of b
 */
record MatMul(BoundPrimitive product, BoundPrimitive packing) {
    /**
     * Returns {@code to = a b + bias} for a float32 matrix b that rarely changes.
     *
     * @param bias null for none
     */
    static MatMul packed(memory a, memory b, memory bias, memory to, KernelMemory kernelMemory, ResourceScope owner) {
        try (memory.desc left = a.get_desc();
                memory.desc right = b.get_desc();
                memory.desc anyLayout = OneDnn.any(
                        left.get_data_type(),
                        right.get_dims().get(0),
                        right.get_dims().get(1));
                memory.desc biasLayout = bias == null ? new memory.desc() : bias.get_desc();
                memory.desc result = to.get_desc();
                primitive_attr attributes = BoundPrimitive.attributes();
                matmul.primitive_desc description = new matmul.primitive_desc(
                        OneDnn.engine(), left, anyLayout, biasLayout, result, attributes, false);
                memory.desc packedLayout = description.query_md(query.exec_arg_md, DNNL_ARG_WEIGHTS)) {
            memory packed = kernelMemory.array(packedLayout, owner);
            BoundPrimitive product = owner.add(product(description, a, packed, to, kernelMemory));
            if (bias != null) {
                product.with(DNNL_ARG_BIAS, bias);
            }
            return new MatMul(product, owner.add(BoundPrimitive.reorder(b, packed, null)));
        }
    }

    /** Returns {@code to += a b}. */
    static BoundPrimitive accumulating(memory a, memory b, memory to, KernelMemory kernelMemory) {
        try (memory.desc left = a.get_desc();
                memory.desc right = b.get_desc();
                memory.desc result = to.get_desc();
                post_ops sum = new post_ops();
                primitive_attr attributes = BoundPrimitive.attributes()) {
            sum.append_sum();
            attributes.set_post_ops(sum);
            try (matmul.primitive_desc description =
                    new matmul.primitive_desc(OneDnn.engine(), left, right, result, attributes, false)) {
                return product(description, a, b, to, kernelMemory);
            }
        }
    }

    private static BoundPrimitive product(
            matmul.primitive_desc description, memory a, memory b, memory to, KernelMemory kernelMemory) {
        return new BoundPrimitive(description, kernelMemory)
                .with(DNNL_ARG_SRC, a)
                .with(DNNL_ARG_WEIGHTS, b)
                .with(DNNL_ARG_DST, to);
    }
}
