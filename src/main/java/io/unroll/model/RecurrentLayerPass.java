package io.unroll.model;

import io.unroll.config.Settings;
import io.unroll.kernel.CellType;
import io.unroll.kernel.KernelCache;
import io.unroll.kernel.KernelMemory;
import io.unroll.kernel.RecurrentKernel;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * The forward and backward passes of one recurrent layer on {@link RecurrentKernel}s. Inputs are
 * {@code [steps, lanes, inputs]}, outputs {@code [steps, lanes, hidden]} and the arrays of a state
 * {@code [lanes, hidden]}, all row-major. Not thread-safe.
 */
final class RecurrentLayerPass implements AutoCloseable {
    private final CellType cell;
    private final int inputs;
    private final int hidden;
    private final boolean bfloat16;
    private final boolean dropsWeights;
    private final DropMask weightDropout;
    /** The recurrent weights after weight dropout, followed by the peephole weights. */
    private final FloatPointer maskedWeights;

    private final KernelCache<RecurrentKernel.Shape, RecurrentKernel> training;
    private final KernelCache<RecurrentKernel.Shape, RecurrentKernel> inference;
    private RecurrentKernel.Parameters parameters;
    private RecurrentKernel trained;

    /**
     * @param weightDropout probability of dropping a recurrent weight in a training pass
     * @param kernelMemory may be shared with layers that do not run at the same time
     */
    RecurrentLayerPass(
            CellType cell,
            int inputs,
            int hidden,
            double weightDropout,
            boolean bfloat16,
            Settings.Recurrence recurrence,
            KernelMemory kernelMemory) {
        this.cell = cell;
        this.inputs = inputs;
        this.hidden = hidden;
        this.bfloat16 = bfloat16;
        this.dropsWeights = weightDropout > 0;
        this.weightDropout = new DropMask(weightDropout);
        this.maskedWeights =
                new FloatPointer(dropsWeights ? cell.recurrentWeightCount(hidden) + cell.peepholeCount(hidden) : 0);
        this.training = new KernelCache<>(
                shape -> RecurrentKernel.create(shape, recurrence, kernelMemory),
                kernel -> kernel.pack(trainingParameters()));
        this.inference = new KernelCache<>(
                shape -> RecurrentKernel.create(shape, recurrence, kernelMemory), kernel -> kernel.pack(parameters));
    }

    /** Sets the parameters. Must be called again after they have changed; their memory must remain valid. */
    void setParameters(RecurrentKernel.Parameters parameters) {
        this.parameters = parameters;
        training.parametersChanged();
        inference.parametersChanged();
    }

    /**
     * @param x input, which like the output {@code y} must not change before {@link #backward} has been called
     * @param initialState state before the first step; no arrays for zero
     * @return the state after the last step
     */
    float[][] forward(
            FloatPointer x, FloatPointer y, int steps, int lanes, float[][] initialState, boolean forTraining) {
        var shape = new RecurrentKernel.Shape(cell, inputs, hidden, steps, lanes, bfloat16, forTraining);
        if (!forTraining) {
            return inference.kernel(shape).forward(x, y, initialState);
        }
        if (dropsWeights) {
            training.parametersChanged();
        }
        trained = training.kernel(shape);
        return trained.forward(x, y, initialState);
    }

    /**
     * Computes the gradients of the last {@link #forward} in training.
     *
     * @param dy gradient with respect to the output
     * @param dx gradient with respect to the input, overwritten
     * @param gradient of the parameters, overwritten
     * @param lastStateGradient gradient with respect to the state after the last step; no arrays for zero
     */
    void backward(FloatPointer dy, FloatPointer dx, RecurrentKernel.Parameters gradient, float[][] lastStateGradient) {
        trained.backward(dy, dx, gradient, lastStateGradient);
        if (dropsWeights) {
            weightDropout.apply(gradient.recurrent(), gradient.recurrent(), cell.recurrentWeightCount(hidden));
        }
    }

    /** @return the last backward pass's gradient with respect to the initial state */
    float[][] stateGradient() {
        return trained.stateGradient();
    }

    /** @return the parameters, the recurrent weights with a new dropout mask (DropConnect, Merity et al. 2018) */
    private RecurrentKernel.Parameters trainingParameters() {
        if (!dropsWeights) {
            return parameters;
        }
        long weights = cell.recurrentWeightCount(hidden);
        weightDropout.draw();
        weightDropout.apply(parameters.recurrent(), maskedWeights, weights);
        Pointer.memcpy(
                maskedWeights.getPointer(weights),
                parameters.recurrent().getPointer(weights),
                cell.peepholeCount(hidden) * Float.BYTES);
        return new RecurrentKernel.Parameters(parameters.input(), maskedWeights, parameters.bias());
    }

    @Override
    public void close() {
        training.close();
        inference.close();
        maskedWeights.close();
    }
}
