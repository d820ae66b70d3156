package io.unroll.model;

import io.unroll.kernel.KernelMemory;
import io.unroll.kernel.SoftmaxKernel;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The output layer of a network, on a {@link SoftmaxKernel}: softmax over the classes and cross-entropy loss. */
final class SoftmaxOutput implements AutoCloseable {
    private final int outputs;
    private final boolean bfloat16;
    private final double labelSmoothing;
    private final IDropout dropout;
    private final KernelMemory kernelMemory;
    private final SoftmaxKernel.Parameters parameters;
    private final SoftmaxKernel.Parameters gradient;
    private SoftmaxKernel training;
    private SoftmaxKernel inference;
    private boolean packed;

    SoftmaxOutput(
            int outputs,
            boolean bfloat16,
            double labelSmoothing,
            IDropout dropout,
            KernelMemory kernelMemory,
            SoftmaxKernel.Parameters parameters,
            SoftmaxKernel.Parameters gradient) {
        this.outputs = outputs;
        this.bfloat16 = bfloat16;
        this.labelSmoothing = labelSmoothing;
        this.dropout = dropout;
        this.kernelMemory = kernelMemory;
        this.parameters = parameters;
        this.gradient = gradient;
    }

    /**
     * @param loss sum of the cross-entropies in nats, without label smoothing
     * @param gradient with respect to the input, {@code [steps, lanes, hidden]}
     */
    record OutputGradient(double loss, INDArray gradient) {}

    /**
     * Computes the loss and its gradients, and adds that of the parameters to their gradient. Label smoothing changes
     * the gradients, but not the returned loss.
     *
     * @param hidden input {@code [steps, lanes, hidden]}, row by row
     * @param targets {@code [steps, lanes]}
     */
    OutputGradient train(INDArray hidden, int[] targets, StepWorkspace workspace) {
        INDArray dropped = hidden;
        if (dropout != null) {
            dropped = workspace.createUninitialized(ArrayType.INPUT, DataType.FLOAT, hidden.shape(), 'c');
            StepDropout.apply(dropout, hidden, dropped, workspace);
        }
        SoftmaxKernel previous = training;
        training = null; // Because kernel() closes the old kernel, even if the new one does not fit in memory.
        training = kernel(previous, hidden, true);
        training.pack(parameters);
        INDArray dHidden =
                workspace.createUninitialized(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, hidden.shape(), 'c');
        double loss = training.train(NativeFloats.of(dropped), targets, NativeFloats.of(dHidden), gradient);
        if (dropout != null) {
            StepDropout.backward(dropout, dHidden);
        }
        return new OutputGradient(loss, dHidden);
    }

    /** @return the sum of the cross-entropies in nats */
    double loss(INDArray hidden, int[] targets) {
        return inferenceKernel(hidden).loss(NativeFloats.of(hidden), targets);
    }

    /** @return logits {@code [rows, outputs]}, row by row */
    float[] logits(INDArray hidden) {
        return inferenceKernel(hidden).logits(NativeFloats.of(hidden));
    }

    /** Must be called after the parameters have changed. */
    void parametersChanged() {
        packed = false;
    }

    private SoftmaxKernel inferenceKernel(INDArray hidden) {
        SoftmaxKernel previous = inference;
        inference = null;
        inference = kernel(previous, hidden, false);
        if (!packed || inference != previous) {
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
        return new SoftmaxKernel(shape, labelSmoothing, kernelMemory);
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
