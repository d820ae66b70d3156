package io.unroll.checkpoint;

import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.task.Task;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import io.unroll.train.FloatArray;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Small models of every task, untrained. */
final class TestModels {
    private TestModels() {}

    static Settings settings(String more) {
        return SettingsReader.parse(
                "run.directory = r, corpus { path = t, images = i }, run.seed = 7, model { hidden = 3, layers = 1 }\n"
                        + more,
                "test");
    }

    /** @param symbols that each vocabulary has beside those that its task always has */
    static Model model(Settings settings, String... symbols) {
        Task task = Task.of(settings);
        Map<String, Vocabulary> all = new HashMap<>();
        task.startOfVocabularies().forEach((name, start) -> {
            List<String> own = new ArrayList<>(start.symbols());
            own.addAll(List.of(symbols));
            all.put(name, new Vocabulary(start.tokenizer(), own));
        });
        Vocabularies vocabularies = new Vocabularies(all);
        NetworkShape shape = task.network(vocabularies);
        try (Network network = new Network(shape, settings.run().seed())) {
            return model(settings, vocabularies, network.parameters(), network.optimizerState());
        }
    }

    static Model model(Settings settings, Vocabularies vocabularies, float[] parameters, float[] optimizerState) {
        Manifest manifest = new Manifest(
                Versions.all(),
                settings.run().seed(),
                "hash",
                vocabularies.tokens().size(),
                parameters.length,
                1,
                2,
                3,
                1.5,
                null,
                vocabularies.checksum(),
                FloatArray.checksum(parameters));
        return new Model(manifest, settings, vocabularies, parameters, optimizerState);
    }
}
