package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.Phrases;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The next token of a text. */
record LanguageModel(Settings settings) implements Task {
    LanguageModel {
        Task.refuseAttention(settings);
    }

    @Override
    public List<String> vocabularies() {
        return List.of(Vocabularies.TOKENS);
    }

    @Override
    public Map<String, Vocabulary> startOfVocabularies() {
        return Map.of(Vocabularies.TOKENS, Tokenizer.of(settings.corpus()).vocabulary(Map.of()));
    }

    @Override
    public boolean scoresDependOnSymbols() {
        return hasUnknown();
    }

    @Override
    public NetworkShape network(Vocabularies vocabularies) {
        return new NetworkShape(
                settings.model(),
                vocabularies.tokens().size(),
                settings.training().optimizer(),
                settings.cluster().threads());
    }

    @Override
    public Optional<Examples> examples() {
        return Optional.empty();
    }

    @Override
    public Score score(Network network, Batch batch, int beam) {
        return new TextScore(network.evaluate(batch));
    }

    @Override
    public Map<String, Long> unknown(Batch batch) {
        return hasUnknown() ? Map.of(Targets.UNKNOWN_TOKENS, Targets.unknown(IntStream.of(batch.targets()))) : Map.of();
    }

    @Override
    public List<String> unknown(String prompt, Vocabularies vocabularies) {
        return hasUnknown()
                ? Phrases.unknown(Tokenizer.of(settings.corpus()), prompt, vocabularies.tokens())
                : List.of();
    }

    /** Characters and bytes are refused where training has not seen them. */
    private boolean hasUnknown() {
        return settings.corpus().tokenizer() == Settings.TokenizerName.WORD;
    }

    private record TextScore(Loss loss) implements Score {
        @Override
        public Score plus(Score other) {
            return new TextScore(loss.plus(other.loss()));
        }

        @Override
        public Map<String, Object> metrics(Vocabularies vocabularies) {
            Map<String, Object> metrics = new LinkedHashMap<>();
            metrics.put("tokens", loss.tokens());
            metrics.put("cross_entropy", loss.mean());
            metrics.put("bits_per_token", loss.mean() / Math.log(2));
            metrics.put("perplexity", Math.exp(loss.mean()));
            return metrics;
        }
    }

    /** Continues the prompt, token by token. */
    @Override
    public int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException {
        Vocabulary vocabulary = vocabularies.tokens();
        Tokenizer tokenizer = Tokenizer.of(settings.corpus());
        Tokenizer.Decoder decoder = tokenizer.decoder(vocabulary);
        int[] start = tokenizer.encode(prompt.ofText().text(), vocabulary);
        for (int token : start) {
            out.write(decoder.decode(token));
        }
        float[] logits = read(network, start.length > 0 ? start : new int[] {lineStart(vocabulary)});
        for (int i = 0; i < prompt.length(); i++) {
            int token = prompt.draw().applyAsInt(logits);
            out.write(decoder.decode(token));
            out.flush();
            logits = network.next(token);
        }
        return prompt.length();
    }

    @Override
    public List<String> samplePrompts() {
        return List.of("");
    }

    private static float[] read(Network network, int[] tokens) {
        float[] logits = null;
        for (int token : tokens) {
            logits = network.next(token);
        }
        return logits;
    }

    /** @return what stands before a line: its end, or the most frequent token where the text has no lines */
    private static int lineStart(Vocabulary vocabulary) {
        return Math.max(0, Math.max(vocabulary.id("\n"), vocabulary.id("<eos>")));
    }
}
