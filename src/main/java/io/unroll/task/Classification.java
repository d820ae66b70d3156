package io.unroll.task;

import io.unroll.chunk.Batch;
import io.unroll.chunk.Example;
import io.unroll.chunk.Sequence;
import io.unroll.chunk.SequenceType;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import io.unroll.model.Network;
import io.unroll.model.NetworkShape;
import io.unroll.text.MalformedRowException;
import io.unroll.text.Row;
import io.unroll.text.SymbolCounters;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import io.unroll.text.Vocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Predicts the label of a text (many-to-one). */
record Classification(Settings settings) implements Task {
    private static final String TEXT = "text";
    private static final String LABEL = "label";
    static final String LABELS = "labels";

    Classification {
        Task.refuseAttention(settings);
        if (settings.model().tied()) {
            throw new ConfigurationException("model.tied is true; it must be false for task = classification, whose"
                    + " outputs are labels, not tokens.");
        }
    }

    @Override
    public List<String> vocabularies() {
        return List.of(Vocabularies.TOKENS, LABELS);
    }

    @Override
    public Map<String, Vocabulary> vocabularyPrefixes() {
        return Map.of(Vocabularies.TOKENS, tokenizer(), LABELS, new Vocabulary(null, List.of()));
    }

    @Override
    public NetworkShape network(Vocabularies vocabularies) {
        return new NetworkShape(
                settings.model(),
                vocabularies.tokens().size(),
                vocabularies.of(LABELS).size(),
                true,
                settings.training().optimizer(),
                settings.cluster().threads());
    }

    @Override
    public Optional<Examples> examples() {
        return Optional.of(new LabelledExamples(tokenizer(), settings.corpus()));
    }

    private Tokenizer tokenizer() {
        return Tokenizer.ofField(settings.corpus().tokenizer());
    }

    /** The source of an example is the text, its target is the label. */
    private record LabelledExamples(Tokenizer untrained, Settings.Corpus corpus) implements Examples {
        @Override
        public List<String> columns() {
            return List.of(TEXT, LABEL);
        }

        @Override
        public void count(Row row, SymbolCounters counters) {
            untrained.count(row.value(TEXT), counters.of(Vocabularies.TOKENS));
            counters.of(LABELS).add(label(row));
        }

        private static String label(Row row) {
            return row.value(LABEL).strip();
        }

        @Override
        public Vocabularies vocabularies(Map<String, Map<String, Long>> counts) {
            List<String> labels = List.copyOf(new TreeMap<>(counts.get(LABELS)).keySet());
            if (labels.size() < 2) {
                throw new ConfigurationException("all rows have the same label, " + labels
                        + ", so there is nothing to learn. Check corpus.columns.label.");
            }
            Map<String, Vocabulary> vocabularies = new LinkedHashMap<>();
            vocabularies.put(Vocabularies.TOKENS, untrained.train(counts.get(Vocabularies.TOKENS), corpus));
            vocabularies.put(LABELS, new Vocabulary(null, labels));
            return new Vocabularies(vocabularies);
        }

        @Override
        public void check(Row row, Vocabularies vocabularies) {
            label(row, vocabularies);
        }

        private static int label(Row row, Vocabularies vocabularies) {
            String label = label(row);
            int token = vocabularies.of(LABELS).id(label);
            if (token < 0) {
                throw new MalformedRowException(
                        "its label does not occur in the training data",
                        "its label, " + label + ", does not occur in the training data");
            }
            return token;
        }

        @Override
        public Example encode(Row row, Sequence content, Vocabularies vocabularies) {
            int label = label(row, vocabularies);
            int[] tokens = vocabularies.tokens().encode(row.value(TEXT));
            return new Example(new Sequence.Tokens(tokens), new int[] {label});
        }

        @Override
        public Example.Type type(Vocabularies vocabularies) {
            return new Example.Type(SequenceType.tokens(vocabularies.tokens().size()), SequenceType.LABELS);
        }

        @Override
        public List<Object> cacheKey() {
            return List.of(untrained.key(corpus));
        }

        @Override
        public String stratum(Row row) {
            return label(row);
        }

        @Override
        public String group(Row row) {
            return row.value(TEXT);
        }

        @Override
        public int steps(int source, int target) {
            return source;
        }

        @Override
        public Batch batch(List<Example> examples) {
            int[] lengths = examples.stream().mapToInt(this::steps).toArray();
            int steps = IntStream.of(lengths).max().orElseThrow();
            int[] inputs = new int[lengths.length * steps];
            for (int lane = 0; lane < lengths.length; lane++) {
                System.arraycopy(examples.get(lane).source().toInts(), 0, inputs, lane * steps, lengths[lane]);
            }
            int[] labels =
                    examples.stream().mapToInt(example -> example.target()[0]).toArray();
            return new Batch(lengths.length, steps, inputs, labels, lengths);
        }
    }

    @Override
    public int[] textTokens(String text, Vocabularies vocabularies) {
        return vocabularies.tokens().encode(text);
    }

    @Override
    public Optional<Vocabulary> labels(Vocabularies vocabularies) {
        return Optional.of(vocabularies.of(LABELS));
    }

    @Override
    public Score score(Network network, Batch batch, int beam) {
        return ClassificationScore.of(network.logits(batch), batch.targets());
    }

    @Override
    public Map<String, Long> unknownTokens(Batch batch) {
        IntStream tokens = IntStream.range(0, batch.lanes())
                .flatMap(lane -> Arrays.stream(
                        batch.inputs(), lane * batch.steps(), lane * batch.steps() + batch.lengths()[lane]));
        return Map.of(TargetSequences.UNKNOWN_TOKENS, TargetSequences.unknownTokens(tokens));
    }

    @Override
    public List<String> unknownTokens(String prompt, Vocabularies vocabularies) {
        return vocabularies.tokens().unknownSymbols(prompt);
    }

    /** Writes all labels with their probabilities, in descending order. */
    @Override
    public int answer(Network network, Vocabularies vocabularies, Prompt prompt, OutputStream out) throws IOException {
        int[] tokens = vocabularies.tokens().encode(prompt.requireTextOnly().text());
        if (tokens.length == 0) {
            throw new ConfigurationException("there is no text to classify: give it with --prompt.");
        }
        float[] logits = network.logits(new Batch(1, tokens.length, tokens, new int[1], new int[] {tokens.length}));
        double[] probabilities = ClassificationScore.softmax(logits, 0, logits.length);
        Vocabulary labels = vocabularies.of(LABELS);
        List<Integer> order = IntStream.range(0, labels.size())
                .boxed()
                .sorted(Comparator.comparing((Integer label) -> -probabilities[label]))
                .toList();
        for (int label : order) {
            String line = String.format(Locale.ROOT, "%.4f  %s%n", probabilities[label], labels.symbol(label));
            out.write(line.getBytes(StandardCharsets.UTF_8));
        }
        return order.size();
    }
}
