package io.unroll.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.unroll.config.Settings;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels that reuse the memory of closed kernels, which here contains NaN. */
class KernelMemoryTest {
    private static final int HIDDEN = 5;
    private static final int INPUTS = 3;
    private static final int VOCABULARY = 11;

    @ParameterizedTest
    @MethodSource("io.unroll.kernel.RecurrentKernelTest#kernels")
    void recurrentKernelIgnoresTheContentOfReusedArrays(CellType cell, Settings.Recurrence recurrence) {
        boolean both = OneDnn.hasBfloat16() && recurrence == Settings.Recurrence.PRIMITIVES;
        for (boolean bfloat16 : both ? new boolean[] {false, true} : new boolean[] {false}) {
            try (KernelMemory fresh = new KernelMemory();
                    KernelMemory used = new KernelMemory()) {
                for (int steps : new int[] {9, 4, 7}) {
                    recurrent(shape(cell, steps, bfloat16), recurrence, used, Double.NaN);
                }
                RecurrentKernel.Shape shape = shape(cell, 6, bfloat16);
                assertArrayEquals(recurrent(shape, recurrence, fresh, 1), recurrent(shape, recurrence, used, 1));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void softmaxKernelIgnoresTheContentOfReusedArrays(boolean training) {
        try (KernelMemory fresh = new KernelMemory();
                KernelMemory used = new KernelMemory()) {
            softmax(17, training, used, Double.NaN);
            softmax(30, training, used, Double.NaN);
            assertArrayEquals(softmax(20, training, fresh, 1), softmax(20, training, used, 1));
        }
    }

    /** A kernel's arrays are not reused before it closes. */
    @ParameterizedTest
    @MethodSource("io.unroll.kernel.RecurrentKernelTest#kernels")
    void openKernelsDoNotShareArrays(CellType cell, Settings.Recurrence recurrence) {
        RecurrentKernel.Shape shape = shape(cell, 6, false);
        try (KernelMemory fresh = new KernelMemory();
                KernelMemory shared = new KernelMemory()) {
            recurrent(shape(cell, 9, false), recurrence, shared, 1);
            Pass pass = new Pass(shape, recurrence, shared, 1);
            pass.forward();
            recurrent(shape(cell, 5, false), recurrence, shared, Double.NaN);
            try (RecurrentKernel inference = RecurrentKernel.create(
                    new RecurrentKernel.Shape(cell, INPUTS, HIDDEN, 6, 2, false, false), recurrence, shared)) {
                inference.pack(pass.parameters);
                assertArrayEquals(recurrent(shape, recurrence, fresh, 1), pass.backward());
            }
        }
    }

    private static RecurrentKernel.Shape shape(CellType cell, int steps, boolean bfloat16) {
        return new RecurrentKernel.Shape(cell, INPUTS, HIDDEN, steps, 2, bfloat16, true);
    }

    /** @return outputs and gradients */
    private static float[] recurrent(
            RecurrentKernel.Shape shape, Settings.Recurrence recurrence, KernelMemory kernelMemory, double scale) {
        Pass pass = new Pass(shape, recurrence, kernelMemory, scale);
        pass.forward();
        return pass.backward();
    }

    /** Creates a kernel, runs it forward and backward on random numbers times {@code scale}, and closes it. */
    private static final class Pass {
        private final RecurrentKernel kernel;
        private final RecurrentKernel.Parameters parameters;
        private final RecurrentKernel.Parameters gradient;
        private final FloatPointer gradientVector;
        private final FloatPointer x;
        private final FloatPointer y;
        private final FloatPointer dy;
        private final float[][] state;

        Pass(RecurrentKernel.Shape shape, Settings.Recurrence recurrence, KernelMemory kernelMemory, double scale) {
            SplittableRandom random = new SplittableRandom(7);
            CellType cell = shape.cell();
            kernel = RecurrentKernel.create(shape, recurrence, kernelMemory);
            long rows = (long) shape.steps() * shape.lanes();
            long count = cell.parameterCount(INPUTS, HIDDEN);
            parameters = RecurrentKernel.Parameters.at(vector(count, random, scale), cell, INPUTS, HIDDEN);
            gradientVector = vector(count, random, 0);
            gradient = RecurrentKernel.Parameters.at(gradientVector, cell, INPUTS, HIDDEN);
            x = vector(rows * INPUTS, random, scale);
            y = vector(rows * HIDDEN, random, scale);
            dy = vector(rows * HIDDEN, random, scale);
            state = new float[cell.states()][];
            Arrays.setAll(state, i -> floats(vector((long) shape.lanes() * HIDDEN, random, scale)));
        }

        void forward() {
            kernel.pack(parameters);
            kernel.forward(x, y, state);
        }

        float[] backward() {
            FloatPointer dx = new FloatPointer(x.capacity());
            kernel.backward(dy, dx, gradient, new float[0][]);
            float[] result = joined(List.of(y, dx, gradientVector));
            kernel.close();
            return result;
        }
    }

    private static float[] softmax(int rows, boolean training, KernelMemory kernelMemory, double scale) {
        SplittableRandom random = new SplittableRandom(7);
        FloatPointer hidden = vector((long) rows * HIDDEN, random, scale);
        SoftmaxKernel.Parameters parameters = softmaxParameters(random, scale);
        SoftmaxKernel.Parameters gradient = softmaxParameters(random, 0);
        FloatPointer dHidden = vector((long) rows * HIDDEN, random, scale);
        int[] targets = random.ints(rows, 0, VOCABULARY).toArray();
        var shape = new SoftmaxKernel.Shape(HIDDEN, VOCABULARY, rows, false, training);
        try (SoftmaxKernel kernel = new SoftmaxKernel(shape, 0.1, kernelMemory)) {
            kernel.pack(parameters);
            if (!training) {
                return kernel.logits(hidden);
            }
            kernel.train(hidden, targets, new float[0], dHidden, gradient);
            return joined(List.of(dHidden, gradient.weights(), gradient.bias()));
        }
    }

    private static SoftmaxKernel.Parameters softmaxParameters(SplittableRandom random, double scale) {
        return new SoftmaxKernel.Parameters(
                vector((long) VOCABULARY * HIDDEN, random, scale), vector(VOCABULARY, random, scale));
    }

    private static FloatPointer vector(long size, SplittableRandom random, double scale) {
        float[] values = new float[Math.toIntExact(size)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (scale * random.nextDouble(-0.6, 0.6));
        }
        return new FloatPointer(values);
    }

    private static float[] floats(FloatPointer from) {
        float[] floats = new float[Math.toIntExact(from.capacity())];
        from.get(floats);
        return floats;
    }

    private static float[] joined(List<FloatPointer> arrays) {
        float[] joined = {};
        for (FloatPointer array : arrays) {
            float[] floats = floats(array);
            int start = joined.length;
            joined = Arrays.copyOf(joined, start + floats.length);
            System.arraycopy(floats, 0, joined, start, floats.length);
        }
        return joined;
    }
}
