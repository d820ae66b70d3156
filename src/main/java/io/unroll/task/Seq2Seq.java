package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Example;
import io.unroll.chunk.Sequence;
import io.unroll.chunk.SequenceType;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.config.SettingsReader;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.Row;
import io.unroll.text.SymbolCounters;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.commons.lang3.ArrayUtils;

/**
 * Maps a source text to a target text: the last state of an encoder is the initial state of a decoder (Sutskever et al.
 * 2014). The encoder reads the source in reverse, so the first source tokens are close to the first target tokens.
 */
record Seq2Seq(Settings settings) implements Task {
    private static final String SOURCE = "source";
    private static final String TARGET = "target";

    @Override
    public List<String> vocabularies() {
        return List.of(Vocabularies.TOKENS, SOURCE);
    }

    @Override
    public Map<String, Vocabulary> vocabularyPrefixes() {
        return Map.of(Vocabularies.TOKENS, targets().untrained(), SOURCE, sources());
    }

    @Override
    public NetworkShape network(Vocabularies vocabularies) {
        NetworkShape decoder = new NetworkShape(settings, vocabularies.tokens().size());
        return decoder.withSource(
                SettingsReader.override(settings, List.of("model.tied=false")).model(),
                vocabularies.of(SOURCE).size());
    }

    private Tokenizer sources() {
        return Tokenizer.ofField(settings.corpus().tokenizer());
    }

    private TargetSequences targets() {
        return TargetSequences.of(settings.corpus(), settings.corpus().targetTokenizer(), 0);
    }

    @Override
    public Optional<Examples> examples() {
        return Optional.of(new PairExamples(sources(), targets()));
    }

    private record PairExamples(Tokenizer sources, TargetSequences targets) implements TargetSequences.TargetExamples {
        @Override
        public List<String> columns() {
            return List.of(SOURCE, TARGET);
        }

        @Override
        public void count(Row row, SymbolCounters counters) {
            sources.count(row.value(SOURCE), counters.of(SOURCE));
            targets.untrained().count(row.value(TARGET), counters.of(Vocabularies.TOKENS));
        }

        @Override
        public Vocabularies vocabularies(Map<String, Map<String, Long>> counts) {
            Map<String, Vocabulary> vocabularies = new LinkedHashMap<>();
            vocabularies.put(Vocabularies.TOKENS, targets.train(counts.get(Vocabularies.TOKENS)));
            vocabularies.put(SOURCE, sources.train(counts.get(SOURCE), targets.corpus()));
            return new Vocabularies(vocabularies);
        }

        @Override
        public Example encode(Row row, Sequence content, Vocabularies vocabularies) {
            int[] source = reverse(vocabularies.tokenizer(SOURCE).encode(row.value(SOURCE)));
            int[] target = TargetSequences.tokens(row.value(TARGET), vocabularies.tokens());
            return new Example(new Sequence.Tokens(source), target);
        }

        @Override
        public Example.Type type(Vocabularies vocabularies) {
            return new Example.Type(
                    SequenceType.tokens(vocabularies.of(SOURCE).size()),
                    SequenceType.tokens(vocabularies.tokens().size()));
        }

        @Override
        public List<Object> cacheKey() {
            return List.of(sources.key(targets.corpus()), "reversed", targets.key());
        }

        @Override
        public String group(Row row) {
            return row.value(SOURCE);
        }

        @Override
        public int steps(int source, int target) {
            return Math.max(source, targets.steps(target));
        }

        /** Sorts by source length first: the encoder reads sources of equal length together. */
        @Override
        public long bucketKey(Example example) {
            return ((long) example.source().length() << Integer.SIZE) + example.target().length;
        }
    }

    private static int[] reverse(int[] tokens) {
        ArrayUtils.reverse(tokens);
        return tokens;
    }

    /** Limits the output of a decoder that has not learned to emit the end token. */
    private static int maxTokens(int[] source) {
        return 5 * source.length + 50;
    }

    @Override
    public int[] textTokens(String text, Vocabularies vocabularies) {
        return reverse(vocabularies.tokenizer(SOURCE).encode(text));
    }

    @Override
    public List<Answer> answers(Network network, int[][] sources, int beam) {
        return TargetSequences.search(beam).inFixedLanes().decode(network, sources, maxTokens(sources));
    }

    private static int[] maxTokens(int[][] sources) {
        return Arrays.stream(sources).mapToInt(Seq2Seq::maxTokens).toArray();
    }

    @Override
    public Score score(Network network, Batch batch, int beam) {
        Loss loss = network.evaluate(batch);
        List<Answer> answers =
                TargetSequences.search(beam).decode(network, batch.sources(), maxTokens(batch.sources()));
        Map<String, SequenceScore.Errors> errors = new HashMap<>();
        for (int lane = 0; lane < batch.lanes(); lane++) {
            int[] reference = targets().reference(batch, lane);
            errors.merge(
                    sourceKey(batch.sources()[lane], reference),
                    SequenceScore.Errors.between(reference, answers.get(lane).tokens()),
                    SequenceScore.Errors::min);
        }
        return new SequenceScore(loss, errors);
    }

    @Override
    public Map<String, Long> unknownTokens(Batch batch) {
        return Map.of(
                TargetSequences.UNKNOWN_TOKENS,
                TargetSequences.unknownTokens(IntStream.of(batch.targets())),
                "unknown_source_tokens",
                TargetSequences.unknownTokens(Arrays.stream(batch.sources()).flatMapToInt(IntStream::of)));
    }

    @Override
    public List<String> unknownTokens(String prompt, Vocabularies vocabularies) {
        return vocabularies.tokenizer(SOURCE).unknownSymbols(prompt);
    }

    /**
     * @return a key that groups references by source. Different sources with {@code <unk>} can have the
     *     same tokens, so the key of such a source includes the reference.
     */
    private static String sourceKey(int[] tokens, int[] reference) {
        String key = Arrays.toString(tokens);
        return ArrayUtils.contains(tokens, TargetSequences.UNKNOWN_TOKEN) ? key + Arrays.toString(reference) : key;
    }

    /** Writes the most probable target. */
    @Override
    public int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException {
        int[] source = textTokens(prompt.requireTextOnly().text(), vocabularies);
        if (source.length == 0) {
            throw new ConfigurationException("there is no source text: give it with --prompt.");
        }
        int[] answer = TargetSequences.search(prompt.beam())
                .decode(network, new int[][] {source}, new int[] {maxTokens(source)})
                .get(0)
                .tokens();
        out.write(vocabularies.tokens().decode(answer).getBytes(StandardCharsets.UTF_8));
        return answer.length;
    }

    @Override
    public boolean usesBeamSearch() {
        return true;
    }
}
