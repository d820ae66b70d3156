package io.unroll.model;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import java.util.stream.Stream;

/** Shapes of small networks. */
public final class TestShapes {
    private TestShapes() {}

    /** @return model settings of each cell type, and of tied embeddings, for which hidden must be 5 */
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

    /** @param model settings of the section {@code model}; the others have their defaults */
    public static NetworkShape shape(int vocabulary, String model) {
        return shape(vocabulary, model, Settings.Optimizer.ADAM);
    }

    static NetworkShape shape(int vocabulary, String model, Settings.Optimizer optimizer) {
        String settings = "run.directory = x, corpus.path = x, model { " + model + " }";
        return new NetworkShape(SettingsReader.parse(settings, "test").model(), vocabulary, optimizer, 1);
    }
}
