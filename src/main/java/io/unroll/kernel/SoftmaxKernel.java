package io.unroll.kernel;

import static org.bytedeco.dnnl.memory.data_type.bf16;
import static org.bytedeco.dnnl.memory.data_type.f32;

import io.unroll.chunk.Batch;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.FloatIndexer;

/**
 * The output of a network, {@code logits = h W' + b}, with the cross-entropy of its softmax against token ids. Goes
 * through the rows block by block: the logits of one block are the only array of {@code [rows, vocabulary]}, and
 * their gradient takes their place. Not safe for several threads.
 */
public final class SoftmaxKernel implements AutoCloseable {
    /** A row that does not count. */
    public static final int IGNORED = Batch.IGNORED;

    /** Logits that are held at once: 64 MiB. */
    private static final long MOST_LOGITS = 1 << 24;

    /** @param training whether gradients are wanted */
    public record Shape(int hidden, int vocabulary, int rows, boolean bfloat16, boolean training) {
        /** @return rows whose logits are held at once: where it can be, a divisor of all, which leaves no rest */
        public int blockRows() {
            int most = (int) Math.max(1, Math.min(rows, MOST_LOGITS / vocabulary));
            for (int divisor = most; divisor > most / 2; divisor--) {
                if (rows % divisor == 0) {
                    return divisor;
                }
            }
            return most;
        }
    }

    /** Where the parameters, or their gradients, lie: {@code W [vocabulary, hidden]} row by row, and b. */
    public record Parameters(FloatPointer weights, FloatPointer bias) {}

    private final Owned owned = new Owned();
    private final Shape shape;
    private final double labelSmoothing;
    private final memory weights;
    private final memory transposedWeights;
    private final memory bias;
    private final memory dWeights;
    private final memory dBias;
    private final memory logits;
    private final Block block;
    private final Block rest;
    private final FloatIndexer values;

    /**
     * @param labelSmoothing what gradients take from a target's probability of 1 and spread evenly over the vocabulary
     *     (Szegedy et al. 2016)
     */
    public SoftmaxKernel(Shape shape, double labelSmoothing, Scratchpad scratchpad) {
        OneDnn.engine();
        this.shape = shape;
        this.labelSmoothing = labelSmoothing;
        int rows = shape.blockRows();
        weights = view(shape.vocabulary, shape.hidden);
        transposedWeights = owned.add(OneDnn.view(owned.add(OneDnn.transposed(f32, shape.hidden, shape.vocabulary))));
        bias = view(1, shape.vocabulary);
        dWeights = view(shape.vocabulary, shape.hidden);
        dBias = view(1, shape.vocabulary);
        logits = array(scratchpad, owned, rows, shape.vocabulary);
        values = FloatIndexer.create(OneDnn.floats(logits).capacity((long) rows * shape.vocabulary));
        block = owned.add(new Block(rows, scratchpad));
        rest = shape.rows % rows == 0 ? null : owned.add(new Block(shape.rows % rows, scratchpad));
    }

    private memory view(long... dimensions) {
        return owned.add(OneDnn.view(owned.add(OneDnn.plain(f32, dimensions))));
    }

    private static memory array(Scratchpad scratchpad, Owned owner, long... dimensions) {
        try (memory.desc layout = OneDnn.plain(f32, dimensions)) {
            return scratchpad.array(layout, owner);
        }
    }

    public Shape shape() {
        return shape;
    }

    /** Takes over the parameters; needed anew whenever they change. They must stay where they are. */
    public void pack(Parameters from) {
        weights.set_data_handle(from.weights);
        transposedWeights.set_data_handle(from.weights);
        bias.set_data_handle(from.bias);
        block.pack();
        if (rest != null) {
            rest.pack();
        }
    }

    /**
     * @param hidden {@code [rows, hidden]}
     * @return the sum of the cross-entropies in nats
     */
    public double loss(FloatPointer hidden, int[] targets) {
        double sum = 0;
        for (int row = 0; row < shape.rows; row += shape.blockRows()) {
            sum += blockAt(row).loss(hidden.getPointer((long) row * shape.hidden), targets, row);
        }
        return sum;
    }

    /**
     * @param dHidden gradient of the sum, labels smoothed, {@code [rows, hidden]}, is overwritten
     * @param gradient of the same, is added to
     * @return the sum of the cross-entropies in nats, labels as they are
     */
    public double train(FloatPointer hidden, int[] targets, FloatPointer dHidden, Parameters gradient) {
        dWeights.set_data_handle(gradient.weights);
        dBias.set_data_handle(gradient.bias);
        double sum = 0;
        for (int row = 0; row < shape.rows; row += shape.blockRows()) {
            long offset = (long) row * shape.hidden;
            sum += blockAt(row).train(hidden.getPointer(offset), targets, row, dHidden.getPointer(offset));
        }
        return sum;
    }

    /** @return {@code [rows, vocabulary]} row by row */
    public float[] logits(FloatPointer hidden) {
        float[] all = new float[Math.toIntExact((long) shape.rows * shape.vocabulary)];
        for (int row = 0; row < shape.rows; row += shape.blockRows()) {
            Block at = blockAt(row);
            at.logits(hidden.getPointer((long) row * shape.hidden));
            OneDnn.floats(logits).get(all, row * shape.vocabulary, at.rows * shape.vocabulary);
        }
        return all;
    }

    private Block blockAt(int row) {
        return row + shape.blockRows() <= shape.rows ? block : rest;
    }

    @Override
    public void close() {
        owned.close();
    }

    /** The primitives for one number of rows. */
    private final class Block implements AutoCloseable {
        private final Owned parts = new Owned();
        private final int rows;
        private final Port hidden;
        private final Product product;
        private final Call logSoftmax;
        private final Gradients gradients;

        Block(int rows, Scratchpad scratchpad) {
            this.rows = rows;
            this.hidden = parts.add(Port.view(shape.bfloat16 ? bf16 : f32, scratchpad, rows, shape.hidden));
            memory result = parts.add(OneDnn.view(parts.add(OneDnn.plain(f32, rows, shape.vocabulary))));
            result.set_data_handle(logits.get_data_handle());
            product = parts.add(Product.withPacked(hidden.inside(), transposedWeights, bias, result, scratchpad));
            logSoftmax = parts.add(Elementwise.logSoftmax(result, scratchpad));
            gradients = shape.training ? parts.add(new Gradients(rows, hidden.inside(), result, scratchpad)) : null;
        }

        void pack() {
            product.pack();
            if (gradients != null) {
                gradients.pack();
            }
        }

        void logits(Pointer from) {
            hidden.attach(from);
            hidden.read();
            product.run();
        }

        double loss(Pointer from, int[] targets, int first) {
            logits(from);
            logSoftmax.run();
            double sum = 0;
            for (int row = 0; row < rows; row++) {
                if (targets[first + row] != IGNORED) {
                    sum -= values.get((long) row * shape.vocabulary + targets[first + row]);
                }
            }
            return sum;
        }

        double train(Pointer from, int[] targets, int first, Pointer dHidden) {
            double sum = loss(from, targets, first);
            gradients.probabilities.run();
            if (gradients.spread != null) {
                gradients.spread.run();
            }
            for (int row = 0; row < rows; row++) {
                long start = (long) row * shape.vocabulary;
                if (targets[first + row] == IGNORED) {
                    FloatPointer ignored = OneDnn.floats(logits).getPointer(start);
                    Pointer.memset(ignored, 0, (long) shape.vocabulary * Float.BYTES);
                } else {
                    long target = start + targets[first + row];
                    values.put(target, values.get(target) - (float) (1 - labelSmoothing));
                }
            }
            gradients.run(dHidden);
            return sum;
        }

        @Override
        public void close() {
            parts.close();
        }
    }

    /** From the log-probabilities of a block's rows to the gradients. */
    private final class Gradients implements AutoCloseable {
        private final Owned parts = new Owned();
        private final Call probabilities;
        /** Subtracts what label smoothing gives to each class; null without. */
        private final Call spread;

        private final Port dLogits;
        private final memory dHidden;
        private final Product toHidden;
        private final Product toWeights;
        private final Product toBias;

        Gradients(int rows, memory hidden, memory result, Scratchpad scratchpad) {
            memory.data_type type = shape.bfloat16 ? bf16 : f32;
            probabilities = parts.add(Elementwise.exp(result, scratchpad));
            spread = labelSmoothing == 0
                    ? null
                    : parts.add(Elementwise.add(-labelSmoothing / shape.vocabulary, result, scratchpad));
            dLogits = parts.add(Port.view(type, scratchpad, rows, shape.vocabulary));
            dLogits.attach(logits.get_data_handle());
            dHidden = parts.add(OneDnn.view(parts.add(OneDnn.plain(f32, rows, shape.hidden))));
            toHidden = parts.add(Product.withPacked(dLogits.inside(), weights, null, dHidden, scratchpad));
            memory transposed = parts.add(OneDnn.view(parts.add(OneDnn.transposed(type, shape.vocabulary, rows))));
            transposed.set_data_handle(dLogits.inside().get_data_handle());
            toWeights = parts.add(Product.added(transposed, hidden, dWeights, scratchpad));
            memory ones = array(scratchpad, parts, 1, rows);
            OneDnn.floats(ones).capacity(rows).put(ones(rows));
            toBias = parts.add(Product.added(ones, result, dBias, scratchpad));
        }

        private static float[] ones(int rows) {
            float[] ones = new float[rows];
            java.util.Arrays.fill(ones, 1);
            return ones;
        }

        void pack() {
            toHidden.pack();
        }

        void run(Pointer to) {
            dLogits.read();
            dHidden.set_data_handle(to);
            toHidden.run();
            toWeights.run();
            toBias.run();
        }

        @Override
        public void close() {
            parts.close();
        }
    }
}
