package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.config.Settings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LearningRateTest {
    @ParameterizedTest
    @CsvSource({
        "CONSTANT, 0.7, 0.1",
        "LINEAR, 0, 0.1",
        "LINEAR, 0.25, 0.075",
        "COSINE, 0, 0.1",
        "COSINE, 0.5, 0.05",
    })
    void followsTheSchedule(Settings.Schedule schedule, double progress, double expected) {
        var training = new Settings.Training(1, 1, 1, Settings.Optimizer.ADAM, 0.1, schedule, 0, 0);

        assertEquals(expected, LearningRate.at(progress, training), 1e-12);
    }
}
