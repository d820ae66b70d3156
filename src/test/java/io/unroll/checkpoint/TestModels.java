package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.task.Task;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes small untrained models of any task. */
final class TestModels {
    private TestModels() {}

    static Settings settings(String extraSettings) {
        return SettingsReader.parse(
                "run.directory = r, corpus { path = t, images = i }, run.seed = 7, model { hidden = 3, layers = 1 }\n"
                        + extraSettings,
                "test");
    }

    /** @param symbols symbols of each vocabulary, after the special symbols of the task */
    static TrainedModel model(Settings settings, String... symbols) {
        Task task = Task.of(settings);
        Map<String, Vocabulary> byName = new HashMap<>();
        task.vocabularyPrefixes().forEach((name, prefix) -> {
            List<String> allSymbols = new ArrayList<>(prefix.symbols());
            allSymbols.addAll(List.of(symbols));
            byName.put(
                    name,
                    prefix instanceof Tokenizer
                            ? Tokenizer.of(prefix.kind(), allSymbols)
                            : new Vocabulary(null, allSymbols));
        });
        Vocabularies vocabularies = new Vocabularies(byName);
        NetworkShape shape = task.network(vocabularies);
        try (Network network = new Network(shape, settings.run().seed())) {
            return model(settings, vocabularies, network.parameters(), network.optimizerState());
        }
    }

    static TrainedModel model(
            Settings settings, Vocabularies vocabularies, float[] parameters, float[] optimizerState) {
        Manifest manifest = new Manifest("hash", 1, 2, 3, 1.5, null);
        return new TrainedModel(manifest, settings, vocabularies, parameters, optimizerState);
    }
}
