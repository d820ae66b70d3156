package io.unroll.chunk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.commons.collections4.ListUtils;
import org.apache.commons.math3.util.ArithmeticUtils;

/** The batches of one replica in one epoch: shuffled, bucketed and padded as {@link BucketPlan} describes. */
final class Buckets implements Batches {
    private final SequenceReader reader;
    private final BucketPlan plan;
    private final long first;
    private final long seed;
    /** Distance between the runs of a window. */
    private final int stride;

    private final int firstRun;
    private final double meanWeight;
    private int windowStart = -1;
    private List<List<Example>> window = List.of();

    Buckets(SequenceReader reader, BucketPlan plan, int replica, int epoch) {
        this.reader = reader;
        this.plan = plan;
        this.first = plan.start(replica, epoch);
        this.meanWeight = plan.store().index().meanWeight();
        this.seed = Seeds.of(plan.seed(), epoch, replica);
        Random random = new Random(seed);
        this.stride = stride(plan.chunks(), random);
        this.firstRun = random.nextInt(plan.chunks());
    }

    @Override
    public Batch chunk(int index, int end) throws IOException {
        int start = index - index % plan.window();
        if (start != windowStart) {
            window = batchWindow(start);
            windowStart = start;
        }
        List<Example> examples = window.get(index - start);
        Batch batch = plan.collator().batch(examples);
        return plan.store().index().type().weighted() ? batch.withGradientFactors(factors(examples)) : batch;
    }

    /** @return the weights, divided by their mean over all training examples */
    private float[] factors(List<Example> examples) {
        float[] factors = new float[examples.size()];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = (float) (examples.get(i).weight() / meanWeight);
        }
        return factors;
    }

    private List<List<Example>> batchWindow(int start) throws IOException {
        List<Example> examples = new ArrayList<>();
        for (int run : runs(start)) {
            long from = (long) run * plan.batch();
            examples.addAll(reader.examples(first + from, first + Math.min(plan.share(), from + plan.batch())));
        }
        Random random = new Random(Seeds.of(seed, start));
        Collections.shuffle(examples, random);
        List<List<Example>> batches = byLength(examples, plan.batch(), plan.collator());
        Collections.shuffle(batches, random);
        return batches;
    }

    /** @return the runs of a window in ascending order: every {@link #stride}-th of the share, from a random one on */
    private int[] runs(int start) {
        int runs = plan.chunks();
        return IntStream.range(start, Math.min(runs, start + plan.window()))
                .map(i -> (int) ((firstRun + (long) i * stride) % runs))
                .sorted()
                .toArray();
    }

    /** @return a random number that has no common divisor with {@code count}: its multiples reach each remainder */
    private static int stride(int count, Random random) {
        int stride = 1 + random.nextInt(count);
        while (ArithmeticUtils.gcd(stride, count) > 1) {
            stride = 1 + random.nextInt(count);
        }
        return stride;
    }

    /** @return batches of examples of similar length */
    static List<List<Example>> byLength(List<Example> examples, int batch, Collator collator) {
        List<Example> sorted = new ArrayList<>(examples);
        sorted.sort(Comparator.comparingLong(collator::bucketKey));
        return new ArrayList<>(ListUtils.partition(sorted, batch));
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
