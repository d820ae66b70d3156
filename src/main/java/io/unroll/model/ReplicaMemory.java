package io.unroll.model;

import io.unroll.config.Settings;
import io.unroll.kernel.CellType;
import io.unroll.kernel.SoftmaxKernel;

/**
 * Estimates the memory of a replica outside the Java heap, in bytes, for N lanes, T steps, V outputs, embedding size E,
 * hidden size H and P parameters, of which R are in the recurrent layers and O in the output layer:
 *
 * <pre>
 *   4 (P + P + P x optimizer arrays)                   parameters, gradient, optimizer state
 *   4 x 4 R                                            R packed for oneDNN: forward, backward, gradient, and forward
 *                                                      again for validation
 *   4 x R                                              with weight dropout: the masked weights
 *   4 x 3 O                                            O packed for oneDNN; its gradient needs no packing
 *   4 N T (E + H + sum over layers (a H + inputs))     activations and their gradients, gates, states
 *   4 N T x gates x H                                  scratchpad, which all layers use in turn
 *   2 x 4 x block x V                                  logits, in training and in validation
 * </pre>
 *
 * where {@code a} is how many numbers oneDNN writes for each number of a layer's output. It was measured with float32:
 * resident memory of the process, with one and with four layers; bfloat16 takes up to 10 % less.
 * {@code model.recurrence = steps} takes less, too: it writes at most 5 numbers, and copies R twice.
 * Encoder and attention follow the same formula but were not measured. The estimate does not include the idle arrays of
 * batches of other lengths ({@link io.unroll.kernel.KernelMemory}).
 */
public final class ReplicaMemory {
    private ReplicaMemory() {}

    /** @return estimated bytes of a replica with this shape */
    public static long bytes(NetworkShape shape, int lanes, int steps) {
        Settings.Model model = shape.model();
        ParameterOrder order = shape.order();
        long parameters = order.total();
        long recurrent = order.layer(model.layers()) - order.layer(0);
        long output = (long) model.hidden() * shape.outputs();
        long state = shape.optimizerArrays() * parameters;
        long rows = (long) lanes * steps;
        double activations = 0;
        for (int layer = 0; layer < model.layers(); layer++) {
            int inputs = layer == 0 ? model.embedding() : model.hidden();
            activations += outputFactor(model.cell()) * model.hidden() + inputs;
        }
        activations += model.embedding() + (1.0 + CellType.of(model).blocks()) * model.hidden();
        int block = shape.outputs() == 0
                ? 0
                : new SoftmaxKernel.Shape(model.hidden(), shape.outputs(), Math.toIntExact(rows), false, true)
                        .blockRows();
        double numbers = 2.0 * parameters
                + state
                + (model.weightDropout() > 0 ? 5.0 : 4.0) * recurrent
                + 3.0 * output
                + rows * activations
                + 2.0 * block * shape.outputs();
        long bytes = Math.round(Float.BYTES * numbers);
        for (EncoderShape subnetwork : shape.subnetworks().values()) {
            bytes += bytes(subnetwork, lanes, steps, shape.optimizerArrays());
        }
        return bytes;
    }

    private static long bytes(EncoderShape subnetwork, int lanes, int steps, int optimizerArrays) {
        if (subnetwork instanceof NetworkShape text) {
            return bytes(text, lanes, steps);
        }
        if (subnetwork instanceof ImageShape image) {
            return Float.BYTES * 4L * image.parameters() + lanes * image.bytesPerImage();
        }
        // Parameters, queries, contexts and outputs, and their gradients.
        long hidden = ((AttentionShape) subnetwork).hidden();
        return Float.BYTES * ((2L + optimizerArrays) * subnetwork.parameters() + 12L * lanes * steps * hidden);
    }

    /** @return {@code a} of the formula above */
    private static double outputFactor(Settings.Cell cell) {
        return switch (cell) {
            case RNN -> 5.3;
            case GRU -> 7.3;
            case LSTM -> 10.4;
        };
    }
}
