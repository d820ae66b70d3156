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

/** A primitive that multiplies two matrices, {@code a b}. */
final class MatMul implements AutoCloseable {
    private final ResourceScope resources;
    private final BoundPrimitive multiplication;
    private final BoundPrimitive packing;

    private MatMul(ResourceScope resources, BoundPrimitive multiplication, BoundPrimitive packing) {
        this.resources = resources;
        this.multiplication = resources.add(multiplication);
        this.packing = packing == null ? null : resources.add(packing);
    }

    /**
     * Returns {@code to = a b + bias} for a float32 matrix b that rarely changes: call {@link #pack} after each change,
     * which copies b into the layout that oneDNN prefers, in the data type of a.
     *
     * @param bias null for none
     */
    static MatMul packed(memory a, memory b, memory bias, memory to, KernelMemory kernelMemory) {
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
            ResourceScope resources = new ResourceScope();
            memory packed = kernelMemory.array(packedLayout, resources);
            BoundPrimitive multiplication = multiplication(description, a, packed, to, kernelMemory);
            return new MatMul(
                    resources,
                    bias == null ? multiplication : multiplication.with(DNNL_ARG_BIAS, bias),
                    BoundPrimitive.reorder(b, packed, null));
        }
    }

    /** Returns {@code to += a b}. */
    static MatMul accumulating(memory a, memory b, memory to, KernelMemory kernelMemory) {
        try (memory.desc left = a.get_desc();
                memory.desc right = b.get_desc();
                memory.desc result = to.get_desc();
                post_ops sum = new post_ops();
                primitive_attr attributes = BoundPrimitive.attributes()) {
            sum.append_sum();
            attributes.set_post_ops(sum);
            try (matmul.primitive_desc description =
                    new matmul.primitive_desc(OneDnn.engine(), left, right, result, attributes, false)) {
                return new MatMul(new ResourceScope(), multiplication(description, a, b, to, kernelMemory), null);
            }
        }
    }

    private static BoundPrimitive multiplication(
            matmul.primitive_desc description, memory a, memory b, memory to, KernelMemory kernelMemory) {
        return new BoundPrimitive(description, new matmul(description), kernelMemory)
                .with(DNNL_ARG_SRC, a)
                .with(DNNL_ARG_WEIGHTS, b)
                .with(DNNL_ARG_DST, to);
    }

    void pack() {
        packing.run();
    }

    void run() {
        multiplication.run();
    }

    @Override
    public void close() {
        resources.close();
    }
}
