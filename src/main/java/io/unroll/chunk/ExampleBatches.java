package io.unroll.chunk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** The batches of one replica in one epoch: shuffled, bucketed and padded as {@link ExamplePlan} describes. */
final class ExampleBatches implements Batches {
    private final ExampleReader reader;
    private final ExamplePlan plan;
    private final Collator collator;
    private final long first;
    private final long seed;
    private int windowStart = -1;
    private List<List<int[]>> window = List.of();

    /** @param seed seed of the run */
    ExampleBatches(ExampleReader reader, ExamplePlan plan, Collator collator, int replica, int epoch, long seed) {
        this.reader = reader;
        this.plan = plan;
        this.collator = collator;
        this.first = plan.start(replica, epoch);
        this.seed = Seeds.of(seed, epoch, replica);
    }

    @Override
    public Batch chunk(int index, int end) throws IOException {
        int start = index - index % ExamplePlan.WINDOW;
        if (start != windowStart) {
            window = batchWindow(start);
            windowStart = start;
        }
        return collator.batch(window.get(index - start));
    }

    private List<List<int[]>> batchWindow(int start) throws IOException {
        long from = (long) start * plan.batch();
        long to = Math.min(plan.share(), from + (long) ExamplePlan.WINDOW * plan.batch());
        List<int[]> examples = reader.read(first + from, first + to);
        Random random = new Random(Seeds.of(seed, start));
        Collections.shuffle(examples, random);
        List<List<int[]>> batches = byLength(examples, plan.batch(), collator);
        Collections.shuffle(batches, random);
        return batches;
    }

    /** @return batches of examples of similar length */
    static List<List<int[]>> byLength(List<int[]> examples, int batch, Collator collator) {
        List<int[]> sorted = new ArrayList<>(examples);
        sorted.sort(Comparator.comparingLong(collator::bucketKey));
        List<List<int[]>> batches = new ArrayList<>();
        for (int start = 0; start < sorted.size(); start += batch) {
            batches.add(sorted.subList(start, Math.min(start + batch, sorted.size())));
        }
        return batches;
    }

    @Override
    public void close() {}
}
