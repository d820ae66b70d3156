package io.unroll.chunk;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** Source of batches for the tasks that read rows: each example is independent of the others. */
public record ExampleSource(String folder, ExampleIndex index, Collator collator, int batch, long seed)
        implements BatchSource {
    private static final int SHARD_EXAMPLES = 4096;
    private static final int MAX_EVALUATION_BATCH = 64;

    @Override
    public String contentHash() {
        return index.corpus();
    }

    @Override
    public CorpusSize size(int vocabulary) {
        return CorpusSize.of(index, vocabulary);
    }

    @Override
    public Plan plan(Settings settings) {
        if (settings.corpus().validation() > 0 && index.validation() == 0) {
            throw new ConfigurationException("corpus.validation = "
                    + settings.corpus().validation() + " leaves 0 of " + index.examples()
                    + " examples for validation: raise it, or set it to 0.");
        }
        return ExamplePlan.of(
                index.training(),
                settings.cluster().replicas(),
                settings.training().batch(),
                index.longest());
    }

    @Override
    public Batches training(Plan plan, int replica, int epoch, Configuration hadoop) throws IOException {
        ExampleReader reader = new ExampleReader(folder, index, hadoop);
        return new ExampleBatches(reader, (ExamplePlan) plan, collator, replica, epoch, seed);
    }

    @Override
    public List<Shard> shards(Split.Part part) {
        long from = part == Split.Part.VALIDATION ? index.training() : index.training() + index.validation();
        long to = part == Split.Part.VALIDATION ? from + index.validation() : index.examples();
        List<Shard> shards = new ArrayList<>();
        for (long start = from; start < to; start += SHARD_EXAMPLES) {
            shards.add(new Shard(start, start, Math.min(start + SHARD_EXAMPLES, to)));
        }
        return shards;
    }

    @Override
    public List<Batch> evaluation(Shard shard, int steps, Configuration hadoop) throws IOException {
        return batches(new ExampleReader(folder, index, hadoop).read(shard.first(), shard.end()), collator, batch);
    }

    /** @return the examples in batches for evaluation, of at most {@code batch} examples each */
    public static List<Batch> batches(List<int[]> examples, Collator collator, int batch) {
        return ExampleBatches.byLength(examples, Math.min(batch, MAX_EVALUATION_BATCH), collator).stream()
                .map(collator::batch)
                .toList();
    }
}
