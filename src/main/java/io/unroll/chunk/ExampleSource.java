package io.unroll.chunk;

import io.unroll.chunk.SequenceIndex.Section;
import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/** Source of batches for the tasks that read rows: each example is independent of the others. */
public record ExampleSource(SequenceStore store, Collator collator) implements BatchSource {
    private static final int SHARD_EXAMPLES = 4096;
    private static final long SHARD_VALUES = 16L << 20;
    private static final int MAX_EVALUATION_BATCH = 64;

    @Override
    public CorpusSize size(int vocabulary) {
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("examples", store.index().sequences());
        counts.put("training", store.index().sequences(Section.TRAINING));
        counts.put("validation", store.index().sequences(Section.VALIDATION));
        counts.put("test", store.index().sequences(Section.TEST));
        counts.put("skipped", CorpusSize.sum(store.index().skipped()));
        counts.put("tokens", store.index().tokens());
        return new CorpusSize(counts, vocabulary, store.index().skipped());
    }

    @Override
    public Plan plan(Settings settings) {
        SequenceIndex index = store.index();
        if (settings.corpus().validation() > 0 && index.sequences(Section.VALIDATION) == 0) {
            throw new ConfigurationException("corpus.validation = "
                    + settings.corpus().validation() + " leaves 0 of " + index.sequences()
                    + " examples for validation: raise it, or set it to 0.");
        }
        return BucketPlan.of(store, collator, settings);
    }

    @Override
    public List<Shard> shards(Split.Part part) {
        SequenceIndex index = store.index();
        long test = index.sequences() - index.sequences(Section.TEST);
        boolean validates = part == Split.Part.VALIDATION;
        long from = validates ? index.sequences(Section.TRAINING) : test;
        long to = validates ? test : index.sequences();
        List<Shard> shards = new ArrayList<>();
        long size = Math.max(1, Math.min(SHARD_EXAMPLES, SHARD_VALUES / index.meanLength()));
        for (long start = from; start < to; start += size) {
            shards.add(new Shard(start, start, Math.min(start + size, to)));
        }
        return shards;
    }

    @Override
    public List<Batch> evaluation(Shard shard, Settings.Training settings, Configuration hadoop) throws IOException {
        try (SequenceReader reader = store.open(hadoop)) {
            return batches(reader.examples(shard.first(), shard.end()), collator, settings);
        }
    }

    @Override
    public List<int[]> stored(Shard shard, Configuration hadoop) throws IOException {
        try (SequenceReader reader = store.open(hadoop)) {
            return reader.examples(shard.first(), shard.end()).stream()
                    .map(Example::target)
                    .toList();
        }
    }

    /** @return the examples in batches for evaluation */
    public static List<Batch> batches(List<Example> examples, Collator collator, Settings.Training settings) {
        return Buckets.byLength(examples, Math.min(settings.batch(), MAX_EVALUATION_BATCH), collator).stream()
                .map(collator::batch)
                .flatMap(batch -> batch.pieces(collator.maxSteps(settings.tbptt())).stream())
                .toList();
    }
}
