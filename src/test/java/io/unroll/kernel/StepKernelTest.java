package io.unroll.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.config.Settings;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StepKernelTest {
    private record Size(int inputs, int hidden, int steps, int lanes) {}

    @ParameterizedTest
    @EnumSource
    void equalsThePrimitives(CellType cell) {
        for (Size size : new Size[] {
            new Size(3, 5, 4, 2),
            new Size(17, 33, 9, 7),
            new Size(16, 16, 1, 3),
            new Size(40, 24, 6, 1),
            new Size(1, 1, 1, 1)
        }) {
            for (boolean training : new boolean[] {true, false}) {
                for (boolean hasState : new boolean[] {true, false}) {
                    Map<String, float[]> expected =
                            arrays(cell, size, training, hasState, Settings.Recurrence.PRIMITIVES);
                    Map<String, float[]> actual = arrays(cell, size, training, hasState, Settings.Recurrence.STEPS);
                    assertEquals(expected.keySet(), actual.keySet());
                    expected.forEach((name, array) ->
                            assertClose(array, actual.get(name), cell + " " + size + " " + training + " " + name));
                }
            }
        }
    }

    private static void assertClose(float[] expected, float[] actual, String name) {
        assertEquals(expected.length, actual.length, name);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-5 * Math.abs(expected[i]) + 2e-6, name + " " + i);
        }
    }

    /** @return all results, after a pass of another kernel whose numbers are NaN in the same memory */
    private static Map<String, float[]> arrays(
            CellType cell, Size size, boolean training, boolean hasState, Settings.Recurrence recurrence) {
        var shape = new RecurrentKernel.Shape(cell, size.inputs, size.hidden, size.steps, size.lanes, false, training);
        try (KernelMemory kernelMemory = new KernelMemory()) {
            arrays(shape, hasState, recurrence, kernelMemory, Double.NaN);
            return arrays(shape, hasState, recurrence, kernelMemory, 1);
        }
    }

    private static Map<String, float[]> arrays(
            RecurrentKernel.Shape shape,
            boolean hasState,
            Settings.Recurrence recurrence,
            KernelMemory kernelMemory,
            double scale) {
        SplittableRandom random = new SplittableRandom(7);
        int rows = shape.steps() * shape.lanes();
        int count = Math.toIntExact(shape.cell().parameterCount(shape.inputs(), shape.hidden()));
        // Larger weights would make the network chaotic: it would amplify differences in rounding.
        FloatPointer parameters = new FloatPointer(random(count, random, scale * 2 / Math.sqrt(shape.hidden())));
        FloatPointer x = new FloatPointer(random(rows * shape.inputs(), random, scale));
        FloatPointer y = new FloatPointer((long) rows * shape.hidden());
        float[][] state = new float[hasState ? shape.cell().states() : 0][];
        Arrays.setAll(state, i -> random(shape.stateSize(), random, scale));
        Map<String, float[]> results = new LinkedHashMap<>();
        try (RecurrentKernel kernel = RecurrentKernel.create(shape, recurrence, kernelMemory)) {
            kernel.pack(at(parameters, shape));
            float[][] last = kernel.forward(x, y, state);
            results.put("y", floats(y));
            addAll(results, "last state", last);
            if (shape.training()) {
                parameters.put(new float[count]);
                FloatPointer dy = new FloatPointer(random(rows * shape.hidden(), random, scale));
                FloatPointer dx = new FloatPointer(x.capacity());
                FloatPointer gradient = new FloatPointer((long) count);
                kernel.backward(dy, dx, at(gradient, shape), state);
                results.put("dx", floats(dx));
                results.put("gradient", floats(gradient));
                addAll(results, "state gradient", kernel.stateGradient());
            }
        }
        return results;
    }

    private static RecurrentKernel.Parameters at(FloatPointer start, RecurrentKernel.Shape shape) {
        return RecurrentKernel.Parameters.at(start, shape.cell(), shape.inputs(), shape.hidden());
    }

    private static void addAll(Map<String, float[]> results, String name, float[][] arrays) {
        for (int i = 0; i < arrays.length; i++) {
            results.put(name + " " + i, arrays[i]);
        }
    }

    private static float[] random(int size, SplittableRandom random, double scale) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (scale * random.nextDouble(-0.6, 0.6));
        }
        return values;
    }

    private static float[] floats(FloatPointer from) {
        float[] floats = new float[Math.toIntExact(from.capacity())];
        from.get(floats);
        return floats;
    }

    @Test
    void activationsAreExactExceptForRounding() {
        float[] values = {Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, -1e30f, 1e30f, -0f, 1e-30f, -Float.MIN_VALUE
        };
        int special = values.length;
        values = Arrays.copyOf(values, special + 2_000_001);
        for (int i = special; i < values.length; i++) {
            values[i] = (i - special - 1_000_000) / 50_000f;
        }
        float[] tanh = values.clone();
        float[] sigmoid = values.clone();
        Activations.tanh(tanh);
        Activations.sigmoid(sigmoid);
        for (int i = 0; i < values.length; i++) {
            double expected = Math.tanh(values[i]);
            assertEquals(expected, tanh[i], 5e-7 * Math.abs(expected) + Float.MIN_VALUE, "tanh " + values[i]);
            assertEquals(1 / (1 + Math.exp(-values[i])), sigmoid[i], 3e-7, "sigmoid " + values[i]);
            assertTrue(Math.abs(tanh[i]) <= 1 && sigmoid[i] >= 0 && sigmoid[i] <= 1, "range of " + values[i]);
        }
        float[] nan = {Float.NaN};
        Activations.tanh(nan);
        assertTrue(Float.isNaN(nan[0]), "NaN must not become a number");
    }

    @Test
    void theDefaultIsStepsOnlyWherePrimitivesAreNotOptimized() {
        assertTrue(OneDnn.optimizesRecurrentLayers("amd64"));
        assertFalse(OneDnn.optimizesRecurrentLayers("aarch64"));
        var shape = new RecurrentKernel.Shape(CellType.LSTM, 3, 5, 4, 2, false, false);
        try (KernelMemory kernelMemory = new KernelMemory();
                RecurrentKernel kernel = RecurrentKernel.create(shape, Settings.Recurrence.AUTO, kernelMemory)) {
            boolean optimized = OneDnn.optimizesRecurrentLayers(System.getProperty("os.arch"));
            assertEquals(optimized, kernel instanceof PrimitiveKernel);
        }
    }
}
