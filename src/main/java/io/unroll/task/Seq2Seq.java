package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.FieldTokenizer;
import io.unroll.text.Row;
import io.unroll.text.RowFiles;
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
import java.util.TreeMap;
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
        return Map.of(
                Vocabularies.TOKENS,
                targets().vocabulary(Map.of()),
                SOURCE,
                sources().vocabulary(Map.of()));
    }

    @Override
    public boolean scoresDependOnSymbols() {
        return true;
    }

    @Override
    public NetworkShape network(Vocabularies vocabularies) {
        int targets = vocabularies.tokens().size();
        Settings.Optimizer optimizer = settings.training().optimizer();
        int threads = settings.cluster().threads();
        NetworkShape encoder = new NetworkShape(
                settings.model().untied(),
                vocabularies.of(SOURCE).size(),
                0,
                NetworkShape.PoolingMode.NONE,
                null,
                optimizer,
                threads);
        return new NetworkShape(
                settings.model(), targets, targets, NetworkShape.PoolingMode.NONE, encoder, optimizer, threads);
    }

    private FieldTokenizer sources() {
        return FieldTokenizer.of(settings.corpus(), settings.corpus().tokenizer());
    }

    private TargetSequences targets() {
        return new TargetSequences(
                FieldTokenizer.of(settings.corpus(), settings.corpus().targetTokenizer()), 0);
    }

    @Override
    public Optional<Examples> examples() {
        return Optional.of(new PairExamples(sources(), targets()));
    }

    private record PairExamples(FieldTokenizer sources, TargetSequences targets) implements Examples {
        @Override
        public List<String> columns() {
            return List.of(SOURCE, TARGET);
        }

        @Override
        public int[] read(Row row, RowFiles files) {
            TargetSequences.nonBlankValue(row, SOURCE);
            TargetSequences.nonBlankValue(row, TARGET);
            return new int[0];
        }

        @Override
        public void count(Row row, Map<String, Map<String, Long>> counts) {
            sources.count(
                    TargetSequences.nonBlankValue(row, SOURCE),
                    counts.computeIfAbsent(SOURCE, name -> new TreeMap<>()));
            targets.tokenizer()
                    .count(
                            TargetSequences.nonBlankValue(row, TARGET),
                            counts.computeIfAbsent(Vocabularies.TOKENS, name -> new TreeMap<>()));
        }

        @Override
        public Vocabularies vocabularies(Map<String, Map<String, Long>> counts) {
            Map<String, Vocabulary> vocabularies = new LinkedHashMap<>();
            vocabularies.put(Vocabularies.TOKENS, targets.vocabulary(counts.get(Vocabularies.TOKENS)));
            vocabularies.put(SOURCE, sources.vocabulary(counts.get(SOURCE)));
            return new Vocabularies(vocabularies);
        }

        @Override
        public int[] encode(Row row, int[] content, Vocabularies vocabularies) {
            int[] source = reverse(sources.encode(TargetSequences.nonBlankValue(row, SOURCE), vocabularies.of(SOURCE)));
            return targets.example(source, TargetSequences.nonBlankValue(row, TARGET), vocabularies.tokens());
        }

        @Override
        public boolean isExample(int[] example, Vocabularies vocabularies) {
            return targets.isExample(example, vocabularies.tokens())
                    && vocabularies.of(SOURCE).hasTokens(example, 1, 1 + example[0]);
        }

        @Override
        public List<Object> cacheKey() {
            return List.of(sources, "reversed", targets.tokenizer());
        }

        @Override
        public String group(Row row) {
            return row.value(SOURCE);
        }

        @Override
        public int steps(int[] example) {
            return Math.max(example[0], targets.steps(example));
        }

        /** Sorts by source length first: the encoder reads sources of equal length together. */
        @Override
        public long bucketKey(int[] example) {
            return ((long) example[0] << Integer.SIZE) + targets.steps(example);
        }

        @Override
        public Batch batch(List<int[]> examples) {
            return targets.batch(examples);
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
    public Score score(Network network, Batch batch, int beam) {
        Loss loss = network.evaluate(batch);
        int[] maxTokens =
                Arrays.stream(batch.sources()).mapToInt(Seq2Seq::maxTokens).toArray();
        List<int[]> answers = TargetSequences.search(beam).decode(network, batch.sources(), maxTokens);
        Map<String, SequenceScore.Errors> errors = new HashMap<>();
        for (int lane = 0; lane < batch.lanes(); lane++) {
            int[] reference = targets().reference(batch, lane);
            errors.merge(
                    sourceKey(batch.sources()[lane], reference),
                    SequenceScore.Errors.between(reference, answers.get(lane)),
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
        return sources().unknownSymbols(prompt, vocabularies.of(SOURCE));
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
        int[] source = reverse(sources().encode(prompt.requireTextOnly().text(), vocabularies.of(SOURCE)));
        if (source.length == 0) {
            throw new ConfigurationException("there is no source text: give it with --prompt.");
        }
        int[] answer = TargetSequences.search(prompt.beam())
                .decode(network, new int[][] {source}, new int[] {maxTokens(source)})
                .get(0);
        out.write(targets().tokenizer().decode(answer, vocabularies.tokens()).getBytes(StandardCharsets.UTF_8));
        return answer.length;
    }

    @Override
    public boolean usesBeamSearch() {
        return true;
    }

    @Override
    public List<String> samplePrompts() {
        return List.of();
    }
}
