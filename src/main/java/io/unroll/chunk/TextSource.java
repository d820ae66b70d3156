package io.unroll.chunk;

import io.unroll.config.ConfigurationException;
import io.unroll.config.Settings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/** Source of batches for language models: the text is split into lanes, and the recurrent state is carried. */
public record TextSource(SequenceStore store, double validation, double test) implements BatchSource {
    @Override
    public CorpusSize size(int vocabulary) {
        return new CorpusSize(
                Map.of("tokens", store.index().tokens()),
                vocabulary,
                store.index().skipped());
    }

    private Split split() {
        return Split.of(store.index().tokens(), validation, test);
    }

    @Override
    public Plan plan(Settings settings) {
        Split split = split();
        LanePlan plan = LanePlan.of(
                store,
                split.trainingEnd(),
                settings.cluster().replicas(),
                settings.training().batch(),
                settings.training().tbptt());
        long validationTokens = split.validationEnd() - split.trainingEnd();
        if (validation > 0 && validationTokens < 2) {
            throw new ConfigurationException(
                    "corpus.validation = " + validation + " leaves " + validationTokens + " of " + split.tokens()
                            + " tokens for validation, which needs at least 2: raise it, or set it to 0.");
        }
        return plan;
    }

    @Override
    public List<Shard> shards(Split.Part part) {
        Split split = split();
        boolean validates = part == Split.Part.VALIDATION;
        long start = validates ? split.trainingEnd() : split.validationEnd();
        long end = validates ? split.validationEnd() : split.tokens();
        List<Shard> shards = new ArrayList<>();
        for (long first = start + 1; first < end; first += EvaluationLanes.SHARD) {
            long context = Math.max(start, first - 1 - EvaluationLanes.WARM_UP);
            shards.add(new Shard(context, first, Math.min(first + EvaluationLanes.SHARD, end)));
        }
        return shards;
    }

    @Override
    public List<Batch> evaluation(Shard shard, Settings.Training settings, Configuration hadoop) throws IOException {
        int[] tokens = stored(shard, hadoop).get(0);
        return new EvaluationLanes(tokens, (int) (shard.first() - shard.context())).batches(settings.tbptt());
    }

    /** Includes the tokens before the first one that is scored. */
    @Override
    public List<int[]> stored(Shard shard, Configuration hadoop) throws IOException {
        int[] tokens = new int[(int) (shard.end() - shard.context())];
        try (SequenceReader reader = store.open(hadoop)) {
            reader.read(shard.context(), tokens, 0, tokens.length);
        }
        return List.of(tokens);
    }
}
