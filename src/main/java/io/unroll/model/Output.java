package io.unroll.model;

import io.unroll.kernel.Scratchpad;
import io.unroll.kernel.SoftmaxKernel;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The last layer of a network: softmax over classes, and its cross-entropy against their ids. */
final class Output implements AutoCloseable {
    private final int outputs;
    private final boolean bfloat16;
    private final double labelSmoothing;
    private final IDropout dropout;
    private final Scratchpad scratchpad;
    private final SoftmaxKernel.Parameters parameters;
    private final SoftmaxKernel.Parameters gradient;
    private SoftmaxKernel training;
    private SoftmaxKernel inference;
    private boolean packed;

    Output(
            int outputs,
            boolean bfloat16,
            double labelSmoothing,
            IDropout dropout,
            Scratchpad scratchpad,
            SoftmaxKernel.Parameters parameters,
            SoftmaxKernel.Parameters gradient) {
        this.outputs = outputs;
        this.bfloat16 = bfloat16;
        this.labelSmoothing = labelSmoothing;
        this.dropout = dropout;
        this.scratchpad = scratchpad;
        this.parameters = parameters;
        this.gradient = gradient;
    }

    /** The sum of the cross-entropies in nats, and its gradient with respect to the rows. */
    record Trained(double loss, INDArray gradient) {}

    /**
     * Adds to the parameters' gradient of the sum, which label smoothing changes, but not the sum itself.
     *
     * @param hidden {@code [steps, lanes, hidden]} row by row
     * @param targets {@code [steps, lanes]}
     */
    Trained train(INDArray hidden, int[] targets, StepArrays arrays) {
        INDArray kept = hidden;
        if (dropout != null) {
            kept = arrays.createUninitialized(ArrayType.INPUT, DataType.FLOAT, hidden.shape(), 'c');
            StepDropout.apply(dropout, hidden, kept, arrays);
        }
        SoftmaxKernel before = training;
        training = null; // Should there be no memory for the next one, this one is closed.
        training = kernel(before, hidden, true);
        training.pack(parameters);
        INDArray dHidden = arrays.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, hidden.shape(), 'c');
        double loss = training.train(Floats.of(kept), targets, Floats.of(dHidden), gradient);
        if (dropout != null) {
            StepDropout.backward(dropout, dHidden);
        }
        return new Trained(loss, dHidden);
    }

    /** @return the sum of the cross-entropies in nats */
    double loss(INDArray hidden, int[] targets) {
        return forInference(hidden).loss(Floats.of(hidden), targets);
    }

    /** @return unnormalised log-probabilities, {@code [rows, outputs]} row by row */
    float[] logits(INDArray hidden) {
        return forInference(hidden).logits(Floats.of(hidden));
    }

    /** The parameters have changed. */
    void parametersChanged() {
        packed = false;
    }

    private SoftmaxKernel forInference(INDArray hidden) {
        SoftmaxKernel before = inference;
        inference = null;
        inference = kernel(before, hidden, false);
        if (!packed || inference != before) {
            inference.pack(parameters);
            packed = true;
        }
        return inference;
    }

    private SoftmaxKernel kernel(SoftmaxKernel cached, INDArray hidden, boolean training) {
        SoftmaxKernel.Shape shape = new SoftmaxKernel.Shape(
                (int) hidden.size(2), outputs, Math.toIntExact(hidden.size(0) * hidden.size(1)), bfloat16, training);
        if (cached != null && cached.shape().equals(shape)) {
            return cached;
        }
        if (cached != null) {
            cached.close();
        }
        return new SoftmaxKernel(shape, labelSmoothing, scratchpad);
    }

    @Override
    public void close() {
        if (training != null) {
            training.close();
        }
        if (inference != null) {
            inference.close();
        }
    }
}
