package io.unroll.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RecurrentKernelTest {
    private static final int INPUTS = 3;
    private static final int HIDDEN = 5;
    private static final int STEPS = 4;
    private static final int LANES = 2;

    /** A decoder needs these gradients: it starts from the last state of an encoder. */
    @ParameterizedTest
    @EnumSource
    void gradientFlowsFromTheLastStateToTheInitialState(CellType cell) {
        SplittableRandom random = new SplittableRandom(7);
        var shape = new RecurrentKernel.Shape(cell, INPUTS, HIDDEN, STEPS, LANES, false, true);
        int size = LANES * HIDDEN;
        try (KernelMemory kernelMemory = new KernelMemory();
                RecurrentKernel kernel = new RecurrentKernel(shape, kernelMemory)) {
            kernel.pack(parameters(cell, random));
            FloatPointer x = vector((long) STEPS * LANES * INPUTS, random);
            FloatPointer y = new FloatPointer((long) STEPS * size);
            FloatPointer dy = vector((long) STEPS * size, random);
            float[][] state = new float[cell.states()][];
            float[][] dLast = new float[cell.states()][];
            for (int i = 0; i < cell.states(); i++) {
                state[i] = floats(vector(size, random), size);
                dLast[i] = floats(vector(size, random), size);
            }
            loss(kernel, x, y, dy, state, dLast);
            for (int i = 0; i < cell.states(); i++) {
                kernel.lastStateGradient(i).put(dLast[i]);
            }
            kernel.backward(dy, new FloatPointer((long) STEPS * LANES * INPUTS), gradient(cell));
            for (int i = 0; i < cell.states(); i++) {
                float[] gradient = floats(kernel.stateGradient(i), size);
                for (int unit = 0; unit < size; unit++) {
                    double numerical = slope(kernel, x, y, dy, state, dLast, i, unit);
                    assertEquals(numerical, gradient[unit], 2e-3, cell + " state " + i + " unit " + unit);
                }
            }
        }
    }

    private static double slope(
            RecurrentKernel kernel,
            FloatPointer x,
            FloatPointer y,
            FloatPointer dy,
            float[][] state,
            float[][] dLast,
            int array,
            int unit) {
        float original = state[array][unit];
        float step = 1e-2f;
        state[array][unit] = original + step;
        double above = loss(kernel, x, y, dy, state, dLast);
        state[array][unit] = original - step;
        double below = loss(kernel, x, y, dy, state, dLast);
        state[array][unit] = original;
        return (above - below) / (2 * step);
    }

    /** Runs forward and returns a weighted sum of all outputs and last states. */
    private static double loss(
            RecurrentKernel kernel, FloatPointer x, FloatPointer y, FloatPointer dy, float[][] state, float[][] dLast) {
        for (int i = 0; i < state.length; i++) {
            kernel.state(i).put(state[i]);
        }
        kernel.forward(x, y);
        double loss = dot(floats(y, STEPS * LANES * HIDDEN), floats(dy, STEPS * LANES * HIDDEN));
        for (int i = 0; i < state.length; i++) {
            loss += dot(floats(kernel.lastState(i), LANES * HIDDEN), dLast[i]);
        }
        return loss;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    /** @return number of weights in R and of the peephole weights that follow them */
    static long recurrentParameterCount(CellType cell) {
        return cell.recurrentWeightCount(HIDDEN) + (cell == CellType.LSTM_PEEPHOLE ? 3 * HIDDEN : 0);
    }

    private static RecurrentKernel.Parameters parameters(CellType cell, SplittableRandom random) {
        return new RecurrentKernel.Parameters(
                vector((long) cell.blocks() * HIDDEN * INPUTS, random),
                vector(recurrentParameterCount(cell), random),
                vector((long) cell.biases() * HIDDEN, random));
    }

    private static RecurrentKernel.Parameters gradient(CellType cell) {
        return new RecurrentKernel.Parameters(
                new FloatPointer((long) cell.blocks() * HIDDEN * INPUTS),
                new FloatPointer(recurrentParameterCount(cell)),
                new FloatPointer((long) cell.biases() * HIDDEN));
    }

    private static FloatPointer vector(long size, SplittableRandom random) {
        float[] values = new float[Math.toIntExact(size)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-0.6, 0.6);
        }
        return new FloatPointer(values);
    }

    private static float[] floats(FloatPointer from, int length) {
        float[] floats = new float[length];
        from.get(floats);
        return floats;
    }
}
