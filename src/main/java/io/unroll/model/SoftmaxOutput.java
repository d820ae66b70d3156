package io.unroll.model;

import io.unroll.kernel.KernelCache;
import io.unroll.kernel.SoftmaxKernel;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The output layer of a network, on a {@link SoftmaxKernel}: softmax over the classes and cross-entropy loss. */
final class SoftmaxOutput implements AutoCloseable {
    private final NetworkShape shape;
    private final boolean bfloat16;
    private final StepDropout dropout;
    private final StepWorkspace workspace;
    private final SoftmaxKernel.Parameters gradient;
    private final KernelCache<SoftmaxKernel.Shape, SoftmaxKernel> training;
    private final KernelCache<SoftmaxKernel.Shape, SoftmaxKernel> inference;

    /** The parameters are like those of {@link RecurrentStack}. */
    SoftmaxOutput(NetworkShape shape, INDArray parameters, INDArray gradient, StepWorkspace workspace) {
        this.shape = shape;
        this.bfloat16 = Network.computesInBfloat16(shape.model());
        this.dropout = new StepDropout(shape.model().dropout(), shape.model().lockedDropout(), workspace);
        this.workspace = workspace;
        this.gradient = parameters(gradient);
        this.training = cache(parameters(parameters));
        this.inference = cache(parameters(parameters));
    }

    private KernelCache<SoftmaxKernel.Shape, SoftmaxKernel> cache(SoftmaxKernel.Parameters parameters) {
        double labelSmoothing = shape.model().labelSmoothing();
        return new KernelCache<>(
                batch -> new SoftmaxKernel(batch, labelSmoothing, workspace.kernelMemory()),
                kernel -> kernel.pack(parameters));
    }

    private SoftmaxKernel.Parameters parameters(INDArray vector) {
        FloatPointer start = NativeFloats.of(vector);
        ParameterOrder order = shape.order();
        return new SoftmaxKernel.Parameters(start.getPointer(order.outputWeights()), start.getPointer(order.bias()));
    }

    /**
     * @param loss sum of the cross-entropies in nats, without label smoothing
     * @param gradient with respect to the input, {@code [steps, lanes, hidden]}
     */
    record OutputGradient(double loss, INDArray gradient) {}

    /**
     * Computes the loss and its gradients, and adds that of the parameters to their gradient. Label smoothing and
     * factors change the gradients, but not the returned loss.
     *
     * @param hidden input {@code [steps, lanes, hidden]}, row by row
     * @param targets {@code [steps, lanes]}
     * @param factors of the gradients of the lanes; empty for 1
     */
    OutputGradient train(INDArray hidden, int[] targets, float[] factors) {
        INDArray dropped = dropout.apply(hidden);
        INDArray dHidden = workspace.array(hidden.shape());
        double loss = training.kernel(kernelShape(hidden, true))
                .train(NativeFloats.of(dropped), targets, factors, NativeFloats.of(dHidden), gradient);
        dropout.backward(dHidden);
        return new OutputGradient(loss, dHidden);
    }

    /** @return the sum of the cross-entropies in nats */
    double loss(INDArray hidden, int[] targets) {
        return inference.kernel(kernelShape(hidden, false)).loss(NativeFloats.of(hidden), targets);
    }

    /** @return logits {@code [rows, outputs]}, row by row */
    float[] logits(INDArray hidden) {
        return inference.kernel(kernelShape(hidden, false)).logits(NativeFloats.of(hidden));
    }

    /** @return the logarithms of the probabilities {@code [rows, outputs]}, row by row, in nats */
    float[] logProbabilities(INDArray hidden) {
        return inference.kernel(kernelShape(hidden, false)).logProbabilities(NativeFloats.of(hidden));
    }

    private SoftmaxKernel.Shape kernelShape(INDArray hidden, boolean forTraining) {
        int rows = Math.toIntExact(hidden.size(0) * hidden.size(1));
        return new SoftmaxKernel.Shape((int) hidden.size(2), shape.outputs(), rows, bfloat16, forTraining);
    }

    /** Must be called after the parameters have changed. */
    void parametersChanged() {
        training.parametersChanged();
        inference.parametersChanged();
    }

    @Override
    public void close() {
        training.close();
        inference.close();
    }
}
