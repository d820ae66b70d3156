package io.unroll.chunk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** One replica's examples of one epoch, in the order that {@link ExamplePlan} says. */
final class ExampleBatches implements Batches {
    private final ExampleReader reader;
    private final ExamplePlan plan;
    private final Collator collator;
    private final long first;
    private final long seed;
    private int windowStart = -1;
    private List<List<int[]>> window = List.of();

    /** @param seed of this replica's epoch */
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
            window = cut(start);
            windowStart = start;
        }
        return collator.batch(window.get(index - start));
    }

    private List<List<int[]>> cut(int start) throws IOException {
        long from = (long) start * plan.batch();
        long to = Math.min(plan.share(), from + (long) ExamplePlan.WINDOW * plan.batch());
        List<int[]> examples = reader.read(first + from, first + to);
        Random random = new Random(Seeds.of(seed, start));
        Collections.shuffle(examples, random);
        List<List<int[]>> batches = byLength(examples, plan.batch(), collator);
        Collections.shuffle(batches, random);
        return batches;
    }

    /** @return batches of examples that are about as long */
    static List<List<int[]>> byLength(List<int[]> examples, int batch, Collator collator) {
        List<int[]> sorted = new ArrayList<>(examples);
        sorted.sort(Comparator.comparingLong(collator::likeness));
        List<List<int[]>> batches = new ArrayList<>();
        for (int start = 0; start < sorted.size(); start += batch) {
            batches.add(sorted.subList(start, Math.min(start + batch, sorted.size())));
        }
        return batches;
    }

    @Override
    public void close() {}
}
