package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.model.Loss;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.Phrases;
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
 * A sequence after another: an encoder, which reads from the last token to the first, and whose last state starts a
 * decoder (Sutskever et al. 2014). What the decoder writes first is then near to what the encoder has just read.
 */
record Seq2Seq(Settings settings) implements Task {
    private static final String SOURCE = "source";
    private static final String TARGET = "target";

    @Override
    public List<String> vocabularies() {
        return List.of(Vocabularies.TOKENS, SOURCE);
    }

    @Override
    public Map<String, Vocabulary> startOfVocabularies() {
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
                NetworkShape.Pooling.NONE,
                null,
                optimizer,
                threads);
        return new NetworkShape(
                settings.model(), targets, targets, NetworkShape.Pooling.NONE, encoder, optimizer, threads);
    }

    private Phrases sources() {
        return Phrases.of(settings.corpus(), settings.corpus().tokenizer());
    }

    private Targets targets() {
        return new Targets(Phrases.of(settings.corpus(), settings.corpus().targetTokenizer()), 0);
    }

    @Override
    public Optional<Examples> examples() {
        return Optional.of(new Pairs(sources(), targets()));
    }

    private record Pairs(Phrases sources, Targets targets) implements Examples {
        @Override
        public List<String> columns() {
            return List.of(SOURCE, TARGET);
        }

        @Override
        public int[] read(Row row, RowFiles files) {
            Targets.value(row, SOURCE);
            Targets.value(row, TARGET);
            return new int[0];
        }

        @Override
        public void count(Row row, Map<String, Map<String, Long>> counts) {
            sources.count(Targets.value(row, SOURCE), counts.computeIfAbsent(SOURCE, name -> new TreeMap<>()));
            targets.phrases()
                    .count(
                            Targets.value(row, TARGET),
                            counts.computeIfAbsent(Vocabularies.TOKENS, name -> new TreeMap<>()));
        }

        @Override
        public Vocabularies vocabularies(Map<String, Map<String, Long>> counts) {
            Map<String, Vocabulary> all = new LinkedHashMap<>();
            all.put(Vocabularies.TOKENS, targets.vocabulary(counts.get(Vocabularies.TOKENS)));
            all.put(SOURCE, sources.vocabulary(counts.get(SOURCE)));
            return new Vocabularies(all);
        }

        @Override
        public int[] encode(Row row, int[] read, Vocabularies vocabularies) {
            int[] source = reversed(sources.encode(Targets.value(row, SOURCE), vocabularies.of(SOURCE)));
            return targets.example(source, Targets.value(row, TARGET), vocabularies.tokens());
        }

        @Override
        public boolean isExample(int[] example, Vocabularies vocabularies) {
            return targets.isExample(example, vocabularies.tokens())
                    && vocabularies.of(SOURCE).hasTokens(example, 1, 1 + example[0]);
        }

        @Override
        public List<Object> key() {
            return List.of(sources, "reversed", targets.phrases());
        }

        @Override
        public String group(Row row) {
            return row.value(SOURCE);
        }

        @Override
        public int steps(int[] example) {
            return Math.max(example[0], targets.steps(example));
        }

        /** Sources of equal length are read together. */
        @Override
        public long likeness(int[] example) {
            return ((long) example[0] << Integer.SIZE) + targets.steps(example);
        }

        @Override
        public Batch batch(List<int[]> examples) {
            return targets.batch(examples);
        }
    }

    private static int[] reversed(int[] tokens) {
        ArrayUtils.reverse(tokens);
        return tokens;
    }

    /** Where a decoder has not learnt to end. */
    private static int mostTokens(int[] source) {
        return 5 * source.length + 50;
    }

    @Override
    public Score score(Network network, Batch batch, int beam) {
        Loss loss = network.evaluate(batch);
        int[] most =
                Arrays.stream(batch.sources()).mapToInt(Seq2Seq::mostTokens).toArray();
        List<int[]> answers = Targets.search(beam).decode(network, batch.sources(), most);
        Map<String, SequenceScore.Errors> errors = new HashMap<>();
        for (int lane = 0; lane < batch.lanes(); lane++) {
            int[] reference = targets().reference(batch, lane);
            errors.merge(
                    source(batch.sources()[lane], reference),
                    SequenceScore.Errors.between(reference, answers.get(lane)),
                    SequenceScore.Errors::nearer);
        }
        return new SequenceScore(loss, errors);
    }

    @Override
    public Map<String, Long> unknown(Batch batch) {
        return Map.of(
                Targets.UNKNOWN_TOKENS,
                Targets.unknown(IntStream.of(batch.targets())),
                "unknown_source_tokens",
                Targets.unknown(Arrays.stream(batch.sources()).flatMapToInt(IntStream::of)));
    }

    @Override
    public List<String> unknown(String prompt, Vocabularies vocabularies) {
        return sources().unknown(prompt, vocabularies.of(SOURCE));
    }

    /** @return the same for what has the same source: where tokens are unknown, and sources may differ, and the same target */
    private static String source(int[] tokens, int[] reference) {
        String source = Arrays.toString(tokens);
        return ArrayUtils.contains(tokens, Targets.UNKNOWN_TOKEN) ? source + Arrays.toString(reference) : source;
    }

    /** Writes the most probable target. */
    @Override
    public int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException {
        int[] source = reversed(sources().encode(prompt.ofText().text(), vocabularies.of(SOURCE)));
        if (source.length == 0) {
            throw new ConfigurationException("there is no source to answer: give one by --prime.");
        }
        int[] answer = Targets.search(prompt.beam())
                .decode(network, new int[][] {source}, new int[] {mostTokens(source)})
                .get(0);
        out.write(targets().phrases().decode(answer, vocabularies.tokens()).getBytes(StandardCharsets.UTF_8));
        return answer.length;
    }

    @Override
    public boolean searches() {
        return true;
    }

    @Override
    public List<String> samplePrompts() {
        return List.of();
    }
}
