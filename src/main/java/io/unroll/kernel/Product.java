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

/** A matrix product {@code a b}. */
final class Product implements AutoCloseable {
    private final Owned owned;
    private final Call call;
    private final Call pack;

    private Product(Owned owned, Call call, Call pack) {
        this.owned = owned;
        this.call = owned.add(call);
        this.pack = pack == null ? null : owned.add(pack);
    }

    /**
     * {@code to = a b + bias}, where b is float32 and changes seldom: {@link #pack} takes it over, in a's type.
     *
     * @param bias null for none
     */
    static Product withPacked(memory a, memory b, memory bias, memory to, Scratchpad scratchpad) {
        try (memory.desc left = a.get_desc();
                memory.desc right = b.get_desc();
                memory.desc any = OneDnn.any(
                        left.get_data_type(),
                        right.get_dims().get(0),
                        right.get_dims().get(1));
                memory.desc added = bias == null ? new memory.desc() : bias.get_desc();
                memory.desc result = to.get_desc();
                primitive_attr attributes = Call.attributes();
                matmul.primitive_desc description =
                        new matmul.primitive_desc(OneDnn.engine(), left, any, added, result, attributes, false);
                memory.desc wanted = description.query_md(query.exec_arg_md, DNNL_ARG_WEIGHTS)) {
            Owned owned = new Owned();
            memory packed = scratchpad.array(wanted, owned);
            Call call = call(description, a, packed, to, scratchpad);
            return new Product(
                    owned, bias == null ? call : call.with(DNNL_ARG_BIAS, bias), Call.reorder(b, packed, null));
        }
    }

    /** {@code to += a b}. */
    static Product added(memory a, memory b, memory to, Scratchpad scratchpad) {
        try (memory.desc left = a.get_desc();
                memory.desc right = b.get_desc();
                memory.desc result = to.get_desc();
                post_ops sum = new post_ops();
                primitive_attr attributes = Call.attributes()) {
            sum.append_sum();
            attributes.set_post_ops(sum);
            try (matmul.primitive_desc description =
                    new matmul.primitive_desc(OneDnn.engine(), left, right, result, attributes, false)) {
                return new Product(new Owned(), call(description, a, b, to, scratchpad), null);
            }
        }
    }

    private static Call call(matmul.primitive_desc description, memory a, memory b, memory to, Scratchpad scratchpad) {
        return new Call(description, new matmul(description), scratchpad)
                .with(DNNL_ARG_SRC, a)
                .with(DNNL_ARG_WEIGHTS, b)
                .with(DNNL_ARG_DST, to);
    }

    void pack() {
        pack.run();
    }

    void run() {
        call.run();
    }

    @Override
    public void close() {
        owned.close();
    }
}
