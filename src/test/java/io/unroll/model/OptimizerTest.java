package io.unroll.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.unroll.config.Settings;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;

class OptimizerTest {
    private static final int SIZE = 5_003;

    @ParameterizedTest
    @EnumSource
    void updatesParametersAndStateLikeDeeplearning4j(Settings.Optimizer kind) {
        OptimizerStep optimizer = new OptimizerStep(kind, SIZE);
        float[] initial = optimizer.initialState();
        FloatPointer parameters = new FloatPointer(new float[SIZE]);
        FloatPointer state = new FloatPointer(initial.length == 0 ? new float[1] : initial);
        IUpdater stock = Configurations.updater(kind);
        INDArray stockState = initial.length == 0 ? null : Nd4j.zeros(DataType.FLOAT, 1, initial.length);
        GradientUpdater<?> updater = stock.instantiate(stockState, true);
        INDArray stockParameters = Nd4j.zeros(DataType.FLOAT, 1, SIZE);
        SplittableRandom random = new SplittableRandom(1);
        for (int iteration = 0; iteration < 5; iteration++) {
            float[] gradient = gradient(random);
            double rate = 0.01 * (iteration + 1);
            optimizer.step(parameters, new FloatPointer(gradient), state, 0.5f, rate, iteration);
            INDArray update = Nd4j.createFromArray(gradient).reshape(1, SIZE).mul(0.5);
            stock.setLrAndSchedule(rate, null);
            updater.applyUpdater(update, iteration, 0);
            stockParameters.subi(update);
        }
        assertArrayEquals(stockParameters.data().asFloat(), floats(parameters, SIZE), 1e-5f);
        if (stockState != null) {
            assertArrayEquals(stockState.data().asFloat(), floats(state, initial.length), 1e-5f);
        }
    }

    private static float[] gradient(SplittableRandom random) {
        float[] gradient = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            gradient[i] = (float) random.nextDouble(-1, 1);
        }
        return gradient;
    }

    private static float[] floats(FloatPointer from, int length) {
        float[] floats = new float[length];
        from.get(floats);
        return floats;
    }
}
