package io.unroll.kernel;

import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A {@link RecurrentKernel} in float32 on OpenBLAS. It computes {@code W x} and the gradients of W and x for all steps
 * with one matrix product each; {@link CellStep} computes the product with R and the equations of the cell step by step,
 * and at the end the gradient of R.
 */
final class StepKernel implements RecurrentKernel {
    private final ResourceScope resources = new ResourceScope();
    private final Shape shape;
    private final KernelMemory kernelMemory;
    private final CellStep cell;
    private final BlasMatrix inputWeights;
    private final BlasMatrix initialHidden;
    /** The gates of all steps for the backward pass; null in inference, where they are in the scratchpad. */
    private final BlasMatrix trainingGates;

    private final float[] dOutput;
    private BlasMatrix x;
    private HiddenStates states;
    private float[][] stateGradient;

    StepKernel(Shape shape, KernelMemory kernelMemory) {
        if (shape.bfloat16()) {
            throw new IllegalArgumentException("this kernel computes in float32 only");
        }
        this.shape = shape;
        this.kernelMemory = kernelMemory;
        cell = CellStep.of(shape, kernelMemory, resources);
        inputWeights = BlasMatrix.allocate(gateColumns(), shape.inputs(), kernelMemory, resources);
        initialHidden = BlasMatrix.allocate(shape.lanes(), shape.hidden(), kernelMemory, resources);
        trainingGates = shape.training() ? BlasMatrix.allocate(rows(), gateColumns(), kernelMemory, resources) : null;
        dOutput = new float[shape.training() ? shape.stateSize() : 0];
    }

    private int rows() {
        return shape.steps() * shape.lanes();
    }

    private int gateColumns() {
        return shape.cell().blocks() * shape.hidden();
    }

    @Override
    public Shape shape() {
        return shape;
    }

    @Override
    public void pack(Parameters from) {
        long weights = shape.cell().inputWeightCount(shape.inputs(), shape.hidden());
        Pointer.memcpy(inputWeights.start(), from.input(), weights * Float.BYTES);
        cell.pack(from);
    }

    @Override
    public float[][] forward(Pointer input, Pointer output, float[][] initialState) {
        float[][] state = copyOf(initialState);
        initialHidden.put(state[0]);
        x = new BlasMatrix(new FloatPointer(input), rows(), shape.inputs());
        BlasMatrix y = new BlasMatrix(new FloatPointer(output), rows(), shape.hidden());
        states = new HiddenStates(initialHidden, y);
        BlasMatrix gates =
                shape.training() ? trainingGates : BlasMatrix.scratchpad(rows(), gateColumns(), kernelMemory);
        gates.multiplyByTransposed(x, inputWeights, 0);
        for (int step = 0; step < shape.steps(); step++) {
            cell.forward(step, atStep(gates, step), states.before(step), state);
            atStep(y, step).put(state[0]);
        }
        return state;
    }

    /** @return a copy of the arrays of a state, or of zeros if there are none */
    private float[][] copyOf(float[][] arrays) {
        if (arrays.length == 0) {
            return new float[shape.cell().states()][shape.stateSize()];
        }
        Stream.of(arrays).forEach(shape::checkState);
        return Stream.of(arrays).map(float[]::clone).toArray(float[][]::new);
    }

    private BlasMatrix atStep(BlasMatrix allSteps, int step) {
        return allSteps.rows(step * shape.lanes(), shape.lanes());
    }

    @Override
    public void backward(Pointer dy, Pointer dx, Parameters gradient, float[][] lastStateGradient) {
        float[][] dState = copyOf(lastStateGradient);
        BlasMatrix dOutputs = new BlasMatrix(new FloatPointer(dy), rows(), shape.hidden());
        BlasMatrix dGates = BlasMatrix.scratchpad(rows(), gateColumns(), kernelMemory);
        cell.startBackward();
        for (int step = shape.steps() - 1; step >= 0; step--) {
            atStep(dOutputs, step).get(dOutput);
            CellStep.add(dState[0], dOutput);
            cell.backward(step, atStep(trainingGates, step), atStep(dGates, step), states.before(step), dState);
        }
        stateGradient = dState;
        cell.gradient(dGates, states, gradient);
        new BlasMatrix(gradient.input(), gateColumns(), shape.inputs()).multiplyTransposed(dGates, x, 0);
        new BlasMatrix(new FloatPointer(dx), rows(), shape.inputs()).multiply(dGates, inputWeights, 0);
    }

    @Override
    public float[][] stateGradient() {
        return copyOf(stateGradient);
    }

    @Override
    public void close() {
        resources.close();
    }
}
