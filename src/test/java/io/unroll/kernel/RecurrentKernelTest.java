package io.unroll.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.config.Settings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecurrentKernelTest {
    private static final int INPUTS = 3;
    private static final int HIDDEN = 5;
    private static final int STEPS = 4;
    private static final int LANES = 2;

    /** @return each cell with each implementation */
    static Stream<Arguments> kernels() {
        return Stream.of(CellType.values())
                .flatMap(cell -> Stream.of(Settings.Recurrence.PRIMITIVES, Settings.Recurrence.STEPS)
                        .map(recurrence -> Arguments.of(cell, recurrence)));
    }

    /** A decoder needs these gradients: it starts from the last state of an encoder. */
    @ParameterizedTest
    @MethodSource("kernels")
    void gradientFlowsFromTheLastStateToTheInitialState(CellType cell, Settings.Recurrence recurrence) {
        SplittableRandom random = new SplittableRandom(7);
        var shape = new RecurrentKernel.Shape(cell, INPUTS, HIDDEN, STEPS, LANES, false, true);
        int size = LANES * HIDDEN;
        try (KernelMemory kernelMemory = new KernelMemory();
                RecurrentKernel kernel = RecurrentKernel.create(shape, recurrence, kernelMemory)) {
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
            kernel.backward(dy, new FloatPointer((long) STEPS * LANES * INPUTS), gradient(cell), dLast);
            for (int i = 0; i < cell.states(); i++) {
                float[] gradient = kernel.stateGradient()[i];
                for (int unit = 0; unit < size; unit++) {
                    double numerical = slope(kernel, x, y, dy, state, dLast, i, unit);
                    assertEquals(numerical, gradient[unit], 2e-3, cell + " state " + i + " unit " + unit);
                }
            }
        }
    }

    /** Even if an earlier pass of the same kernel had others. */
    @ParameterizedTest
    @MethodSource("kernels")
    void noStateAndNoGradientOfItMeanZero(CellType cell, Settings.Recurrence recurrence) {
        SplittableRandom random = new SplittableRandom(7);
        var shape = new RecurrentKernel.Shape(cell, INPUTS, HIDDEN, STEPS, LANES, false, true);
        try (KernelMemory kernelMemory = new KernelMemory();
                RecurrentKernel kernel = RecurrentKernel.create(shape, recurrence, kernelMemory)) {
            kernel.pack(parameters(cell, random));
            FloatPointer x = vector((long) STEPS * LANES * INPUTS, random);
            FloatPointer dy = vector((long) STEPS * LANES * HIDDEN, random);
            float[][] ones = new float[cell.states()][LANES * HIDDEN];
            Stream.of(ones).forEach(array -> Arrays.fill(array, 1));

            List<float[]> ofOnes = pass(kernel, x, dy, ones);
            List<float[]> ofNone = pass(kernel, x, dy, new float[0][]);
            List<float[]> ofZeros = pass(kernel, x, dy, new float[cell.states()][LANES * HIDDEN]);

            assertArrayEquals(ofZeros.toArray(), ofNone.toArray());
            assertFalse(Arrays.deepEquals(ofOnes.toArray(), ofNone.toArray()));
            assertThrows(IllegalStateException.class, () -> pass(kernel, x, dy, new float[cell.states()][HIDDEN]));
        }
    }

    /** @return the last state and the gradient with respect to the initial state */
    private static List<float[]> pass(RecurrentKernel kernel, FloatPointer x, FloatPointer dy, float[][] state) {
        List<float[]> result = new ArrayList<>();
        try (FloatPointer y = new FloatPointer((long) STEPS * LANES * HIDDEN);
                FloatPointer dx = new FloatPointer((long) STEPS * LANES * INPUTS)) {
            result.addAll(List.of(kernel.forward(x, y, state)));
            kernel.backward(dy, dx, gradient(kernel.shape().cell()), state);
            result.addAll(List.of(kernel.stateGradient()));
        }
        return result;
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
        float[][] last = kernel.forward(x, y, state);
        double loss = dot(floats(y, STEPS * LANES * HIDDEN), floats(dy, STEPS * LANES * HIDDEN));
        for (int i = 0; i < state.length; i++) {
            loss += dot(last[i], dLast[i]);
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

    private static RecurrentKernel.Parameters parameters(CellType cell, SplittableRandom random) {
        return RecurrentKernel.Parameters.at(vector(cell.parameterCount(INPUTS, HIDDEN), random), cell, INPUTS, HIDDEN);
    }

    private static RecurrentKernel.Parameters gradient(CellType cell) {
        return RecurrentKernel.Parameters.at(
                new FloatPointer(cell.parameterCount(INPUTS, HIDDEN)), cell, INPUTS, HIDDEN);
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
