package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.chunk.SequenceIndex.Section;
import io.unroll.config.Settings;
import io.unroll.config.Settings.TokenizerName;
import io.unroll.config.SettingsReader;
import io.unroll.text.Tokenizer;
import io.unroll.text.Vocabularies;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BucketPlanTest {
    private static final int TRAINING_EXAMPLES = 1003;
    private static final Configuration HADOOP = new Configuration();
    private static final Settings SETTINGS =
            SettingsReader.parse("run.directory = r, corpus.path = p, training.batch = 5", "test");

    @TempDir
    private Path folder;

    private ExampleSource source;

    /** An example is a document without a source; document i repeats the number i as often as its length. */
    private static final Collator COLLATOR = new Collator() {
        @Override
        public int steps(int source, int target) {
            return target;
        }

        @Override
        public Batch batch(List<Example> examples) {
            int[] lengths = examples.stream().mapToInt(this::steps).toArray();
            int[] first =
                    examples.stream().mapToInt(example -> example.target()[0]).toArray();
            return new Batch(lengths.length, IntStream.of(lengths).max().orElseThrow(), first, first, lengths);
        }
    };

    @BeforeEach
    void write() throws IOException {
        Example.Type type = new Example.Type(SequenceType.NONE, SequenceType.TOKENS_16);
        List<SequenceIndex.Part> parts = new ArrayList<>();
        int next = 0;
        for (int examples : new int[] {600, 403, 50, 0, 30}) {
            Section section =
                    parts.size() < 2 ? Section.TRAINING : parts.size() < 4 ? Section.VALIDATION : Section.TEST;
            try (SequenceWriter writer = new SequenceWriter(folder.toString(), section, parts.size(), type, HADOOP)) {
                for (int i = 0; i < examples; i++, next++) {
                    int number = next;
                    int[] document =
                            IntStream.generate(() -> number).limit(1 + next % 9).toArray();
                    writer.write(new Example(Sequence.NONE, document).toBytes(type));
                }
                parts.add(writer.part());
            }
        }
        Vocabularies vocabularies =
                new Vocabularies(Map.of(Vocabularies.TOKENS, Tokenizer.of(TokenizerName.CHAR, List.of("a", "b"))));
        SequenceIndex index = SequenceIndex.of("hash", type, parts, new TreeMap<>(), vocabularies);
        source = new ExampleSource(new SequenceStore(folder.toString(), index), COLLATOR);
    }

    private BucketPlan plan(int replicas) {
        return BucketPlan.of(
                source.store(),
                COLLATOR,
                SettingsReader.parse(
                        "run.directory = r, corpus.path = t, training.batch = 5, cluster.replicas = " + replicas,
                        "test"));
    }

    @Test
    void replicasReadEveryExampleOncePerEpoch() throws IOException {
        BucketPlan plan = plan(2);
        TreeSet<Integer> read = new TreeSet<>();
        for (int replica = 0; replica < 2; replica++) {
            for (Batch batch : batches(plan, replica, 0)) {
                assertTrue(batch.lanes() <= 5);
                IntStream.of(batch.inputs()).forEach(example -> assertTrue(read.add(example)));
            }
        }
        assertEquals(1002, read.size());
        assertTrue(read.last() < TRAINING_EXAMPLES);
        assertEquals(9, plan.steps());
    }

    @Test
    void epochsDifferAndAnEpochIsReproducible() throws IOException {
        BucketPlan plan = plan(1);
        List<Batch> first = batches(plan, 0, 0);
        List<Batch> second = batches(plan, 0, 1);
        assertNotEquals(
                first.stream().mapToInt(batch -> batch.inputs()[0]).boxed().toList(),
                second.stream().mapToInt(batch -> batch.inputs()[0]).boxed().toList());

        try (Batches fresh = plan.open(0, 0, HADOOP)) {
            for (int chunk = 150; chunk < plan.chunks(); chunk += 7) {
                assertArrayEquals(
                        first.get(chunk).inputs(),
                        fresh.chunk(chunk, plan.chunks()).inputs());
            }
        }
    }

    /** Otherwise, the examples of a window would meet no others in a batch, and always come at the same time. */
    @Test
    void aWindowHasOtherExamplesInEachEpoch() throws IOException {
        BucketPlan plan = plan(1);
        assertNotEquals(firstWindow(plan, 0), firstWindow(plan, 1));
        assertTrue(firstWindow(plan, 0).last() > TRAINING_EXAMPLES * 9 / 10);
    }

    /** All examples of a window, and of a shard, are in memory at the same time. */
    @Test
    void windowsAndShardsOfLongDocumentsAreSmall() throws IOException {
        assertEquals(64, plan(1).window());
        Example.Type type = new Example.Type(SequenceType.NONE, SequenceType.TOKENS_16);
        List<SequenceIndex.Part> parts = new ArrayList<>();
        for (Section section : List.of(Section.TRAINING, Section.VALIDATION)) {
            try (SequenceWriter writer = new SequenceWriter(folder.toString(), section, 9, type, HADOOP)) {
                for (int i = 0; i < 40; i++) {
                    writer.write(new Example(Sequence.NONE, new int[1 << 19]).toBytes(type));
                }
                parts.add(writer.part());
            }
        }
        SequenceIndex index = SequenceIndex.of("hash", type, parts, new TreeMap<>(), new Vocabularies(Map.of()));
        source = new ExampleSource(new SequenceStore(folder.toString(), index), COLLATOR);

        assertEquals(6, plan(1).window());
        assertEquals(2, source.shards(Split.Part.VALIDATION).size());
        assertEquals(4, batches(plan(1), 0, 0).stream().mapToInt(Batch::lanes).sum() / 10);
    }

    private static NavigableSet<Integer> firstWindow(BucketPlan plan, int epoch) throws IOException {
        TreeSet<Integer> examples = new TreeSet<>();
        batches(plan, 0, epoch).stream().limit(plan.window()).forEach(batch -> IntStream.of(batch.inputs())
                .forEach(examples::add));
        return examples;
    }

    @Test
    void examplesOfABatchHaveSimilarLengths() throws IOException {
        BucketPlan plan = plan(1);
        long unequal = batches(plan, 0, 0).stream()
                .filter(batch -> IntStream.of(batch.lengths()).min().orElseThrow() < batch.steps() - 1)
                .count();
        assertTrue(unequal < plan.chunks() / 20, unequal + " batches of unequal lengths");
    }

    @Test
    void evaluatesTheExamplesAfterTheTrainingPart() throws IOException {
        assertEquals(IntStream.range(1003, 1053).boxed().toList(), evaluated(Split.Part.VALIDATION));
        assertEquals(IntStream.range(1053, 1083).boxed().toList(), evaluated(Split.Part.TEST));
    }

    private List<Integer> evaluated(Split.Part part) throws IOException {
        TreeSet<Integer> read = new TreeSet<>();
        for (Shard shard : source.shards(part)) {
            for (Batch batch : source.evaluation(shard, SETTINGS.training(), HADOOP)) {
                assertTrue(batch.lanes() <= 5);
                IntStream.of(batch.inputs()).forEach(read::add);
            }
        }
        return List.copyOf(read);
    }

    private static List<Batch> batches(BucketPlan plan, int replica, int epoch) throws IOException {
        List<Batch> batches = new ArrayList<>();
        try (Batches epochBatches = plan.open(replica, epoch, HADOOP)) {
            for (int chunk = 0; chunk < plan.chunks(); chunk++) {
                batches.add(epochBatches.chunk(chunk, plan.chunks()));
            }
        }
        return batches;
    }
}
