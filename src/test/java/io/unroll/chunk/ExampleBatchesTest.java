package io.unroll.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExampleBatchesTest {
    private static final int TRAINING_EXAMPLES = 1003;

    @TempDir
    private Path folder;

    private ExampleSource source;

    /** Example i repeats the number i as often as its length. */
    private static final Collator COLLATOR = new Collator() {
        @Override
        public int steps(int[] example) {
            return example.length;
        }

        @Override
        public Batch batch(List<int[]> examples) {
            int[] lengths = examples.stream().mapToInt(this::steps).toArray();
            int[] first = examples.stream().mapToInt(example -> example[0]).toArray();
            return new Batch(lengths.length, IntStream.of(lengths).max().orElseThrow(), first, first, lengths);
        }
    };

    @BeforeEach
    void write() throws IOException {
        List<ExampleIndex.Part> parts = new ArrayList<>();
        int next = 0;
        for (int examples : new int[] {600, 403, 50, 0, 30}) {
            String name = "part" + parts.size();
            try (OutputStream out = Files.newOutputStream(folder.resolve(name));
                    ExampleWriter writer = new ExampleWriter(out)) {
                for (int i = 0; i < examples; i++, next++) {
                    int number = next;
                    writer.write(
                            IntStream.generate(() -> number).limit(1 + next % 9).toArray());
                }
            }
            parts.add(new ExampleIndex.Part(name, examples, null));
        }
        source = new ExampleSource(
                folder.toString(),
                new ExampleIndex("hash", parts, TRAINING_EXAMPLES, 50, 30, 9, 0, 0, null),
                COLLATOR,
                5,
                1);
    }

    @Test
    void replicasReadEveryExampleOncePerEpoch() throws IOException {
        ExamplePlan plan = ExamplePlan.of(TRAINING_EXAMPLES, 2, 5, 9);
        TreeSet<Integer> read = new TreeSet<>();
        for (int replica = 0; replica < 2; replica++) {
            for (Batch batch : batches(plan, replica, 0)) {
                assertTrue(batch.lanes() <= 5);
                IntStream.of(batch.inputs()).forEach(example -> assertTrue(read.add(example)));
            }
        }
        assertEquals(1002, read.size());
        assertTrue(read.last() < TRAINING_EXAMPLES);
    }

    @Test
    void epochsDifferAndAnEpochIsReproducible() throws IOException {
        ExamplePlan plan = ExamplePlan.of(TRAINING_EXAMPLES, 1, 5, 9);
        List<Batch> first = batches(plan, 0, 0);
        List<Batch> second = batches(plan, 0, 1);
        assertNotEquals(
                first.stream().mapToInt(batch -> batch.inputs()[0]).boxed().toList(),
                second.stream().mapToInt(batch -> batch.inputs()[0]).boxed().toList());

        Batches fresh = source.training(plan, 0, 0, new Configuration());
        for (int chunk = 150; chunk < plan.chunks(); chunk += 7) {
            assertArrayEquals(
                    first.get(chunk).inputs(), fresh.chunk(chunk, plan.chunks()).inputs());
        }
    }

    @Test
    void examplesOfABatchHaveSimilarLengths() throws IOException {
        ExamplePlan plan = ExamplePlan.of(TRAINING_EXAMPLES, 1, 5, 9);
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
            for (Batch batch : source.evaluation(shard, 1, new Configuration())) {
                IntStream.of(batch.inputs()).forEach(read::add);
            }
        }
        return List.copyOf(read);
    }

    private List<Batch> batches(ExamplePlan plan, int replica, int epoch) throws IOException {
        Batches epochBatches = source.training(plan, replica, epoch, new Configuration());
        List<Batch> batches = new ArrayList<>();
        for (int chunk = 0; chunk < plan.chunks(); chunk++) {
            batches.add(epochBatches.chunk(chunk, plan.chunks()));
        }
        return batches;
    }
}
