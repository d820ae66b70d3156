package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.util.List;
import java.util.Map;

class LanguageModelTest extends TaskContract {
    private static final String TEXT = "abcaabbc";

    @Override
    String settings() {
        return "task = language-model";
    }

    @Override
    Vocabularies vocabularies() {
        return new Vocabularies(
                Map.of(Vocabularies.TOKENS, new Vocabulary(Settings.TokenizerName.CHAR, List.of("a", "b", "c"))));
    }

    /** Two lanes of two chunks. The token after an "a" depends on the tokens before it. */
    @Override
    List<Batch> batches() {
        int[] tokens = TEXT.chars().map(c -> c - 'a').toArray();
        return List.of(chunk(tokens, 0), chunk(tokens, 3));
    }

    private static Batch chunk(int[] tokens, int from) {
        int[] inputs = new int[6];
        int[] targets = new int[6];
        for (int i = 0; i < 3; i++) {
            inputs[i] = tokens[from + i];
            targets[i] = tokens[from + i + 1];
            inputs[3 + i] = tokens[(from + i + 4) % TEXT.length()];
            targets[3 + i] = tokens[(from + i + 5) % TEXT.length()];
        }
        return new Batch(2, 3, inputs, targets);
    }

    @Override
    Prompt prompt() {
        return prompt("ab", null);
    }

    @Override
    boolean isPerfect(Map<String, Object> metrics) {
        return (double) metrics.get("cross_entropy") < 0.2;
    }
}
