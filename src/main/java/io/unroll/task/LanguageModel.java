package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.FieldTokenizer;
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

/** Predicts the next token of a text. */
record LanguageModel(Settings settings) implements Task {
    LanguageModel {
        Task.refuseAttention(settings);
    }

    @Override
    public List<String> vocabularies() {
        return List.of(Vocabularies.TOKENS);
    }

    @Override
    public Map<String, Vocabulary> vocabularyPrefixes() {
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
    public Map<String, Long> unknownTokens(Batch batch) {
        return hasUnknown()
                ? Map.of(TargetSequences.UNKNOWN_TOKENS, TargetSequences.unknownTokens(IntStream.of(batch.targets())))
                : Map.of();
    }

    @Override
    public List<String> unknownTokens(String prompt, Vocabularies vocabularies) {
        return hasUnknown()
                ? FieldTokenizer.unknownSymbols(Tokenizer.of(settings.corpus()), prompt, vocabularies.tokens())
                : List.of();
    }

    /** Only the word tokenizer has an unknown token; an unknown character is an error, and all bytes are known. */
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

    /** Writes the prompt and its continuation, token by token. */
    @Override
    public int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException {
        Vocabulary vocabulary = vocabularies.tokens();
        Tokenizer tokenizer = Tokenizer.of(settings.corpus());
        Tokenizer.Decoder decoder = tokenizer.decoder(vocabulary);
        int[] promptTokens = tokenizer.encode(prompt.requireTextOnly().text(), vocabulary);
        for (int token : promptTokens) {
            out.write(decoder.decode(token));
        }
        float[] logits = feed(network, promptTokens.length > 0 ? promptTokens : new int[] {lineStartToken(vocabulary)});
        for (int i = 0; i < prompt.length(); i++) {
            int token = prompt.sampler().applyAsInt(logits);
            out.write(decoder.decode(token));
            out.flush();
            logits = network.nextLogits(token);
        }
        return prompt.length();
    }

    @Override
    public List<String> samplePrompts() {
        return List.of("");
    }

    /** @return the logits after the last token */
    private static float[] feed(Network network, int[] tokens) {
        float[] logits = null;
        for (int token : tokens) {
            logits = network.nextLogits(token);
        }
        return logits;
    }

    /** @return the end-of-line token, which precedes a new line; the most frequent token if there is none */
    private static int lineStartToken(Vocabulary vocabulary) {
        return Math.max(0, Math.max(vocabulary.id("\n"), vocabulary.id("<eos>")));
    }
}
