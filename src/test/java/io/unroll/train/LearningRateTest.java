package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
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
        "STEP, 0.19, 0.1",
        "STEP, 0.2, 0.08",
        "STEP, 0.45, 0.0512",
        "PLATEAU, 0.9, 0.064",
    })
    void followsTheSchedule(Settings.Schedule schedule, double progress, double expected) {
        Settings.Training training = SettingsReader.parse(
                        "run.directory = r, corpus.path = t, training { learning-rate = 0.1, decay = 0.8, decay-after = 2, "
                                + "schedule = " + schedule + " }",
                        "test")
                .training();

        assertEquals(expected, LearningRate.at(progress, (int) (10 * progress), 2, training), 1e-12);
    }
}
