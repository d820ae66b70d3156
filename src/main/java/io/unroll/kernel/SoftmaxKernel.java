package io.unroll.kernel;

import static org.bytedeco.dnnl.memory.data_type.bf16;
import static org.bytedeco.dnnl.memory.data_type.f32;

import io.unroll.chunk.Batch;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.FloatIndexer;

/**
 * Computes the output layer of a network, {@code logits = h W^T + b}, and the cross-entropy of its softmax against
 * token ids. It processes the rows in blocks, so that only the logits of one block, {@code [block rows, vocabulary]},
 * are in memory; their gradient overwrites them. Not thread-safe.
 */
public final class SoftmaxKernel implements AutoCloseable {
    /** Maximum number of logits in a block: 64 MiB. */
    private static final long MAX_LOGITS = 1 << 24;

    /** @param training whether gradients will be computed */
    public record Shape(int hidden, int vocabulary, int rows, boolean bfloat16, boolean training) {
        /** @return rows in a block: if possible a divisor of the number of rows, so that all blocks are equal */
        public int blockRows() {
            int maxRows = (int) Math.max(1, Math.min(rows, MAX_LOGITS / vocabulary));
            for (int divisor = maxRows; divisor > maxRows / 2; divisor--) {
                if (rows % divisor == 0) {
                    return divisor;
                }
            }
            return maxRows;
        }
    }

    /** Pointers to {@code W [vocabulary, hidden]}, row-major, and {@code b [vocabulary]}, or to their gradients. */
    public record Parameters(FloatPointer weights, FloatPointer bias) {}

    private final ResourceScope resources = new ResourceScope();
    private final Shape shape;
    private final double labelSmoothing;
    private final memory weights;
    private final memory transposedWeights;
    private final memory bias;
    private final memory dWeights;
    private final memory dBias;
    private final memory logits;
    private final Block fullBlock;
    /** The shorter last block; null if all blocks are equal. */
    private final Block lastBlock;

    private final FloatIndexer logitValues;

    /**
     * @param labelSmoothing probability that is taken from the target and spread evenly over the vocabulary (Szegedy et
     *     al. 2016), in the gradients only
     */
    public SoftmaxKernel(Shape shape, double labelSmoothing, KernelMemory kernelMemory) {
        OneDnn.engine();
        this.shape = shape;
        this.labelSmoothing = labelSmoothing;
        int rows = shape.blockRows();
        weights = view(shape.vocabulary, shape.hidden);
        transposedWeights = transposedView(f32, shape.hidden, shape.vocabulary);
        bias = view(1, shape.vocabulary);
        dWeights = view(shape.vocabulary, shape.hidden);
        dBias = view(1, shape.vocabulary);
        logits = array(kernelMemory, rows, shape.vocabulary);
        logitValues = FloatIndexer.create(OneDnn.floats(logits).capacity((long) rows * shape.vocabulary));
        fullBlock = new Block(rows, kernelMemory);
        lastBlock = shape.rows % rows == 0 ? null : new Block(shape.rows % rows, kernelMemory);
    }

    private memory view(long... dimensions) {
        try (memory.desc layout = OneDnn.plain(f32, dimensions)) {
            return resources.add(OneDnn.view(layout));
        }
    }

    private memory transposedView(memory.data_type type, long rows, long columns) {
        try (memory.desc layout = OneDnn.transposed(type, rows, columns)) {
            return resources.add(OneDnn.view(layout));
        }
    }

    private memory array(KernelMemory kernelMemory, long... dimensions) {
        try (memory.desc layout = OneDnn.plain(f32, dimensions)) {
            return kernelMemory.array(layout, resources);
        }
    }

    public Shape shape() {
        return shape;
    }

    /** Packs the parameters. Call it again when they have changed; their memory must remain valid. */
    public void pack(Parameters from) {
        weights.set_data_handle(from.weights);
        transposedWeights.set_data_handle(from.weights);
        bias.set_data_handle(from.bias);
        fullBlock.pack();
        if (lastBlock != null) {
            lastBlock.pack();
        }
    }

    /**
     * @param hidden {@code [rows, hidden]}
     * @param targets {@code [rows]}; {@link Batch#IGNORED} for a row that is not part of the loss
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
     * Computes the loss and its gradients. Label smoothing and factors change the gradients, but not the returned loss.
     *
     * @param factors of the gradients of rows: row i has that of index i modulo the length; empty for 1
     * @param dHidden gradient with respect to {@code hidden}, {@code [rows, hidden]}, overwritten
     * @param gradient of the parameters, to which this method adds
     * @return the sum of the cross-entropies in nats
     */
    public double train(
            FloatPointer hidden, int[] targets, float[] factors, FloatPointer dHidden, Parameters gradient) {
        dWeights.set_data_handle(gradient.weights);
        dBias.set_data_handle(gradient.bias);
        double sum = 0;
        for (int row = 0; row < shape.rows; row += shape.blockRows()) {
            long offset = (long) row * shape.hidden;
            sum += blockAt(row).train(hidden.getPointer(offset), targets, factors, row, dHidden.getPointer(offset));
        }
        return sum;
    }

    /** @return the logits {@code [rows, vocabulary]}, row-major */
    public float[] logits(FloatPointer hidden) {
        return rows(hidden, Block::logits);
    }

    /** @return the logarithms of the probabilities {@code [rows, vocabulary]}, row-major, in nats */
    public float[] logProbabilities(FloatPointer hidden) {
        return rows(hidden, Block::logProbabilities);
    }

    private float[] rows(FloatPointer hidden, BiConsumer<Block, Pointer> compute) {
        float[] result = new float[Math.toIntExact((long) shape.rows * shape.vocabulary)];
        for (int row = 0; row < shape.rows; row += shape.blockRows()) {
            Block current = blockAt(row);
            compute.accept(current, hidden.getPointer((long) row * shape.hidden));
            OneDnn.floats(logits).get(result, row * shape.vocabulary, current.rows * shape.vocabulary);
        }
        return result;
    }

    private Block blockAt(int row) {
        return row + shape.blockRows() <= shape.rows ? fullBlock : lastBlock;
    }

    @Override
    public void close() {
        resources.close();
    }

    /** The primitives for blocks of a fixed number of rows. */
    private final class Block {
        private final int rows;
        private final ConvertedArray hidden;
        private final MatMul multiplication;
        private final BoundPrimitive logSoftmax;
        private final Gradients gradients;

        Block(int rows, KernelMemory kernelMemory) {
            this.rows = rows;
            this.hidden = ConvertedArray.view(shape.bfloat16 ? bf16 : f32, kernelMemory, resources, rows, shape.hidden);
            memory result = view(rows, shape.vocabulary);
            result.set_data_handle(logits.get_data_handle());
            multiplication = MatMul.packed(hidden.typed(), transposedWeights, bias, result, kernelMemory, resources);
            logSoftmax = resources.add(Elementwise.logSoftmax(result, kernelMemory));
            gradients = shape.training ? new Gradients(rows, hidden.typed(), result, kernelMemory) : null;
        }

        void pack() {
            multiplication.packing().run();
            if (gradients != null) {
                gradients.hiddenGradient.packing().run();
            }
        }

        void logits(Pointer from) {
            hidden.attach(from);
            hidden.convertFromFloat32();
            multiplication.product().run();
        }

        void logProbabilities(Pointer from) {
            logits(from);
            logSoftmax.run();
        }

        double loss(Pointer from, int[] targets, int firstRow) {
            logProbabilities(from);
            double sum = 0;
            for (int row = 0; row < rows; row++) {
                if (targets[firstRow + row] != Batch.IGNORED) {
                    sum -= logitValues.get((long) row * shape.vocabulary + targets[firstRow + row]);
                }
            }
            return sum;
        }

        double train(Pointer from, int[] targets, float[] factors, int firstRow, Pointer dHidden) {
            double sum = loss(from, targets, firstRow);
            gradients.probabilities.run();
            if (gradients.smoothing != null) {
                gradients.smoothing.run();
            }
            for (int row = 0; row < rows; row++) {
                long start = (long) row * shape.vocabulary;
                if (targets[firstRow + row] == Batch.IGNORED) {
                    FloatPointer ignored = OneDnn.floats(logits).getPointer(start);
                    Pointer.memset(ignored, 0, (long) shape.vocabulary * Float.BYTES);
                } else {
                    long target = start + targets[firstRow + row];
                    logitValues.put(target, logitValues.get(target) - (float) (1 - labelSmoothing));
                    if (factors.length > 0) {
                        multiply(start, factors[(firstRow + row) % factors.length]);
                    }
                }
            }
            gradients.run(dHidden);
            return sum;
        }
    }

    private void multiply(long start, float factor) {
        for (long i = start; i < start + shape.vocabulary; i++) {
            logitValues.put(i, factor * logitValues.get(i));
        }
    }

    /** The primitives that compute gradients from the log-probabilities of a block. */
    private final class Gradients {
        private final BoundPrimitive probabilities;
        /** Subtracts the smoothed probability of each class; null without label smoothing. */
        private final BoundPrimitive smoothing;

        private final ConvertedArray dLogits;
        private final memory dHidden;
        private final MatMul hiddenGradient;
        private final BoundPrimitive weightGradient;
        private final BoundPrimitive biasGradient;

        Gradients(int rows, memory hidden, memory result, KernelMemory kernelMemory) {
            memory.data_type type = shape.bfloat16 ? bf16 : f32;
            probabilities = resources.add(Elementwise.exp(result, kernelMemory));
            smoothing = labelSmoothing == 0
                    ? null
                    : resources.add(Elementwise.add(-labelSmoothing / shape.vocabulary, result, kernelMemory));
            dLogits = ConvertedArray.view(type, kernelMemory, resources, rows, shape.vocabulary);
            dLogits.attach(logits.get_data_handle());
            dHidden = view(rows, shape.hidden);
            hiddenGradient = MatMul.packed(dLogits.typed(), weights, null, dHidden, kernelMemory, resources);
            memory transposed = transposedView(type, shape.vocabulary, rows);
            transposed.set_data_handle(dLogits.typed().get_data_handle());
            weightGradient = resources.add(MatMul.accumulating(transposed, hidden, dWeights, kernelMemory));
            float[] rowOfOnes = new float[rows];
            Arrays.fill(rowOfOnes, 1);
            memory ones = array(kernelMemory, 1, rows);
            OneDnn.floats(ones).capacity(rows).put(rowOfOnes);
            biasGradient = resources.add(MatMul.accumulating(ones, result, dBias, kernelMemory));
        }

        void run(Pointer to) {
            dLogits.convertFromFloat32();
            dHidden.set_data_handle(to);
            hiddenGradient.product().run();
            weightGradient.run();
            biasGradient.run();
        }
    }
}
