package io.unroll.model;

import io.unroll.config.Settings;
import io.unroll.kernel.SoftmaxKernel;

/**
 * What a replica takes outside the Java heap, in bytes, with N lanes, T steps, V outputs, P parameters, of which R in
 * recurrent layers and O in the output:
 *
 * <pre>
 *   4 (P + P + P x optimizer arrays)                   parameters, gradient, optimizer state
 *   4 x 4 R                                            R as the primitives want it: forward, backward, gradient; and
 *                                                      forward again for validation
 *   4 x R                                              with dropout of weights, what is kept
 *   4 x 3 O                                            O the same way, whose gradient is in its place at once
 *   4 N T (E + H + sum over layers (a H + inputs))     activations and their gradients, gates, states
 *   4 N T x gates x H                                  working memory of one layer, which all use in turn
 *   2 x 4 x block x V                                  logits, in training and in validation
 * </pre>
 *
 * where {@code a} counts what oneDNN writes for each number of a layer's output, as it was measured: resident memory
 * of the process, with one and with four layers. It is that of float32; bfloat16 takes up to a tenth less. What an
 * encoder and an attention take is added by the same rule, and was not measured, nor were the arrays that batches of
 * many lengths leave idle ({@link io.unroll.kernel.Scratchpad}).
 */
public final class ReplicaMemory {
    private ReplicaMemory() {}

    public static long bytes(NetworkShape shape, int lanes, int steps) {
        Settings.Model model = shape.model();
        ParameterOrder order = shape.order();
        long parameters = order.total();
        long recurrent = order.layer(model.layers()) - order.layer(0);
        long output = (long) model.hidden() * shape.outputs();
        long state = new Optimizer(shape.optimizer(), order.total()).stateSize();
        long rows = (long) lanes * steps;
        double activations = 0;
        for (int layer = 0; layer < model.layers(); layer++) {
            activations += written(model.cell()) * model.hidden() + inputs(model, layer);
        }
        activations += model.embedding() + (1.0 + gates(model.cell())) * model.hidden();
        int block = shape.outputs() == 0
                ? 0
                : new SoftmaxKernel.Shape(model.hidden(), shape.outputs(), Math.toIntExact(rows), false, true)
                        .blockRows();
        double numbers = 2.0 * parameters
                + state
                + (model.regularization().weightDropout() > 0 ? 5.0 : 4.0) * recurrent
                + 3.0 * output
                + rows * activations
                + 2.0 * block * shape.outputs();
        long own = Math.round(Float.BYTES * numbers);
        return own + encoder(shape, lanes, steps) + attention(shape, rows);
    }

    /** Queries, contexts and outputs, and their gradients. */
    private static long attention(NetworkShape shape, long rows) {
        if (shape.attention() == null) {
            return 0;
        }
        long parameters = shape.attention().parameters();
        long state = new Optimizer(shape.optimizer(), shape.attention().parameters()).stateSize();
        return Float.BYTES * (2 * parameters + state + 12 * rows * shape.model().hidden());
    }

    private static long encoder(NetworkShape shape, int lanes, int steps) {
        if (shape.encoder() instanceof NetworkShape text) {
            return (shape.bidirectional() ? 2 : 1) * bytes(text, lanes, steps);
        }
        if (shape.encoder() instanceof ImageShape image) {
            return Float.BYTES * 4L * image.parameters() + lanes * image.bytesOfAnImage();
        }
        return 0;
    }

    private static int inputs(Settings.Model model, int layer) {
        return layer == 0 ? model.embedding() : model.hidden();
    }

    /** @return blocks of a layer's weights */
    private static int gates(Settings.Cell cell) {
        return switch (cell) {
            case RNN -> 1;
            case GRU -> 3;
            case LSTM -> 4;
        };
    }

    private static double written(Settings.Cell cell) {
        return switch (cell) {
            case RNN -> 5.3;
            case GRU -> 7.3;
            case LSTM -> 10.4;
        };
    }
}
