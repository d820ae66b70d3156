package io.unroll.model;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import java.util.stream.Stream;

/** Small networks, one for each cell. */
public final class TestShapes {
    private TestShapes() {}

    /** @return the settings that choose each cell, and tied embeddings; hidden is to be 5 */
    public static Stream<String> cells() {
        return Stream.of(
                "cell = lstm",
                "cell = lstm, peepholes = true",
                "cell = gru",
                "cell = gru, reset-after = true",
                "cell = rnn",
                "cell = rnn, activation = relu",
                "cell = lstm, tied = true, embedding = 5");
    }

    /** @param model settings of {@code model}, which stand above the rest */
    public static NetworkShape shape(int vocabulary, String model) {
        return shape(vocabulary, model, Settings.Optimizer.ADAM);
    }

    static NetworkShape shape(int vocabulary, String model, Settings.Optimizer optimizer) {
        String all = "run.directory = x, corpus.path = x, model { " + model + " }";
        return new NetworkShape(SettingsReader.parse(all, "test").model(), vocabulary, optimizer, 1);
    }
}
