package io.unroll.kernel;

import io.unroll.config.Settings;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Computes one recurrent layer over all steps of a batch, forward and backward, for batches of one shape. Inputs are
 * {@code [steps, lanes, inputs]}, outputs {@code [steps, lanes, hidden]} and states {@code [lanes, hidden]}, all
 * row-major float32. Not thread-safe.
 */
public interface RecurrentKernel extends AutoCloseable {
    /** @param training whether there will be a backward pass */
    record Shape(CellType cell, int inputs, int hidden, int steps, int lanes, boolean bfloat16, boolean training) {
        /** @return numbers in an array of the state */
        int stateSize() {
            return lanes * hidden;
        }

        void checkState(float[] array) {
            if (array.length != stateSize()) {
                throw new IllegalStateException("the stored state has " + array.length + " numbers, but " + lanes
                        + " lanes need " + stateSize() + ": clear the state first");
            }
        }
    }

    /** Pointers to {@code W}, {@code R} and {@code b} of a {@link CellType}, or to their gradients. */
    record Parameters(FloatPointer input, FloatPointer recurrent, FloatPointer bias) {
        /** @param start of the layer's parameters, which follow one another */
        public static Parameters at(FloatPointer start, CellType cell, int inputs, int hidden) {
            return new Parameters(
                    start,
                    start.getPointer(cell.inputWeightCount(inputs, hidden)),
                    start.getPointer(cell.biasStart(inputs, hidden)));
        }

        /** @return the peephole weights, which follow the recurrent weights */
        FloatPointer peepholes(CellType cell, int hidden) {
            return recurrent.getPointer(cell.recurrentWeightCount(hidden));
        }
    }

    /**
     * @param recurrence with {@code AUTO}, the primitives on x86-64 and for bfloat16, otherwise {@link StepKernel}
     * @param kernelMemory may be shared with kernels that do not run at the same time
     */
    static RecurrentKernel create(Shape shape, Settings.Recurrence recurrence, KernelMemory kernelMemory) {
        boolean steps = recurrence == Settings.Recurrence.AUTO
                ? !shape.bfloat16 && !OneDnn.optimizesRecurrentLayers(System.getProperty("os.arch"))
                : recurrence == Settings.Recurrence.STEPS;
        return steps ? new StepKernel(shape, kernelMemory) : new PrimitiveKernel(shape, kernelMemory);
    }

    Shape shape();

    /** Copies the parameters. Call it again when they have changed. */
    void pack(Parameters from);

    /**
     * @param x input, which like the output y must not change before {@link #backward} has been called
     * @param initialState state before the first step; no arrays for zero
     * @return the state after the last step
     */
    float[][] forward(Pointer x, Pointer y, float[][] initialState);

    /**
     * Computes the gradients of the last {@link #forward}.
     *
     * @param dy gradient with respect to y
     * @param dx gradient with respect to x, overwritten
     * @param gradient of the parameters, overwritten
     * @param lastStateGradient gradient with respect to the state after the last step; no arrays for zero
     */
    void backward(Pointer dy, Pointer dx, Parameters gradient, float[][] lastStateGradient);

    /** @return the last {@link #backward}'s gradient with respect to the initial state */
    float[][] stateGradient();

    @Override
    void close();
}
